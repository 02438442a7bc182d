//! What a path looks like to a client.

use super::{AlluxioPath, BlockStatus, InodeExtras, InodeId};

/// Whether the content is also in the UFS. The texts are those of 2.9.6 and of its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum PersistenceState {
    /// In Alluxio only.
    NotPersisted,
    /// Waits to be written to the UFS.
    ToBePersisted,
    /// In the UFS.
    Persisted,
    /// A block has no copy left.
    Lost,
}

impl PersistenceState {
    /// The text that travels and is journaled.
    pub fn text(self) -> &'static str {
        match self {
            PersistenceState::NotPersisted => "NOT_PERSISTED",
            PersistenceState::ToBePersisted => "TO_BE_PERSISTED",
            PersistenceState::Persisted => "PERSISTED",
            PersistenceState::Lost => "LOST",
        }
    }

    /// The state of that text, if it is one.
    pub fn parse(text: &str) -> Option<PersistenceState> {
        [Self::NotPersisted, Self::ToBePersisted, Self::Persisted, Self::Lost].into_iter().find(|s| s.text() == text)
    }
}

/// What happens when the time to live ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum TtlAction {
    /// Deleted, in the UFS too.
    Delete,
    /// Its copies in Alluxio are dropped.
    Free,
    /// Deleted in Alluxio only.
    DeleteAlluxio,
}

/// What GetStatus and ListStatus answer for a path. Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatus {
    /// Id of the inode.
    pub id: InodeId,
    /// The whole path.
    pub path: AlluxioPath,
    /// Where it is, or would be, in the UFS.
    pub ufs_path: String,
    /// Bytes of a file; number of children of a directory (2.9.6).
    pub length: i64,
    /// 0 for a directory.
    pub block_size_bytes: i64,
    /// When it was created.
    pub creation_time_ms: i64,
    /// When its content, or its set of children, changed last.
    pub modification_time_ms: i64,
    /// When it was read last.
    pub access_time_ms: i64,
    /// Whether it is a directory.
    pub folder: bool,
    /// False while a file is being written.
    pub completed: bool,
    /// Whether reads may leave copies in Alluxio.
    pub cacheable: bool,
    /// Whether its blocks must stay.
    pub pinned: bool,
    /// Whether another UFS begins here.
    pub mount_point: bool,
    /// Which mount it belongs to; 1 is the root's.
    pub mount_id: i64,
    /// Owning user, "" when nobody is authenticated.
    pub owner: String,
    /// Owning group.
    pub group: String,
    /// Permission bits, 0 to 0o777.
    pub mode: u16,
    /// Whether it is in the UFS.
    pub persistence: PersistenceState,
    /// Milliseconds from creation; -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// Fewest copies wished.
    pub replication_min: i32,
    /// Most copies wished, -1 without limit.
    pub replication_max: i32,
    /// Blocks in order. Block `i` begins at byte `i` × block size.
    pub blocks: Vec<BlockStatus>,
    /// Part of the bytes that workers hold, in per cent.
    pub in_alluxio_percentage: i32,
    /// Part of the bytes that workers hold in memory, in per cent.
    pub in_memory_percentage: i32,
    /// What few have; none, or something in it.
    pub extras: Option<Box<InodeExtras>>,
}
