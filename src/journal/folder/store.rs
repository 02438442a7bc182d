//! What a journal folder needs of the storage below it.

use super::layout;
use crate::journal::chain::Position;
use crate::types::SequenceNumber;
use crate::types::time::Millis;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// Name of a segment. The order is that of the history: epoch, then index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// The epoch of its only writer.
    pub epoch: u64,
    /// Counted from 0 within the epoch.
    pub index: u32,
}

impl SegmentId {
    /// The segment of this name, as it is displayed.
    pub fn parse(name: &str) -> Option<SegmentId> {
        let (epoch, file) = name.strip_prefix(layout::EPOCHS)?.strip_prefix('/')?.split_once('/')?;
        layout::parse_segment(layout::parse_epoch(epoch)?, file)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epochs/{}/{}.log", self.epoch, self.index)
    }
}

/// Name of a checkpoint: the position that it holds the state of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckpointId {
    /// Sequence of the last record in it.
    pub sequence: SequenceNumber,
    /// History hash after that record.
    pub hash: u64,
}

impl From<Position> for CheckpointId {
    fn from(Position { sequence, hash }: Position) -> CheckpointId {
        CheckpointId { sequence, hash }
    }
}

impl CheckpointId {
    /// The position that it holds the state of.
    pub fn position(self) -> Position {
        Position { sequence: self.sequence, hash: self.hash }
    }
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoints/{:020}-{:016x}.ckpt", self.sequence.0, self.hash)
    }
}

/// The layout of folder and records that this program reads and writes.
pub const LAYOUT: u32 = 1;
/// The highest level of entry kinds that this program knows. A folder says which one may be written in it.
pub const FEATURE_LEVEL: u32 = 2;

/// The file FORMAT: says that the folder is a journal, which layout it has, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Layout of folder and records; this program writes 1, and [`Format::HALF_IMPORTED`] for a while.
    pub layout: u32,
    /// Highest level of entry kinds that may be written here; see [`FEATURE_LEVEL`].
    pub feature_level: u32,
    /// Random id of the cluster, for the life of the folder; names its nodes in ZooKeeper.
    pub cluster_id: String,
}

impl Format {
    /// The layout of a folder that an import or a copy is writing to: no master of any version may use it.
    pub const HALF_IMPORTED: u32 = 0;
}

/// What is in the folder, as one listing saw it. Not a snapshot: names may come and go meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// All segments, in order.
    pub segments: Vec<SegmentId>,
    /// All checkpoints with their final name, in order.
    pub checkpoints: Vec<CheckpointId>,
}

/// A file of the journal that has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JournalFile {
    /// A segment.
    Segment(SegmentId),
    /// A checkpoint.
    Checkpoint(CheckpointId),
}

impl fmt::Display for JournalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalFile::Segment(id) => id.fmt(f),
            JournalFile::Checkpoint(id) => id.fmt(f),
        }
    }
}

/// How much the folder takes, as one look saw it; for those who watch, nothing is decided by its files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of segments and checkpoints, also those half written; of a segment that is open at least some of them.
    pub bytes: u64,
    /// When the newest checkpoint was written, by the clock of the storage; none without one.
    pub checkpoint_at: Option<Millis>,
    /// Of the disk that the folder is on; none for a folder that is shared.
    pub room: Option<Room>,
}

impl Usage {
    /// How long ago the newest checkpoint was written; none without one. Clocks may differ, but it is in no future.
    pub fn checkpoint_age(&self, now: Millis) -> Option<Duration> {
        let written_at = self.checkpoint_at?;
        Some(Duration::from_millis(u64::try_from(now.0.saturating_sub(written_at.0)).unwrap_or(0)))
    }
}

/// How large a disk is, and what is free of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// All of it.
    pub total_bytes: u64,
    /// What a process that is not root may still take.
    pub free_bytes: u64,
}

/// How much of a segment can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Somebody may still append; at least this many bytes can be read now.
    Open(u64),
    /// The file is closed; it has this many bytes for ever.
    Closed(u64),
    /// Nobody can tell (F11). Never taken for "empty".
    Unknown,
}

/// Whether the writers of a segment are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nobody can append any more; the length is final.
    Done,
    /// Under way: ask again.
    InProgress,
}

/// What became of a checkpoint that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It stands under its name, read back and verified.
    New,
    /// Another master had written the same; ours was dropped.
    Existed,
}

/// How the storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is taken; the caller does not own it.
    #[error("{object} already exists")]
    Exists {
        /// File or folder.
        object: String,
    },
    /// No such file or folder.
    #[error("{object} does not exist")]
    NotFound {
        /// File or folder.
        object: String,
    },
    /// The storage refuses this user.
    #[error("no permission for {object}: {reason}")]
    Denied {
        /// File or folder.
        object: String,
        /// What the storage said.
        reason: String,
    },
    /// No room: disk, quota, or too few DataNodes.
    #[error("no space for {object}: {reason}")]
    Full {
        /// File or folder.
        object: String,
        /// What the storage said.
        reason: String,
    },
    /// What was read is not what was written.
    #[error("{object} is damaged at byte {offset}: {reason}")]
    Damaged {
        /// File.
        object: String,
        /// Where.
        offset: u64,
        /// What does not fit.
        reason: String,
    },
    /// Not reached, too late, or cut off. Whether the call took effect is not known.
    #[error("{operation} of {object} failed: {reason}")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// File, folder or server.
        object: String,
        /// What happened.
        reason: String,
    },
    /// The configuration cannot be used (address without port, unknown scheme).
    #[error("journal folder {folder}: {reason}")]
    Misconfigured {
        /// The folder as configured.
        folder: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// A journal folder. All implementations pass `store_suite.rs`. Every call ends within the store's own deadline.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// The folder as the operator wrote it, for messages.
    fn describe(&self) -> String;

    /// Reads FORMAT; none when the folder or the file is not there.
    async fn read_format(&self) -> Result<Option<Format>, StoreError>;

    /// Writes FORMAT, makes the folder when it is missing; an existing FORMAT is replaced in one step.
    async fn write_format(&self, format: &Format) -> Result<(), StoreError>;

    /// Whether this process can write segments here: makes a file among them in the same way, whose name carries
    /// `writer`, and deletes it.
    async fn probe(&self, writer: &str) -> Result<(), StoreError>;

    /// How many flushes of one segment may be under way at a time: more than one where that is faster.
    fn flights_max(&self) -> usize {
        1
    }

    /// Lists segments and checkpoints; a folder without them gives an empty listing.
    async fn list(&self) -> Result<Listing, StoreError>;

    /// How much the folder takes, and how much room there is.
    async fn usage(&self) -> Result<Usage, StoreError>;

    /// Creates a segment that did not exist (F6) and opens it for its only writer. Makes the folder of the epoch,
    /// never the journal folder itself. `Exists` when the name is taken by anybody; `Unavailable` when not known.
    async fn create(&self, segment: SegmentId) -> Result<Box<dyn SegmentWriter>, StoreError>;

    /// How many bytes of a segment can be read now, asked anew of those who know.
    async fn length(&self, segment: SegmentId) -> Result<Length, StoreError>;

    /// Reads exactly `bytes` bytes from `offset`, which `length` must have shown; verified by the storage's checksums.
    async fn read(&self, segment: SegmentId, offset: u64, bytes: u64) -> Result<Bytes, StoreError>;

    /// Cuts off whoever still appends (F10). To be repeated until `Done`.
    async fn recover(&self, segment: SegmentId) -> Result<Recovery, StoreError>;

    /// Deletes a segment, and the folder of its epoch when that becomes empty. A missing one is no error.
    async fn delete_segment(&self, segment: SegmentId) -> Result<(), StoreError>;

    /// Writes a checkpoint: temporary name that carries `writer` → close → read back and compare → rename
    /// without overwrite.
    async fn write_checkpoint(
        &self,
        id: CheckpointId,
        writer: &str,
        content: Vec<Bytes>,
    ) -> Result<Written, StoreError>;

    /// Reads a checkpoint whole.
    async fn read_checkpoint(&self, id: CheckpointId) -> Result<Bytes, StoreError>;

    /// Reads the first `bytes` bytes of a checkpoint, or all if it has fewer.
    async fn read_checkpoint_start(&self, id: CheckpointId, bytes: u64) -> Result<Bytes, StoreError>;

    /// Deletes a checkpoint. A missing one is no error.
    async fn delete_checkpoint(&self, id: CheckpointId) -> Result<(), StoreError>;

    /// Deletes what was to become a checkpoint up to `newest`, whoever wrote or still writes it.
    async fn delete_unfinished(&self, newest: SequenceNumber) -> Result<(), StoreError>;

    /// Moves a file, as it is and under its own name, into the folder `aside` of the journal folder, where nobody looks for
    /// it. `Exists` when there is one already: nothing is replaced.
    async fn set_aside(&self, file: JournalFile, aside: &str) -> Result<(), StoreError>;
}

/// The outcome of an append: `Ok` means durable as the store was configured (hsync, hflush, fdatasync). Late or failed
/// flushes are `Unavailable`: the bytes may be there, or appear later. To be waited for: giving up on it ends the segment.
pub type Flushed = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// The end of a segment that nobody waits for; see [`SegmentWriter::broken`].
pub type Broken = Pin<Box<dyn Future<Output = StoreError> + Send>>;

/// The open end of a segment. Any error ends the segment: nothing more may be appended to it.
#[async_trait]
pub trait SegmentWriter: Send {
    /// Sends bytes behind those sent before. What is returned says when they are flushed; its outcomes come in the order
    /// of sending. No more than [`JournalStore::flights_max`] may be waited for.
    async fn send(&mut self, bytes: Bytes) -> Flushed;

    /// Appends and flushes, while nothing else is under way; see [`Flushed`].
    async fn append(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.send(bytes).await.await
    }

    /// How many bytes more the segment can take.
    fn room_bytes(&self) -> u64;

    /// Why the segment takes nothing more, once that is so: told though nothing is sent, or, by default, with the next
    /// append only.
    fn broken(&self) -> Broken {
        Box::pin(std::future::pending())
    }

    /// Ends the file. Slow on HDFS: never on the path of a commit.
    async fn close(&mut self) -> Result<(), StoreError>;
}
