//! The journal folder on a store that several masters share, or on a local disk.
//!
//! `store.rs` is the trait; `hdfs/`, `local.rs` and `memory.rs` implement it and pass one suite.
//!
//! ```text
//! <alluxio.master.journal.folder>/
//!   FORMAT                               layout, feature level, cluster id
//!   epochs/<epoch>/<index>.log           segments: one writer for ever, never renamed, never reopened
//!   checkpoints/<sequence>-<hash>.ckpt   whole states
//! ```

mod chunks;
pub mod hdfs;
mod layout;
pub mod local;
mod local_folder;
mod memory;
mod memory_store;
mod store;
#[cfg(test)]
mod store_suite;

pub use memory::{AppendId, FileId, MemoryFolder, MemoryStore};
pub use store::{
    Broken, CheckpointId, FEATURE_LEVEL, Flushed, Format, JournalFile, JournalStore, LAYOUT, Length, Listing, Recovery,
    Room, SegmentId, SegmentWriter, StoreError, Usage, Written,
};
