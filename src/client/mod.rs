//! File system calls that find the primary and try again.
//!
//! [`FileSystem`] has one method for each call. Below it, `retry.rs` decides when a call is tried again and where,
//! `masters.rs` finds out who leads. A failover is a pause for the caller, no error, as long as it ends within
//! `alluxio.user.rpc.retry.max.duration`.
//!
//! Uses `election` (finding the primary), `rpc` (connections, errors) and `proto`.
//! Read `file_system.rs`, `masters.rs`, `retry.rs`.

mod file_system;
mod masters;
mod retry;

pub use file_system::{
    CreateDirectoryOptions, CreateFileOptions, FileSystem, ListOptions, LoadMetadata, SetAttributeOptions,
};
pub use masters::{Fixed, Locate, LocateError, Polled, Published};
pub use retry::{ClientError, ClientSettings, RetrySettings};

pub use crate::rpc::channel::{ChannelSettings, Identity};
