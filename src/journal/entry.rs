//! Pure. What a record says: entries with every computed value in them.
//!
//! Where the 2.9 journal has the meaning, an entry has exactly its fields, so that an export is exact; the last
//! six kinds are our own. Times are milliseconds since 1970 UTC. Paths are informational: ids decide.

use crate::types::{AlluxioPath, BlockId, InodeId};

pub use super::entry_admin::{PathProperties, SyncPoint, UpdateUfsMode};
pub use super::entry_answered::{Answered, AnsweredOperation};
pub use super::entry_extras::{DefaultAclUpdate, InodeExtras, SetAcl};
pub use super::entry_inode::{
    InodeDirectory, InodeFile, Replication, UpdateInode, UpdateInodeDirectory, UpdateInodeFile,
};
pub use super::entry_place::{DeleteFile, Rename, UnlinkTree};
pub use super::entry_ufs::{AddMountPoint, MakeInUfs, UfsIntent};

/// One change of the state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum Entry {
    /// The next directory id to give: its container and its sequence in there.
    InodeDirectoryIdGenerator {
        /// Container that directories come from.
        container: i64,
        /// Next sequence to give.
        sequence: i64,
    },
    /// Containers below this one may be given out.
    BlockContainerIdGenerator {
        /// First container that is not reserved.
        next_container: i64,
    },
    /// A new directory.
    InodeDirectory(InodeDirectory),
    /// A new file.
    InodeFile(InodeFile),
    /// New values of what files and directories both have.
    UpdateInode(UpdateInode),
    /// New values of what only directories have.
    UpdateInodeDirectory(UpdateInodeDirectory),
    /// New values of what only files have.
    UpdateInodeFile(UpdateInodeFile),
    /// A file has one block more: the next of its container.
    NewBlock {
        /// Which file.
        id: InodeId,
    },
    /// A block is committed, by a worker or because it is in the UFS.
    BlockInfo {
        /// Which block.
        id: BlockId,
        /// Bytes in it.
        length: i64,
    },
    /// A block is committed no longer.
    DeleteBlock {
        /// Which block.
        id: BlockId,
    },
    /// A file, or a directory without children, is gone. Its blocks are deleted before it.
    DeleteFile(DeleteFile),
    /// Another name or place.
    Rename(Rename),
    /// The id of the cluster.
    ClusterInfo {
        /// Text of a UUID.
        cluster_id: String,
    },
    /// Another UFS begins at a path.
    AddMountPoint(AddMountPoint),
    /// It begins there no longer.
    DeleteMountPoint {
        /// Where it began.
        path: AlluxioPath,
    },
    /// Who may do what with a file or directory is changed.
    SetAcl(SetAcl),
    /// What clients take as default for a path.
    PathProperties(PathProperties),
    /// Clients take nothing as default for a path any more.
    RemovePathProperties {
        /// Which path.
        path: AlluxioPath,
    },
    /// What may be done with a UFS.
    UpdateUfsMode(UpdateUfsMode),
    /// A directory is kept like the UFS.
    AddSyncPoint(SyncPoint),
    /// It is kept so no longer.
    RemoveSyncPoint(SyncPoint),
    /// The first answer to an operation, kept for its repetition.
    Answered(Answered),
    /// A directory and all below it leave the namespace at once.
    UnlinkTree(UnlinkTree),
    /// Inodes of unlinked trees are freed, children before parents, files after their blocks.
    CollectTree {
        /// Which ones.
        ids: Vec<InodeId>,
    },
    /// The UFS is about to be changed.
    UfsIntent(UfsIntent),
    /// UFS and namespace agree again about what that intent was to change.
    UfsIntentSettled {
        /// The inode of the intent.
        inode: InodeId,
    },
    /// When a file that is to be written to the UFS is written.
    PersistTime {
        /// The file.
        inode: InodeId,
        /// Not before; [`WHEN_ASKED`] or [`AT_ONCE`].
        time_ms: i64,
    },
}

/// A time of `PersistTime`: when somebody asks for it (2.9: `NO_AUTO_PERSIST`).
pub const WHEN_ASKED: i64 = -1;
/// A time of `PersistTime`: as if there were none.
pub const AT_ONCE: i64 = 0;

/// Journaled bytes that cannot be what a sound master wrote. Never passed over: the process stops and says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {reason}")]
pub struct Corrupt {
    /// The entry, page or section.
    pub object: String,
    /// What does not fit.
    pub reason: String,
}

impl Corrupt {
    /// `object` does not fit because of `reason`.
    pub fn new(object: impl Into<String>, reason: impl Into<String>) -> Corrupt {
        Corrupt { object: object.into(), reason: reason.into() }
    }
}
