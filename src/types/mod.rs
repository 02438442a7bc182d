//! Pure. The words of the system: paths, ids, times, what a file looks like, how an operation fails.
//!
//! Uses nothing else of the project. Read `path.rs`, `ids.rs`, `file_status.rs`, `acl.rs`, `worker.rs`, `caller.rs`, `error.rs`,
//! `ufs_names.rs`, `time.rs`, `id_map.rs`.

mod acl;
mod caller;
mod content_hash;
mod error;
mod file_status;
pub mod id_map;
mod ids;
mod inode_extras;
pub mod mutant;
mod path;
mod properties;
pub mod texts;
pub mod time;
mod ufs_mode;
pub mod ufs_names;
mod worker;
mod xattr;

pub use acl::{
    AccessControlList, AclEntry, AclRefusal, AclSubject, DefaultAcl, ExtendedAcl, InodeAcls, InodeType, InvalidAcl,
    SetAclAction,
};
pub use caller::Caller;
pub use content_hash::{ContentHash, sanitized};
pub use error::{ErrorKind, FsError};
pub use file_status::{FileStatus, PersistenceState, TtlAction};
pub use ids::{BlockId, InodeId, OperationId, SequenceNumber};
pub use inode_extras::InodeExtras;
pub use path::{AlluxioPath, InvalidPath};
pub use properties::{Names, Properties};
pub use ufs_mode::UfsMode;
pub use worker::{BlockLocation, BlockStatus, WorkerAddress, WorkerId};
pub use xattr::{XattrStrategy, XattrUpdate, Xattrs};
