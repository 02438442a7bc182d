//! The file system as programs use it: calls that find the primary and try again, and streams of data.
//!
//! [`FileSystem`] has one method for each call. Below it, `rpc/retry.rs` decides when a call is tried again and where,
//! `rpc/locate.rs` and `election/published.rs` find out who leads. A failover is a pause for the caller, no error, as long
//! as it ends within `alluxio.user.rpc.retry.max.duration`.
//!
//! Data goes to and from workers, not through the master: `file_writer.rs` and `file_reader.rs` go from block to block,
//! `block_sink.rs` and `block_source.rs` know the two ways to a block (its file, if the worker is on this host; else a
//! stream), `policy.rs` (pure) says which worker is the nearest. At most a few chunks are in memory at a time.
//!
//! Uses `election` (finding the primary), `rpc` (connections, streams, errors) and `proto`.
//! Read `file_system.rs`, `file_writer.rs`, `file_reader.rs`.

mod acl;
mod backup;
mod block_sink;
mod block_source;
mod blocks;
mod checks;
mod cluster;
mod configuration;
mod file_reader;
mod file_system;
mod file_writer;
mod load;
mod mounts;
mod options;
mod policy;
#[cfg(test)]
mod retry_tests;
mod settings;
mod sync;
mod workers;

pub use backup::{Backup, BackupOptions};
pub use file_reader::FileReader;
pub use file_system::FileSystem;
pub use file_writer::FileWriter;
pub use options::{
    CreateDirectoryOptions, CreateFileOptions, DeleteOptions, Forced, ListOptions, LoadMetadata, MountOptions,
    MountPoint, ReadType, SetAttributeOptions,
};
pub use policy::Place;
pub use settings::DataSettings;
pub use workers::WorkerInfo;

pub use crate::election::Published;
pub use crate::rpc::channel::{ChannelSettings, Identity};
pub use crate::rpc::identity::{self, NoUser};
pub use crate::rpc::locate::{Fixed, Locate, LocateError, Polled};
pub use crate::rpc::retry::{ClientError, ClientSettings, RetrySettings};
