//! The storage below the namespace: files and directories on a local disk, in HDFS, or in memory.
//!
//! Read `storage.rs` (what every UFS promises), `error.rs`, `uri.rs`, then a backend: `local.rs`, `hdfs.rs`,
//! `memory.rs`.
//! `clients.rs` finds the backend of a URI and keeps it. All backends pass one suite, `suite.rs`. May use nothing.

mod blocking;
mod clients;
mod error;
mod hdfs;
mod hdfs_connection;
mod local;
mod memory;
mod storage;
#[cfg(test)]
mod suite;
mod uri;

pub use clients::{UfsClients, UfsSettings};
pub use error::{UfsError, UfsErrorKind};
pub use hdfs::HdfsUfs;
pub use local::LocalUfs;
pub use memory::MemoryUfs;
pub use storage::{Space, Ufs, UfsAttributes, UfsDeletion, UfsOwnership, UfsReader, UfsStatus, UfsWriter};
pub use uri::{UfsScheme, UfsUri};
