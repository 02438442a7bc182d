//! The journal folder on HDFS: a log client of our own, with simple authentication.
//!
//! One block per segment, one pipeline per block, no call to a NameNode per flush. A broken pipeline ends the
//! segment, so there is no pipeline recovery here. Read `settings.rs`, `wire.rs`, `ipc.rs`, `namenode.rs`,
//! `packet.rs`, `pipeline.rs`, `reader.rs`, `file.rs`, `segment.rs`, `whole.rs`, `store.rs`.

mod file;
mod ipc;
mod namenode;
mod packet;
mod pipeline;
mod reader;
mod segment;
mod settings;
mod store;
mod whole;
mod wire;

pub use namenode::NameNode;
pub use settings::{Durability, HdfsSettings};
pub use store::HdfsStore;
pub use wire::DatanodeAddress;
