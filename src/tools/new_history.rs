//! A history that begins with a whole namespace: written by an import or a restore into a folder that holds none.
//!
//! A takeover as `format` is one (`format.rs`), with this between claim and release: FORMAT says that the folder is half
//! imported, so that no master starts on a part; segments of an ordinary history, each record acknowledged before the
//! next; a checkpoint at their end, so that the first start is fast; FORMAT as it was. Who dies in between leaves a folder
//! that masters refuse by name, and that `format` makes anew.

use super::format;
use super::takeover::{self, TakeoverError, Tool};
use crate::conf::Conf;
use crate::election::{EpochNode, Latch, new_incarnation};
use crate::journal::chain::{Base, Position, SegmentHeader};
use crate::journal::codec::{self, Decoded, FRAME_HEADER_BYTES, Frame};
use crate::journal::entry::{Corrupt, Entry};
use crate::journal::entry_codec;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{Format, JournalStore, Length, SegmentId, SegmentWriter, StoreError};
use crate::journal::folder_identity::{self, IdentityError};
use crate::master::outside::{self, Folder, OutsideError};
use crate::master::state::{CheckpointOrigin, MasterState};
use log::{info, warn};

/// A record is written when its entries have so many bytes.
const RECORD_BYTES: usize = 1 << 20;
/// Room that a header and a record without entries need.
const SLACK_BYTES: u64 = 4096;

/// Why no history was begun.
#[derive(Debug, thiserror::Error)]
pub enum NewHistoryError {
    /// The properties name no journal or no election.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The election, or another one who formats.
    #[error(transparent)]
    Takeover(#[from] TakeoverError),
    /// The folder cannot be used.
    #[error("cannot write the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The folder does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The folder holds a namespace.
    #[error(
        "the journal folder {folder} holds a namespace already ({what}), which would be lost. Give another folder, or, if \
         it is not needed any more, run bin/alluxio format first"
    )]
    NotEmpty {
        /// As configured.
        folder: String,
        /// What is in it.
        what: String,
    },
    /// What was to be written does not make a state.
    #[error("what was read does not make a namespace")]
    Corrupt(#[from] Corrupt),
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The last record.
    pub end: Position,
    /// How many segments.
    pub segments: u32,
    /// Digest of the state.
    pub digest: u64,
}

/// Refuses a folder that is not formatted or holds a namespace; changes nothing.
///
/// # Errors
/// As [`run`].
pub async fn check(conf: &Conf) -> Result<String, NewHistoryError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Make)?;
    usable(store.as_ref()).await?;
    Ok(store.describe())
}

/// Begins a history of these entries in the folder that the properties name.
///
/// # Errors
/// The folder holds a namespace or cannot be used, a master is running, or the entries make no state.
pub async fn run(conf: &Conf, entries: impl Iterator<Item = Entry>) -> Result<Begun, NewHistoryError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Make)?;
    let store = store.as_ref();
    let format = usable(store).await?;
    let incarnation = new_incarnation();
    let latch = outside::latch(conf, &format.cluster_id, &Tool::Format.address(conf), &incarnation)?;
    let outcome = take_over(conf, latch.as_ref(), store, &format, &incarnation, entries).await;
    latch.leave().await;
    outcome
}

async fn take_over(
    conf: &Conf,
    latch: &dyn Latch,
    store: &dyn JournalStore,
    format: &Format,
    incarnation: &str,
    entries: impl Iterator<Item = Entry>,
) -> Result<Begun, NewHistoryError> {
    let claimed = takeover::claim(conf, latch, store, incarnation).await?;
    // A master may have led meanwhile.
    usable(store).await?;
    let failed = failed(store);
    let genesis = rand::random();
    store.write_format(&Format { layout: Format::HALF_IMPORTED, ..format.clone() }).await.map_err(&failed)?;
    let (state, begun) = write(store, format, genesis, claimed.node.epoch, entries).await?;
    let origin = CheckpointOrigin { position: begun.end, genesis, cluster_id: format.cluster_id.clone() };
    store.write_checkpoint(begun.end.into(), incarnation, state.to_checkpoint(&origin)).await.map_err(&failed)?;
    store.write_format(format).await.map_err(&failed)?;
    let (durable_sequence, durable_hash) = (begun.end.sequence.0, begun.end.hash);
    let segments = begun.segments;
    let durable = EpochNode { segments, genesis, durable_sequence, durable_hash, ..EpochNode::default() };
    latch.release(claimed.version, &claimed.released(&durable)).await.map_err(TakeoverError::from)?;
    info!("began a history folder={} end={} segments={}", store.describe(), begun.end, begun.segments);
    if let Err(error) = format::delete(store, &claimed.before).await {
        // The new history stands; what is left of the old one is passed over.
        warn!("cannot delete what was there before folder={} reason={error}", store.describe());
    }
    Ok(begun)
}

/// The format of a folder that holds no namespace.
async fn usable(store: &dyn JournalStore) -> Result<Format, NewHistoryError> {
    let (failed, folder) = (failed(store), store.describe());
    let format = folder_identity::identify_readable(store).await?;
    let listing = store.list().await.map_err(&failed)?;
    let checkpoint = listing.checkpoints.last().map(ToString::to_string);
    let mut found = checkpoint;
    for segment in listing.segments {
        if found.is_none() && !is_bare(store, segment).await.map_err(&failed)? {
            found = Some(format!("{segment} has records, or cannot be read"));
        }
    }
    found.map_or(Ok(format), |what| Err(NewHistoryError::NotEmpty { folder, what }))
}

/// Whether there is nothing but its header in a segment.
async fn is_bare(store: &dyn JournalStore, segment: SegmentId) -> Result<bool, StoreError> {
    let bytes = match store.length(segment).await? {
        Length::Unknown => return Ok(false),
        Length::Open(bytes) | Length::Closed(bytes) => bytes,
    };
    if bytes > SLACK_BYTES {
        return Ok(false);
    }
    let content = if bytes == 0 { bytes::Bytes::new() } else { store.read(segment, 0, bytes).await? };
    Ok(match codec::decode(&content, Position::START) {
        Decoded::Frame(Frame::Header(_), length) => length as u64 == bytes,
        // Whoever made it has died before it could write anything.
        Decoded::Torn => true,
        Decoded::Frame(Frame::Record(_), _) | Decoded::Damaged(_) => false,
    })
}

fn failed(store: &dyn JournalStore) -> impl Fn(StoreError) -> NewHistoryError {
    let folder = store.describe();
    move |source| NewHistoryError::Store { folder: folder.clone(), source }
}

/// Writes the segments. Gives the state that they make.
async fn write(
    store: &dyn JournalStore,
    format: &Format,
    genesis: u64,
    epoch: u64,
    entries: impl Iterator<Item = Entry>,
) -> Result<(MasterState, Begun), NewHistoryError> {
    let failed = failed(store);
    let segment = SegmentId { epoch, index: 0 };
    let writer = store.create(segment).await.map_err(&failed)?;
    let mut out = Segments { store, format, genesis, segment, writer, bytes: 0, at: Position::START };
    out.begin(None).await.map_err(&failed)?;
    let mut state = MasterState::new();
    let mut record = Vec::new();
    for entry in entries {
        state.apply(&entry)?;
        record.extend(entry_codec::encode_entries(std::slice::from_ref(&entry)));
        if record.len() >= RECORD_BYTES {
            out.record(&std::mem::take(&mut record)).await.map_err(&failed)?;
        }
    }
    if !record.is_empty() {
        out.record(&record).await.map_err(&failed)?;
    }
    // Its mark says that all before it is acknowledged.
    out.append(&[]).await.map_err(&failed)?;
    out.writer.close().await.map_err(&failed)?;
    let begun = Begun { end: out.at, segments: out.segment.index + 1, digest: state.digest() };
    Ok((state, begun))
}

/// The segments of an epoch, one after the other.
struct Segments<'a> {
    store: &'a dyn JournalStore,
    format: &'a Format,
    genesis: u64,
    segment: SegmentId,
    writer: Box<dyn SegmentWriter>,
    /// Written to this segment.
    bytes: u64,
    at: Position,
}

impl Segments<'_> {
    async fn begin(&mut self, base: Option<Base>) -> Result<(), StoreError> {
        let header = SegmentHeader {
            cluster_id: self.format.cluster_id.clone(),
            genesis: self.genesis,
            segment: self.segment,
            base,
            through: self.at.sequence,
        };
        let mut bytes = Vec::new();
        codec::encode_header(&mut bytes, &header);
        self.bytes = bytes.len() as u64;
        self.writer.append(bytes.into()).await
    }

    async fn record(&mut self, entries: &[u8]) -> Result<(), StoreError> {
        let needed = (FRAME_HEADER_BYTES + entries.len()) as u64 + SLACK_BYTES;
        if self.writer.room_bytes() < needed {
            let base = Base { segment: self.segment, bytes: self.bytes, position: self.at };
            self.writer.close().await?;
            self.segment.index += 1;
            self.writer = self.store.create(self.segment).await?;
            self.begin(Some(base)).await?;
        }
        self.append(entries).await
    }

    async fn append(&mut self, entries: &[u8]) -> Result<(), StoreError> {
        let before = self.at;
        if !entries.is_empty() {
            self.at = before.after(entries);
        }
        let mut bytes = Vec::new();
        codec::encode_record(&mut bytes, self.segment.epoch, self.at, before.sequence, entries);
        self.bytes += bytes.len() as u64;
        self.writer.append(bytes.into()).await
    }
}

#[cfg(test)]
#[path = "new_history_tests.rs"]
mod tests;
