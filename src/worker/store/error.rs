//! Why the store cannot do something.

use crate::types::{BlockId, ErrorKind, FsError};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not here.
    // Compatible: 2.9 BLOCK_META_NOT_FOUND.
    #[error("BlockMeta not found for blockId {}", .0.0)]
    NoBlock(BlockId),
    /// It is here.
    // Compatible: 2.9 ADD_EXISTING_BLOCK, without the place.
    #[error("blockId {} exists in this worker", .0.0)]
    Exists(BlockId),
    /// Another session writes it.
    // Compatible: 2.9 TEMP_BLOCK_ID_EXISTS.
    #[error("Temp blockId {} is not available, because it already exists", .0.0)]
    Writing(BlockId),
    /// Nothing that may be evicted makes enough room.
    #[error(
        "Not enough space left on worker {worker} to store blockId {}: {bytes} more bytes are needed, {used} of {capacity} \
         are used, and no more may be evicted (blocks that are read, pinned or not in the under store stay)", .block.0
    )]
    NoRoom {
        /// The host of the worker.
        worker: String,
        /// The block.
        block: BlockId,
        /// Bytes wished.
        bytes: u64,
        /// Bytes used in all directories.
        used: u64,
        /// Bytes that all directories may hold.
        capacity: u64,
    },
    /// The file system refused.
    #[error("cannot {what} {path}: {reason}")]
    File {
        /// What was to be done.
        what: &'static str,
        /// With which file.
        path: String,
        /// Why it was not; part of the text, because clients see nothing else.
        reason: std::io::Error,
    },
}

impl StoreError {
    /// A failure of the file system.
    pub fn file(what: &'static str, path: &std::path::Path, reason: std::io::Error) -> StoreError {
        StoreError::File { what, path: path.display().to_string(), reason }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            StoreError::NoBlock(_) => ErrorKind::NotFound,
            StoreError::Exists(_) | StoreError::Writing(_) => ErrorKind::AlreadyExists,
            StoreError::NoRoom { .. } => ErrorKind::ResourceExhausted,
            StoreError::File { reason, .. } => match reason.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::ResourceExhausted,
                _ => ErrorKind::Internal,
            },
        }
    }
}

impl From<StoreError> for FsError {
    fn from(error: StoreError) -> FsError {
        FsError::new(error.kind(), error.to_string())
    }
}
