//! The storage below the namespace: files and directories on a local disk, in HDFS, in S3, or in memory.
//!
//! Read `storage.rs` (what every UFS promises), `error.rs`, `uri.rs`, then a backend: `local.rs`, `hdfs.rs`,
//! `memory.rs`, `s3.rs` (then `s3_streams.rs`, `s3_requests.rs`, `s3_connection.rs`, `s3_settings.rs`).
//! `clients.rs` finds the backend of a URI, as its mount wants it used, and keeps it. All backends pass one suite, `suite.rs`. May use nothing.

mod blocking;
mod clients;
mod error;
mod hdfs;
mod hdfs_connection;
mod local;
mod memory;
mod s3;
mod s3_connection;
mod s3_moves;
mod s3_requests;
mod s3_settings;
mod s3_streams;
mod storage;
#[cfg(test)]
mod suite;
mod uri;

pub use clients::{UfsClients, UfsSettings, root_options};
pub use error::{UfsError, UfsErrorKind};
pub use hdfs::HdfsUfs;
pub use local::LocalUfs;
pub use memory::MemoryUfs;
pub use s3::S3Ufs;
pub use storage::{Space, Ufs, UfsAttributes, UfsDeletion, UfsOwnership, UfsReader, UfsStatus, UfsWriter};
pub use uri::{UfsScheme, UfsUri};
