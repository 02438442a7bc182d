//! The guide to a fault-tolerant cluster, typed word for word: hosts server03 to server08 in network namespaces of this
//! machine, with an sshd on each, ZooKeeper and HDFS on three of them, the package on the other three.
//!
//! Needs root, Java and the package, so a plain `cargo test` leaves it out; `scripts/test` runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cluster;
mod document;
mod failover;
mod faults;
mod guide;
#[allow(dead_code, reason = "the episodes use the rest")]
mod hdfs;
#[allow(dead_code, reason = "the episodes use the rest")]
mod hosts;
#[path = "../harness/process.rs"]
#[allow(dead_code, reason = "the cluster tests use the rest")]
mod process;
mod services;
