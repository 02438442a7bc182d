//! Alluxio's fault-tolerant cluster: masters that share a fenced journal, and the clients that find the primary.
//!
//! The modules in the order in which they build on one another (`tests/tidy.rs` holds the table of who may use whom):
//!
//! 1. [`types`] paths, ids, statuses, errors, the clocks
//! 2. [`conf`] one table of properties, read from files, environment and command line
//! 3. [`proto`] generated messages
//! 4. [`rpc`] channels, handshake, errors and codes
//! 5. [`ufs`] the storage below the namespace
//! 6. [`election`] latch, epoch node, where the primary is
//! 7. [`journal`] records, chain, writer, tailer, stores
//! 8. [`master`] namespace, operations, driver, role, server
//! 9. [`client`] file system calls that find the primary and try again
//! 10. [`shell`] `alluxio fs …`
//! 11. [`tools`] `alluxio format` and offline work on a journal
//!
//! The life of one request: `master/server.rs` decodes it → `master/runtime.rs` hands it to `master/driver.rs` →
//! `master/ops/` decides entries and answer → `master/state/` applies them → `journal/writer.rs` puts the batch in
//! one record → `journal/folder/` flushes it → the driver checks the lease → the answer leaves.

pub mod client;
pub mod conf;
pub mod election;
pub mod journal;
pub mod master;
pub mod proto;
pub mod rpc;
pub mod shell;
pub mod tools;
pub mod types;
pub mod ufs;
