//! Measurements that run real masters. `scripts/measure-failover` runs them with the optimised build.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../harness/mod.rs"]
#[allow(dead_code, reason = "the cluster tests use the rest")]
mod harness;

mod failover;
