//! What may be asked of the namespace without changing it.

use super::Leftover;
use crate::types::time::Millis;
use crate::types::{AlluxioPath, BlockId, InodeId};

/// What a client wishes to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// getStatus
    GetStatus {
        /// The file or directory.
        path: AlluxioPath,
    },
    /// Whether the caller may do this to what the path names: what getStatus asks for who is about to read.
    CheckAccess {
        /// The file or directory.
        path: AlluxioPath,
        /// Permission bits: 4 read, 2 write, 1 execute.
        access: u16,
    },
    /// exists: as getStatus, but a missing path is an answer
    Exists {
        /// The file or directory.
        path: AlluxioPath,
    },
    /// listStatus: the children by name, or the file itself
    ListStatus {
        /// The file or directory.
        path: AlluxioPath,
        /// With all below it, parents first.
        recursive: bool,
    },
    /// Some of the children by name, for a page of them.
    ListPart {
        /// The directory.
        path: AlluxioPath,
        /// Without so many first ones.
        offset: usize,
        /// So many at most.
        limit: usize,
    },
    /// getBlockInfo
    BlockInfo {
        /// The block.
        block: BlockId,
    },
    /// getWorkerInfoList, getWorkerReport and what is made of them
    Workers,
    /// Those of the workers that have come so far, in safe mode, too.
    KnownWorkers,
    /// getPinnedFileIds: pinned files, and those that are to be persisted
    PinnedFiles,
    /// getFileInfo of a worker
    StatusOf {
        /// The file.
        id: InodeId,
    },
    /// What the time to live of has ended.
    Expired {
        /// The time.
        now: Millis,
        /// So many at most.
        limit: usize,
    },
    /// Files that the master is to have written to the UFS, by id.
    ToPersist {
        /// Those after this one.
        after: InodeId,
        /// The time.
        now: Millis,
        /// So many at most.
        limit: usize,
    },
    /// Files with fewer copies than is wished, by id.
    TooFewCopies {
        /// Those after this one.
        after: InodeId,
        /// So many at most.
        limit: usize,
    },
    /// Files of which workers hold something, by id, for a page of them.
    InAlluxio {
        /// Those after this one.
        after: InodeId,
        /// So many at most.
        limit: usize,
    },
    /// Which of these nobody needs.
    Leftovers(Vec<Leftover>),
    /// getUfsInfo
    Ufs {
        /// The mount.
        mount_id: i64,
    },
    /// getMountTable
    MountTable,
    /// What clients take as default for paths (2.9 getConfiguration).
    PathProperties,
}
