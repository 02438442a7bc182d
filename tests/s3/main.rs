//! S3 as UFS, against a real S3 server, moto: the suite of all UFSes, what only S3 has, and masters and workers on it.
//!
//! Needs Python with `moto[server]` from PyPI, so a plain `cargo test` leaves these out: `scripts/test` has it in a virtual
//! environment. With one of your own: `ALLUXIO_TEST_PYTHON=VENV/bin/python cargo test --test s3 -- --include-ignored`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use alluxio::{types, ufs};

#[path = "../harness/mod.rs"]
#[allow(dead_code, reason = "what one cluster without services needs is a part of it")]
mod harness;
mod mounts;
mod server;
mod storage;
#[path = "../../src/ufs/suite.rs"]
mod ufs_suite;

mod suite {
    use crate::storage;
    use crate::ufs_suite as suite;
    suite::every_behaviour!(storage::place(), #[ignore = "needs moto: scripts/test"]);
}
