//! Pure. The words of the system: paths, ids, times, what a file looks like, how an operation fails.
//!
//! Uses nothing else of the project. Read `path.rs`, `ids.rs`, `file_status.rs`, `worker.rs`, `caller.rs`, `error.rs`,
//! `ufs_names.rs`, `time.rs`, `id_map.rs`.

mod caller;
mod error;
mod file_status;
pub mod id_map;
mod ids;
pub mod mutant;
mod path;
pub mod texts;
pub mod time;
pub mod ufs_names;
mod worker;

pub use caller::Caller;
pub use error::{ErrorKind, FsError};
pub use file_status::{FileStatus, PersistenceState, TtlAction};
pub use ids::{BlockId, InodeId, OperationId, SequenceNumber};
pub use path::{AlluxioPath, InvalidPath};
pub use worker::{BlockLocation, BlockStatus, WorkerAddress, WorkerId};
