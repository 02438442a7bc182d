//! Pure. Entries of first answers, kept for repetitions.

use crate::types::{InodeId, OperationId};

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
