//! File system calls that find the primary and try again.
//!
//! [`FileSystem`] has one method for each call. Below it, `rpc/retry.rs` decides when a call is tried again and where,
//! `rpc/locate.rs` and `election/published.rs` find out who leads. A failover is a pause for the caller, no error, as long as it ends within
//! `alluxio.user.rpc.retry.max.duration`.
//!
//! Uses `election` (finding the primary), `rpc` (connections, errors) and `proto`.
//! Read `file_system.rs`.

mod file_system;
#[cfg(test)]
mod retry_tests;

pub use file_system::{
    CreateDirectoryOptions, CreateFileOptions, FileSystem, ListOptions, LoadMetadata, SetAttributeOptions,
};

pub use crate::election::Published;
pub use crate::rpc::channel::{ChannelSettings, Identity};
pub use crate::rpc::identity::{self, NoUser};
pub use crate::rpc::locate::{Fixed, Locate, LocateError, Polled};
pub use crate::rpc::retry::{ClientError, ClientSettings, RetrySettings};
