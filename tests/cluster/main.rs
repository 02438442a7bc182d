//! Two masters on real ZooKeeper and HDFS: who leads, what a takeover keeps, what is refused, what Java clients see.
//!
//! Needs the services of a test bed, so a plain `cargo test` leaves these out; `scripts/test` runs them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/page.rs"]
#[allow(dead_code, reason = "the tests of the pages use the rest")]
mod page;

mod checkpoints;
mod failover;
mod hadoop;
mod java;
mod java_clients;
mod journal_tools;
mod load;
mod lost_workers;
mod memory;
mod other_election;
mod own_shell;
mod own_workers;
mod refusals;
mod retries;
mod services;
mod ttl;
mod under_store;
mod upgrade;
mod web;
mod workers;
