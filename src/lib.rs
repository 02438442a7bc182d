//! Alluxio's fault-tolerant cluster: masters that share a fenced journal, workers that hold
//! blocks, and the clients that find the primary.
//!
//! The modules in the order in which they build on one another (`tests/tidy.rs` holds the table of who may use whom):
//!
//! 1. [`types`] paths, ids, statuses, errors, the clocks
//! 2. [`conf`] one table of properties, read from files, environment and command line
//! 3. [`proto`] generated messages
//! 4. [`rpc`] channels, handshake, errors and codes
//! 5. [`process`] pid files; starting and stopping a server of this node
//! 6. [`ufs`] the storage below the namespace
//! 7. [`election`] latch, epoch node, where the primary is
//! 8. [`journal`] records, chain, writer, tailer, stores
//! 9. [`master`] namespace, operations, driver, role, server
//! 10. [`worker`] blocks as files, their data to and fro, reports to the masters
//! 11. [`client`] file system calls that find the primary and try again
//! 12. [`shell`] `alluxio fs …`
//! 13. [`tools`] `alluxio format` and offline work on a journal
//! 14. [`web`] the pages of master and worker
//!
//! The life of one request: `master/server.rs` decodes it → `master/runtime.rs` hands it to `master/driver.rs` →
//! `master/ops/` decides entries and answer → `master/state/` applies them → `journal/writer.rs` puts the batch in
//! one record → `journal/folder/` flushes it → the driver checks the lease → the answer leaves.

pub mod client;
pub mod conf;
pub mod election;
pub mod journal;
pub mod logs;
pub mod master;
pub mod metrics;
pub mod process;
pub mod proto;
pub mod rpc;
pub mod shell;
pub mod tools;
pub mod types;
pub mod ufs;
pub mod web;
pub mod worker;
