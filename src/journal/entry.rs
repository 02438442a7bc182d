//! Pure. What a record says: entries with every computed value in them.
//!
//! Where the 2.9 journal has the meaning, an entry has exactly its fields, so that an export is exact; the last
//! five kinds are our own. Times are milliseconds since 1970 UTC. Paths are informational: ids decide.

use crate::types::{AlluxioPath, BlockId, InodeId, OperationId, PersistenceState, TtlAction};

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

/// `inode_directory` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InodeDirectory {
    /// Its id, from the directory id generator.
    pub id: InodeId,
    /// Above it; `InodeId::NONE` for the root.
    pub parent: InodeId,
    /// Last component of its path; "" for the root.
    pub name: String,
    /// Where it was made.
    pub path: AlluxioPath,
    /// When it was made.
    pub creation_time_ms: i64,
    /// When its children changed last.
    pub modification_time_ms: i64,
    /// When it was read last.
    pub access_time_ms: i64,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
    /// Whether it is in the UFS.
    pub persistence: PersistenceState,
    /// Whether blocks below it must stay.
    pub pinned: bool,
    /// Whether another UFS begins here.
    pub mount_point: bool,
    /// Whether all its children in the UFS are known.
    pub direct_children_loaded: bool,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
}

/// `inode_file` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InodeFile {
    /// Its id: its container and the sequence that marks a file.
    pub id: InodeId,
    /// The directory that holds it.
    pub parent: InodeId,
    /// Last component of its path.
    pub name: String,
    /// Where it was made.
    pub path: AlluxioPath,
    /// When it was made.
    pub creation_time_ms: i64,
    /// When its content changed last.
    pub modification_time_ms: i64,
    /// When it was read last.
    pub access_time_ms: i64,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
    /// Whether it is in the UFS.
    pub persistence: PersistenceState,
    /// Whether its blocks must stay.
    pub pinned: bool,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// Bytes.
    pub length: i64,
    /// Bytes of every block but the last.
    pub block_size_bytes: i64,
    /// False while it is being written.
    pub completed: bool,
    /// Whether reads may leave copies in Alluxio.
    pub cacheable: bool,
    /// The first blocks of its container, in order.
    pub blocks: Vec<BlockId>,
    /// Copies wished.
    pub replication: Replication,
}

/// How many copies of each block are wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Replication {
    /// Fewest.
    pub min: i32,
    /// Most, -1 without limit.
    pub max: i32,
    /// Copies before the content is persisted.
    pub durable: i32,
}

impl Replication {
    /// What a file has when nobody asked for anything.
    pub const USUAL: Replication = Replication { min: 0, max: -1, durable: 1 };
}

/// `update_inode` of 2.9. None leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateInode {
    /// Which file or directory.
    pub id: InodeId,
    /// User.
    pub owner: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: Option<u16>,
    /// Taken when later than what is there, or when `overwrite_modification_time`.
    pub modification_time_ms: Option<i64>,
    /// Whether the modification time may go back.
    pub overwrite_modification_time: Option<bool>,
    /// Taken when later than what is there, or when `overwrite_access_time`.
    pub access_time_ms: Option<i64>,
    /// Whether the access time may go back.
    pub overwrite_access_time: Option<bool>,
    /// Whether it is in the UFS.
    pub persistence: Option<PersistenceState>,
    /// Whether its blocks must stay. Replay raises or clears the fewest copies of a file with it.
    pub pinned: Option<bool>,
    /// -1 for none.
    pub ttl_ms: Option<i64>,
    /// What happens then.
    pub ttl_action: Option<TtlAction>,
}

impl UpdateInode {
    /// An update of `id` that changes nothing yet.
    pub fn of(id: InodeId) -> UpdateInode {
        UpdateInode {
            id,
            owner: None,
            group: None,
            mode: None,
            modification_time_ms: None,
            overwrite_modification_time: None,
            access_time_ms: None,
            overwrite_access_time: None,
            persistence: None,
            pinned: None,
            ttl_ms: None,
            ttl_action: None,
        }
    }

    /// Whether nothing but times changes.
    pub fn is_of_times_only(&self) -> bool {
        let times = UpdateInode {
            modification_time_ms: self.modification_time_ms,
            overwrite_modification_time: self.overwrite_modification_time,
            access_time_ms: self.access_time_ms,
            overwrite_access_time: self.overwrite_access_time,
            ..UpdateInode::of(self.id)
        };
        *self == times
    }
}

/// `update_inode_directory` of 2.9. None leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateInodeDirectory {
    /// Which directory.
    pub id: InodeId,
    /// Whether another UFS begins here.
    pub mount_point: Option<bool>,
    /// Whether all its children in the UFS are known.
    pub direct_children_loaded: Option<bool>,
}

/// `update_inode_file` of 2.9. None, and no blocks, leave a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateInodeFile {
    /// Which file.
    pub id: InodeId,
    /// Bytes of every block but the last.
    pub block_size_bytes: Option<i64>,
    /// Bytes.
    pub length: Option<i64>,
    /// False while it is being written.
    pub completed: Option<bool>,
    /// Whether reads may leave copies in Alluxio.
    pub cacheable: Option<bool>,
    /// All its blocks: the first of its container, in order.
    pub blocks: Vec<BlockId>,
    /// Fewest copies.
    pub replication_min: Option<i32>,
    /// Most copies, -1 without limit.
    pub replication_max: Option<i32>,
    /// Where it was then.
    pub path: Option<AlluxioPath>,
}

impl UpdateInodeFile {
    /// An update of `id` that changes nothing yet.
    pub fn of(id: InodeId) -> UpdateInodeFile {
        UpdateInodeFile {
            id,
            block_size_bytes: None,
            length: None,
            completed: None,
            cacheable: None,
            blocks: Vec::new(),
            replication_min: None,
            replication_max: None,
            path: None,
        }
    }
}

/// `delete_file` of 2.9: one inode without children.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeleteFile {
    /// Which one.
    pub id: InodeId,
    /// When; the parent's times rise to it.
    pub op_time_ms: i64,
    /// Whether the UFS was left as it is.
    pub alluxio_only: bool,
    /// Where it was.
    pub path: AlluxioPath,
}

/// `rename` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rename {
    /// What is moved.
    pub id: InodeId,
    /// The directory that holds it from now on.
    pub new_parent: InodeId,
    /// Its name there.
    pub new_name: String,
    /// When; the times of both parents rise to it.
    pub op_time_ms: i64,
    /// Where it was.
    pub path: AlluxioPath,
    /// Where it is.
    pub new_path: AlluxioPath,
}

/// `add_mount_point` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AddMountPoint {
    /// Where the UFS begins in the namespace.
    pub path: AlluxioPath,
    /// Its URI.
    pub ufs_path: String,
    /// Whether nothing may be written below.
    pub read_only: bool,
    /// Whether all users may read and write there.
    pub shared: bool,
    /// What was set for this mount, by name.
    pub properties: Vec<(String, String)>,
    /// Id of the mount.
    pub mount_id: i64,
}

/// A change of UFS and namespace that was begun. Until it is settled, nothing else may change what it touches.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UfsIntent {
    /// What is moved, deleted, persisted or made; it has one open intent at most.
    pub inode: InodeId,
    /// Where it is.
    pub path: AlluxioPath,
    /// Where it is to be; none for a delete.
    pub new_path: Option<AlluxioPath>,
    /// What is to be put in its place in the UFS, when it is neither moved nor deleted but persisted: a URI.
    pub temporary: Option<String>,
    /// Which directory is made in the UFS, when it is none of these.
    pub make: Option<MakeInUfs>,
    /// When.
    pub op_time_ms: i64,
    /// What to keep for a repetition of the operation, once it is done.
    pub answer: Option<Answered>,
}

/// A directory that is made in a UFS.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum MakeInUfs {
    /// One that is made here afterwards.
    New(Box<InodeDirectory>),
    /// One that is here already, and persisted then: the inode of the intent.
    Existing,
}

impl UfsIntent {
    /// The directory that is not here before the intent is settled.
    pub fn new_directory(&self) -> Option<&InodeDirectory> {
        match &self.make {
            Some(MakeInUfs::New(directory)) => Some(directory),
            Some(MakeInUfs::Existing) | None => None,
        }
    }
}

/// Operations whose first answer is kept. The numbers are journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum AnsweredOperation {
    /// createDirectory
    CreateDirectory = 1,
    /// createFile
    CreateFile = 2,
    /// completeFile
    CompleteFile = 3,
    /// rename
    Rename = 4,
    /// delete
    Delete = 5,
    /// getNewBlockIdForFile
    NewBlock = 6,
}

impl AnsweredOperation {
    /// The operation of that number, if there is one.
    pub fn of_number(number: u32) -> Option<AnsweredOperation> {
        use AnsweredOperation::{CompleteFile, CreateDirectory, CreateFile, Delete, NewBlock, Rename};
        [CreateDirectory, CreateFile, CompleteFile, Rename, Delete, NewBlock].into_iter().find(|o| *o as u32 == number)
    }
}

/// The first answer to an operation that carried an operation id; the newest so many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Answered {
    /// The client's id.
    pub operation_id: OperationId,
    /// What was asked.
    pub operation: AnsweredOperation,
    /// Hash of the arguments, so that a reused id with other arguments is refused.
    pub arguments: u64,
    /// The inode that the answer shows, or the id of the new block; `InodeId::ROOT` when it shows none (the root is
    /// never an answer to these).
    pub inode: InodeId,
    /// When; older answers are forgotten by it.
    pub op_time_ms: i64,
}

/// Takes a directory and all below it out of the namespace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UnlinkTree {
    /// Its uppermost directory.
    pub id: InodeId,
    /// When; the parent's times rise to it.
    pub op_time_ms: i64,
    /// Where it was.
    pub path: AlluxioPath,
}

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
