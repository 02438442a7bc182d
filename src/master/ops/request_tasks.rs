//! What the background work of the master asks, and what it is told.

use crate::types::{AlluxioPath, BlockId, FileStatus, InodeId};

/// scheduleAsyncPersistence
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePersist {
    /// The file.
    pub path: AlluxioPath,
    /// How long it is waited.
    pub wait_ms: i64,
    /// A file that is not complete is written when it is, instead of being refused.
    pub even_incomplete: bool,
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
