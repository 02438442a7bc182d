//! Ids as newtypes, so that one cannot stand for another.

use std::fmt;

/// Id of an inode: a directory's is its container's number << 24 | sequence, a file's its container << 24 | 0xFFFFFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct InodeId(pub i64);

impl InodeId {
    /// The root directory.
    pub const ROOT: InodeId = InodeId(0);
    /// What stands as the parent of the root (2.9.6).
    pub const NONE: InodeId = InodeId(-1);
    /// Sequence part that marks a file among the ids of its container.
    pub const FILE_SEQUENCE: i64 = 0xFF_FFFF;

    /// The id of the file whose blocks live in `container`.
    pub fn of_file(container: i64) -> InodeId {
        InodeId(container << 24 | Self::FILE_SEQUENCE)
    }

    /// The id of the directory `sequence` of `container`.
    pub fn of_directory(container: i64, sequence: i64) -> InodeId {
        InodeId(container << 24 | sequence)
    }

    /// The container part, 40 bits.
    pub fn container(self) -> i64 {
        self.0 >> 24
    }
}

/// Id of a block: container << 24 | index of the block in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct BlockId(pub i64);

impl BlockId {
    /// Block `index` of the file whose container is `container`.
    pub fn of(container: i64, index: i64) -> BlockId {
        BlockId(container << 24 | index)
    }

    /// The container part: that of the file it belongs to.
    pub fn container(self) -> i64 {
        self.0 >> 24
    }

    /// Which block of its file it is, counted from 0.
    pub fn index(self) -> i64 {
        self.0 & InodeId::FILE_SEQUENCE
    }

    /// The file that it belongs to.
    pub fn file(self) -> InodeId {
        InodeId::of_file(self.container())
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a record of the journal, counted from 1 over all epochs; 0 is "before the first".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SequenceNumber(pub u64);

impl SequenceNumber {
    /// The number after this one.
    pub fn next(self) -> SequenceNumber {
        SequenceNumber(self.0 + 1)
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for InodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client gives to an operation so that a repetition is recognised: the two halves of a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct OperationId {
    /// Most significant 64 bits.
    pub high: u64,
    /// Least significant 64 bits.
    pub low: u64,
}
