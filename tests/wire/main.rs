//! The wire as clients of Alluxio 2.9.6 see it: message files, seen bytes, texts, order of calls.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access_times;
mod admin;
mod audit;
mod blocks;
mod descriptors;
mod file_system;
mod golden;
mod handshake;
mod harness;
mod hostile;
mod listing;
mod standby;
mod tree;
mod ufs;
mod ufs_compared;
mod ufs_lease;
