//! What a client may ask, and what it is told.

use super::request_ufs::UfsOperation;
use crate::journal::entry::{AddMountPoint, Entry};
use crate::master::state::MasterState;
use crate::master::worker_call::{Place, WorkerAnswer, WorkerInfo};
pub use crate::types::Caller;
use crate::types::{AlluxioPath, BlockId, BlockStatus, FileStatus, InodeId, OperationId, TtlAction, WorkerId};

/// A change that a client wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// Makes a repetition recognisable.
    pub operation_id: Option<OperationId>,
    /// What is asked.
    pub operation: Operation,
}

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

/// The changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// createDirectory
    CreateDirectory(CreateDirectory),
    /// createFile
    CreateFile(CreateFile),
    /// completeFile
    CompleteFile(CompleteFile),
    /// rename
    Rename(Rename),
    /// delete
    Delete(Delete),
    /// setAttribute: mode, owner, group
    SetAttribute(SetAttribute),
    /// free
    Free(Free),
    /// What the end of a time to live asks for; no call of a client.
    Expire(Expire),
    /// scheduleAsyncPersistence
    SchedulePersist(SchedulePersist),
    /// A file was written to the UFS, to a temporary place; no call of a client.
    PutInPlace(PutInPlace),
    /// getNewBlockIdForFile
    NewBlock(NewBlock),
    /// commitBlock, commitBlockInUfs
    CommitBlock(CommitBlock),
    /// What goes with something seen or done in a UFS.
    Ufs(UfsOperation),
}

impl Operation {
    /// What the operation changes, and how far below.
    pub(in crate::master) fn touches(&self, state: &MasterState) -> Vec<(AlluxioPath, Extent)> {
        let itself = |path: &AlluxioPath| vec![(path.clone(), Extent::Itself)];
        let tree = |path: &AlluxioPath| (path.clone(), Extent::Tree);
        match self {
            Operation::CreateDirectory(op) => itself(&op.path),
            Operation::CreateFile(op) => itself(&op.path),
            Operation::CompleteFile(op) => itself(&op.path),
            Operation::NewBlock(op) => itself(&op.path),
            Operation::Free(op) => itself(&op.path),
            Operation::SchedulePersist(op) => itself(&op.path),
            Operation::PutInPlace(op) => itself(&op.path),
            Operation::Rename(op) => vec![tree(&op.source), tree(&op.target)],
            Operation::Delete(op) => vec![tree(&op.path)],
            Operation::Expire(op) => state.path_of(op.id).iter().map(tree).collect(),
            Operation::SetAttribute(op) if op.recursive => vec![tree(&op.path)],
            Operation::SetAttribute(op) => itself(&op.path),
            Operation::CommitBlock(_) => Vec::new(),
            Operation::Ufs(op) => op.touches(state),
        }
    }
}

/// How far below a path an operation reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What the path names.
    Itself,
    /// And all below it.
    Tree,
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

/// scheduleAsyncPersistence
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePersist {
    /// The file.
    pub path: AlluxioPath,
    /// How long it is waited.
    pub wait_ms: i64,
}

/// Puts what was written to the UFS in the place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutInPlace {
    /// The file.
    pub id: InodeId,
    /// Where it was when it was read.
    pub path: AlluxioPath,
    /// URI of what was written.
    pub temporary: String,
    /// Bytes that were written.
    pub length: i64,
}

/// A file that the master is to have written to the UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToPersist {
    /// The file.
    pub status: FileStatus,
    /// URI of the folder for what is being written, in the same UFS.
    pub temporary_folder: String,
}

/// A file with blocks of which there are too few copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooFewCopies {
    /// The file.
    pub status: FileStatus,
    /// How many copies of each block there should be at least.
    pub copies: usize,
}

/// What lies in a UFS beside the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// A file that is, or was, being persisted: its URI.
    Temporary(String),
    /// A block that no worker could keep.
    Block {
        /// Which.
        id: BlockId,
        /// Where.
        uri: String,
    },
}

impl Leftover {
    /// Where it is.
    pub fn uri(&self) -> &str {
        match self {
            Leftover::Temporary(uri) | Leftover::Block { uri, .. } => uri,
        }
    }
}

/// What the end of a time to live asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expire {
    /// Whose it is.
    pub id: InodeId,
}

/// An inode whose time to live has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Its id.
    pub id: InodeId,
    /// Where it is.
    pub path: AlluxioPath,
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
}

/// setAttribute
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAttribute {
    /// The file or directory.
    pub path: AlluxioPath,
    /// With all below it.
    pub recursive: bool,
    /// New permission bits.
    pub mode: Option<u16>,
    /// New owner.
    pub owner: Option<String>,
    /// New group.
    pub group: Option<String>,
    /// Groups of the new owner, looked up before the request reaches the driver. None: not to be compared, because
    /// not both owner and group are set, or because users are not mapped to groups.
    pub owner_groups: Option<Vec<String>>,
    /// Whether copies must stay.
    pub pinned: Option<bool>,
    /// New time to live, -1 for none.
    pub ttl_ms: Option<i64>,
    /// What happens then.
    pub ttl_action: Option<TtlAction>,
    /// Fewest copies.
    pub replication_min: Option<i32>,
    /// Most copies, -1 without limit.
    pub replication_max: Option<i32>,
    /// The file is in the UFS now.
    pub persisted: bool,
}

impl SetAttribute {
    /// A request that changes nothing of this path yet.
    pub fn of(path: AlluxioPath) -> SetAttribute {
        SetAttribute {
            path,
            recursive: false,
            mode: None,
            owner: None,
            group: None,
            owner_groups: None,
            pinned: None,
            ttl_ms: None,
            ttl_action: None,
            replication_min: None,
            replication_max: None,
            persisted: false,
        }
    }

    /// Fewest and most copies, when one of them changes.
    pub(super) fn replication(&self) -> Option<(Option<i32>, Option<i32>)> {
        let both = (self.replication_min, self.replication_max);
        (both != (None, None)).then_some(both)
    }
}

/// What is told to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// What the path looks like.
    Status(Box<FileStatus>),
    /// What the paths look like.
    List(Vec<FileStatus>),
    /// Yes or no.
    Exists(bool),
    /// The first so many of the paths that are gone were taken out of the namespace; the intent is open still.
    Gone(usize),
    /// It is done, and workers are to drop their copies of these blocks.
    Freed(Vec<BlockId>),
    /// Files that the master is to have written to the UFS.
    ToPersist {
        /// The files.
        files: Vec<ToPersist>,
        /// After this one there may be more.
        last: Option<InodeId>,
    },
    /// Files with fewer copies than is wished.
    TooFewCopies {
        /// The files.
        files: Vec<TooFewCopies>,
        /// After this one there may be more.
        last: Option<InodeId>,
    },
    /// Files of which workers hold something.
    InAlluxio {
        /// The files.
        files: Vec<FileStatus>,
        /// After this one there may be more.
        last: Option<InodeId>,
    },
    /// What nobody needs.
    Leftovers(Vec<Leftover>),
    /// Inodes whose time to live has ended.
    Expired(Vec<Expired>),
    /// The id of a new block.
    NewBlock(BlockId),
    /// A block and its copies.
    Block(BlockStatus),
    /// All workers, lost ones too.
    Workers(Vec<WorkerInfo>),
    /// Ids of files.
    Files(Vec<InodeId>),
    /// A mount, if there is such a one.
    Ufs(Option<Box<AddMountPoint>>),
    /// What a worker is told.
    Worker(WorkerAnswer),
    /// All mounts, that of the root first.
    Mounts(Vec<AddMountPoint>),
    /// A change of the UFS may begin; the intent is that of this inode.
    Begun(InodeId),
}

/// What is to be journaled for a request, and what is then answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// All or none of them. None: the request changes nothing.
    pub entries: Vec<Entry>,
    /// The answer once they are durable.
    pub answer: Answer,
}

impl Decision {
    /// Nothing is to be changed, and that is what was asked for.
    pub fn done() -> Decision {
        Decision { entries: Vec::new(), answer: Answer::Done }
    }
}
