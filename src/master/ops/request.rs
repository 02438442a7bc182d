//! What a client may ask, and what it is told.

use super::admin::AdminOperation;
use super::list_status::Part;
use super::request_attributes::{SetAcl, SetAttribute};
use super::request_tasks::{Expire, Expired, Leftover, PutInPlace, SchedulePersist, ToPersist, TooFewCopies};
use super::request_tree::{CommitBlock, CompleteFile, CreateDirectory, CreateFile, Delete, Free, NewBlock, Rename};
use super::request_ufs::UfsOperation;
use crate::journal::entry::{AddMountPoint, Entry};
use crate::master::state::MasterState;
use crate::master::worker_call::{WorkerAnswer, WorkerInfo};
pub use crate::types::Caller;
use crate::types::time::Millis;
use crate::types::{AlluxioPath, BlockId, BlockStatus, FileStatus, InodeId, OperationId};
use std::collections::BTreeMap;

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
    /// setAcl
    SetAcl(SetAcl),
    /// free
    Free(Free),
    /// What the end of a time to live asks for; no call of a client.
    Expire(Expire),
    /// When these were last read; no call of a client.
    Accessed(Vec<(InodeId, Millis)>),
    /// scheduleAsyncPersistence
    SchedulePersist(SchedulePersist),
    /// A file was written to the UFS, to a temporary place; no call of a client.
    PutInPlace(PutInPlace),
    /// getNewBlockIdForFile
    NewBlock(NewBlock),
    /// commitBlock, commitBlockInUfs
    CommitBlock(CommitBlock),
    /// What administrators set beside the namespace.
    Admin(AdminOperation),
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
            Operation::SetAcl(op) if op.recursive => vec![tree(&op.path)],
            Operation::SetAcl(op) => itself(&op.path),
            Operation::SetAttribute(op) => itself(&op.path),
            Operation::Accessed(_) | Operation::CommitBlock(_) | Operation::Admin(_) => Vec::new(),
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

/// What is told to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// What the path looks like.
    Status(Box<FileStatus>),
    /// What the paths look like.
    List(Part),
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
    /// What clients take as default, by path and name.
    PathProperties(BTreeMap<AlluxioPath, BTreeMap<String, String>>),
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
