//! The journal store and the UFS on a real HDFS: the suites of all stores and UFSes, and what only HDFS has.
//!
//! Needs a test bed and the variable that names its folder, so a plain `cargo test` leaves these out:
//! `scripts/testbed up --dir DIR --datanodes 3`, then
//! `TESTBED_DIR=DIR cargo test --test hdfs_store -- --include-ignored`.
//! One run tests one version and one number of DataNodes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use alluxio::{journal, types, ufs};

#[path = "hdfs_store/bed.rs"]
mod bed;
#[path = "hdfs_store/faults.rs"]
mod faults;
#[path = "hdfs_store/ufs.rs"]
mod hdfs_ufs;
#[path = "../src/journal/folder/store_suite.rs"]
mod store_suite;
#[path = "../src/ufs/suite.rs"]
mod ufs_suite;
#[path = "hdfs_store/wire.rs"]
mod wire;

mod suite {
    use crate::{bed, store_suite};
    store_suite::every_behaviour!(bed::place(), #[ignore = "needs a test bed: scripts/test"]);
}
