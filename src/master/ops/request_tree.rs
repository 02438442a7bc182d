//! What a client may ask of files and directories, but for their attributes.

use crate::master::worker_call::Place;
use crate::types::{AlluxioPath, BlockId, ContentHash, InodeId, TtlAction, WorkerId, Xattrs};

/// Where the content of a new file goes (2.9.6 WritePType).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteType {
    /// Workers only, or fail.
    MustCache,
    /// Workers if possible.
    TryCache,
    /// Workers and UFS.
    CacheThrough,
    /// UFS only.
    Through,
    /// Workers now, UFS later.
    AsyncThrough,
    /// Nowhere.
    None,
}

/// Extended attributes of what is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewXattrs {
    /// By name.
    pub values: Xattrs,
    /// Whether parents that are made get them, too (2.9.6 XAttrPropagationStrategy).
    pub parents_too: bool,
}

/// createDirectory
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDirectory {
    /// The new directory.
    pub path: AlluxioPath,
    /// Missing parents are made too.
    pub recursive: bool,
    /// An existing directory is a success.
    pub allow_exists: bool,
    /// Permission bits, umask applied by the client.
    pub mode: u16,
    /// Whether it goes to the UFS.
    pub write_type: WriteType,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// Extended attributes.
    pub xattr: NewXattrs,
}

/// createFile
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFile {
    /// The new file.
    pub path: AlluxioPath,
    /// Missing parents are made too.
    pub recursive: bool,
    /// An existing file is replaced.
    pub overwrite: bool,
    /// Permission bits, umask applied by the client.
    pub mode: u16,
    /// At least 1.
    pub block_size_bytes: i64,
    /// Where its content goes.
    pub write_type: WriteType,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// Fewest copies.
    pub replication_min: i32,
    /// Most copies, -1 without limit.
    pub replication_max: i32,
    /// Copies before the content is persisted.
    pub replication_durable: i32,
    /// How long it is waited before the content is persisted by the master; -1 until somebody asks.
    pub persistence_wait_ms: i64,
    /// Extended attributes.
    pub xattr: NewXattrs,
}

/// completeFile
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteFile {
    /// The file.
    pub path: AlluxioPath,
    /// Length as written to the UFS, when it was written there.
    pub ufs_length: Option<i64>,
    /// The content is to be persisted by the master, after so many milliseconds.
    pub async_persist: Option<i64>,
    /// Which content was written to the UFS.
    pub content_hash: ContentHash,
}

impl CompleteFile {
    /// Of a file that is in Alluxio alone, and stays so.
    pub fn of(path: AlluxioPath) -> CompleteFile {
        CompleteFile { path, ufs_length: None, async_persist: None, content_hash: ContentHash::Unknown }
    }
}

/// rename
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// What is moved.
    pub source: AlluxioPath,
    /// Its new path, which must not exist.
    pub target: AlluxioPath,
}

/// delete
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// What is deleted.
    pub path: AlluxioPath,
    /// With all below it.
    pub recursive: bool,
    /// The UFS is left as it is.
    pub alluxio_only: bool,
    /// Mount points below are unmounted.
    pub delete_mount_points: bool,
    /// What the UFS has in these directories and the namespace does not know goes, too.
    pub unchecked: bool,
    /// When the UFS is left as it is: whether what it has in the directory above is looked for again; none: as it was.
    pub syncs_parent: Option<bool>,
    /// Whether it is known that the caller may delete all that is below.
    pub rights_below: RightsBelow,
}

impl Delete {
    /// Of a file, or of a directory with nothing in it, in the UFS too.
    pub fn of(path: AlluxioPath) -> Delete {
        Delete {
            path,
            recursive: false,
            alluxio_only: false,
            delete_mount_points: false,
            unchecked: false,
            syncs_parent: None,
            rights_below: RightsBelow::ToCheck,
        }
    }
}

/// What is known of the rights of the caller below a directory that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsBelow {
    /// Nothing.
    ToCheck,
    /// They allow it, or did so a moment ago, in this directory.
    Checked(InodeId),
}

/// free
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Free {
    /// The file or directory.
    pub path: AlluxioPath,
    /// With all below it.
    pub recursive: bool,
    /// Pinned files, too.
    pub forced: bool,
}

/// getNewBlockIdForFile
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlock {
    /// The file, which is being written.
    pub path: AlluxioPath,
}

/// commitBlock, commitBlockInUfs
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitBlock {
    /// The block.
    pub block: BlockId,
    /// Bytes in it.
    pub length: i64,
    /// The worker that holds it; none when it is in the UFS.
    pub copy: Option<NewCopy>,
}

/// A copy that a worker has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCopy {
    /// Who holds it.
    pub worker: WorkerId,
    /// Where.
    pub place: Place,
    /// Bytes of that tier that are used now.
    pub used_on_tier: i64,
}
