//! The journal folder on HDFS: a log client of our own, with simple authentication.
//!
//! One block per segment, one pipeline per block, no call to a NameNode per flush. A broken pipeline ends the
//! segment, so there is no pipeline recovery here. Read `settings.rs`, `wire.rs`, `ipc.rs`, `namenode.rs`,
//! `pipeline.rs`, `reader.rs`, `file.rs`, `segment.rs`, `store.rs`. The facts of the wire are cited where they bind.

mod file;
mod ipc;
mod namenode;
mod pipeline;
mod reader;
mod segment;
mod settings;
mod store;
mod wire;

pub use settings::{Durability, HdfsSettings};
pub use store::HdfsStore;
pub use wire::DatanodeAddress;
