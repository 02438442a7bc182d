//! The longest history that a damaged journal still holds. Changes nothing.
//!
//! A record follows another one by the history hash, in whatever file it stands. So the history is taken up again behind
//! damage when a checkpoint of there can be loaded, or when another segment holds a copy. Where two records claim one
//! place, the one of the later segment counts, because whoever made that had read all that was answered before (F8);
//! and what a later segment has not taken over was never answered.

use std::collections::BTreeSet;

use super::journal_replay::{self, Placed, Writers};
use super::journal_scan::{self, Found, Scan};
use crate::journal::chain::{Base, Position, Record, SegmentHeader};
use crate::journal::codec::{self, Decoded, Frame};
use crate::journal::folder::{CheckpointId, JournalStore, Length, Listing, Recovery, SegmentId, StoreError};
use crate::journal::witness::Witness;
use crate::master::state::MasterState;
use crate::types::SequenceNumber;

/// How often it is asked for a length that is not known, and the pause before.
const TRIES: usize = 50;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(if cfg!(test) { 1 } else { 200 });
/// What is read at once of records that lie together.
const READ_BYTES: u64 = 4 << 20;

/// Why it is not known what a journal holds.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// The folder does not answer: that may pass, and is not taken for damage.
    #[error("cannot read the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// Nobody can tell how long a segment is.
    #[error("no DataNode tells the length of {segment} yet: try again when HDFS is well")]
    NoLength {
        /// Which.
        segment: SegmentId,
    },
    /// No file says which history this is.
    #[error("no segment and no checkpoint in {folder} can be read, and no epoch node tells of the journal")]
    Nothing {
        /// As configured.
        folder: String,
    },
}

/// What a checkpoint is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// It can be loaded.
    Sound,
    /// It is of a history before the last format.
    OtherHistory,
    /// It cannot be loaded, for this reason.
    Damaged(String),
}

/// What is there, and the best that can be made of it.
#[derive(Debug)]
pub struct Salvage {
    /// Number of the history.
    pub genesis: u64,
    /// The cluster that its newest segment names; none if no header can be read.
    pub cluster_id: Option<String>,
    /// All segments of the history, in order.
    pub scans: Vec<Scan>,
    /// Segments of histories before the last format.
    pub other_segments: Vec<SegmentId>,
    /// All checkpoints, in order.
    pub checkpoints: Vec<(CheckpointId, Worth)>,
    /// Segments that must have been there and are not listed.
    pub missing: BTreeSet<SegmentId>,
    /// Up to where nothing is missing since the first record, or since the oldest checkpoint of a collected journal.
    pub whole_to: Position,
    /// Whether the epoch node tells of this history.
    pub is_told: bool,
    /// The checkpoint that it begins with; none: the first record.
    pub begins_with: Option<CheckpointId>,
    /// Up to which record it reaches.
    pub end: Position,
    /// Where that record ends in a segment; none when only a checkpoint holds it.
    pub end_in: Option<Base>,
    /// The state there.
    pub state: MasterState,
    /// The record that does not fit the state, and so ends it, with the reason.
    pub misfit: Option<(Position, String)>,
    /// Highest record of which it is known that it was acknowledged.
    pub acknowledged: SequenceNumber,
    /// Highest record that was written, as far as that is seen.
    pub written: SequenceNumber,
    /// The record that the epoch node says was acknowledged, when another one stands in its place.
    pub contradicted: Option<Position>,
}

/// One way through what is there.
struct Path {
    begins_with: Option<CheckpointId>,
    start: Position,
    /// The records, each with the index of its scan.
    records: Vec<(usize, Found)>,
}

impl Path {
    fn end(&self) -> Position {
        self.records.last().map_or(self.start, |(_, found)| found.position)
    }

    /// Whether it goes through what was acknowledged, or begins behind that.
    fn agrees_with(&self, durable: Position) -> bool {
        let mut positions = [self.start].into_iter().chain(self.records.iter().map(|(_, found)| found.position));
        self.start.sequence > durable.sequence || positions.any(|at| at == durable)
    }
}

/// Reads all that is there.
///
/// # Errors
/// See [`SalvageError`].
pub async fn salvage(
    store: &dyn JournalStore,
    cluster_id: &str,
    witness: Witness,
    writers: Writers,
) -> Result<Salvage, SalvageError> {
    let failed = |source| SalvageError::Store { folder: store.describe(), source };
    let listing = store.list().await.map_err(failed)?;
    let mut scans = scan_all(store, &listing, writers).await?;
    let checkpoints = judge(store, &listing, cluster_id).await?;
    let genesis = genesis(&scans, &checkpoints, witness);
    let genesis = genesis.ok_or_else(|| SalvageError::Nothing { folder: store.describe() })?;
    let other_segments = take_others(&mut scans, genesis);
    let told = witness.may_tell_of(genesis).then_some(witness);
    let durable = told.map_or(Position::START, |witness| witness.durable);
    let usable = checkpoints.iter().filter(|(_, worth)| matches!(worth, Ok(Some(told)) if *told == genesis));
    let starts = usable.map(|(id, _)| Some(*id));
    let path = |begins_with: Option<CheckpointId>| {
        let start = begins_with.map_or(Position::START, CheckpointId::position);
        Path { begins_with, start, records: walk(&scans, start) }
    };
    let mut paths: Vec<Path> = [None].into_iter().chain(starts).map(path).collect();
    let whole_to = paths.iter().find(|path| !path.records.is_empty()).map_or(Position::START, Path::end);
    // The longest, of those the one that begins first: its records tell most.
    paths.sort_by_key(|path| (!path.agrees_with(durable), std::cmp::Reverse(path.end().sequence), path.start));
    let Replayed { path, state, end, misfit } =
        best(store, cluster_id, &scans, paths, durable).await.map_err(failed)?;
    let limits = limits(&scans);
    let marks = scans.iter().zip(&limits).map(|(scan, limit)| scan.mark.min(*limit));
    let known = marks.chain([durable.sequence]).max().unwrap_or_default();
    let last_of = |(scan, limit): (&Scan, &SequenceNumber)| scan.last().map(|last| last.sequence.min(*limit));
    let written = scans.iter().zip(&limits).filter_map(last_of).chain([known, end.sequence]).max().unwrap_or_default();
    let missing = missing(&scans, &listing, told, path.start);
    let place = |(at, found): &(usize, Found)| {
        let position = found.position;
        (position == end).then(|| Base { segment: scans[*at].segment, bytes: found.end(), position })
    };
    let newest = scans.iter().rev().find_map(|scan| scan.header.as_ref());
    Ok(Salvage {
        genesis,
        cluster_id: newest.map(|header| header.cluster_id.clone()),
        other_segments,
        checkpoints: checkpoints.into_iter().map(|(id, worth)| (id, worth_of(worth, genesis))).collect(),
        missing,
        whole_to,
        is_told: told.is_some_and(|witness| witness.genesis != 0),
        begins_with: path.begins_with,
        end,
        end_in: path.records.iter().rev().find_map(place),
        state,
        misfit,
        acknowledged: known,
        written,
        contradicted: Some(durable).filter(|durable| durable.sequence == end.sequence && *durable != end),
        scans,
    })
}

/// How long a segment is; who may be over is cut off.
///
/// # Errors
/// Nobody tells.
pub async fn length(store: &dyn JournalStore, segment: SegmentId, writers: Writers) -> Result<u64, SalvageError> {
    let failed = |source| SalvageError::Store { folder: store.describe(), source };
    for _ in 0..TRIES {
        match store.length(segment).await.map_err(failed)? {
            Length::Open(bytes) | Length::Closed(bytes) if writers == Writers::MayLive => return Ok(bytes),
            Length::Closed(bytes) => return Ok(bytes),
            Length::Unknown if writers == Writers::MayLive => {}
            // What could still be appended would not be seen.
            Length::Open(bytes) => {
                if store.recover(segment).await.map_err(failed)? == Recovery::Done {
                    return match store.length(segment).await.map_err(failed)? {
                        Length::Open(bytes) | Length::Closed(bytes) => Ok(bytes),
                        Length::Unknown => Ok(bytes),
                    };
                }
            }
            Length::Unknown => drop(store.recover(segment).await.map_err(failed)?),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(SalvageError::NoLength { segment })
}

/// The acknowledged records that follow `from`, as far as they are whole.
///
/// # Errors
/// See [`SalvageError`].
pub async fn records_after(
    store: &dyn JournalStore,
    witness: Witness,
    writers: Writers,
    from: Position,
) -> Result<Vec<Placed>, SalvageError> {
    let failed = |source| SalvageError::Store { folder: store.describe(), source };
    let listing = store.list().await.map_err(failed)?;
    let mut scans = scan_all(store, &listing, writers).await?;
    let Some(genesis) = genesis(&scans, &[], witness) else { return Ok(Vec::new()) };
    take_others(&mut scans, genesis);
    // The first segments may have been collected.
    let begins = scans.first().and_then(|scan| scan.header.as_ref()).map(SegmentHeader::start);
    let from = from.max(begins.unwrap_or_default());
    let durable = if witness.may_tell_of(genesis) { witness.durable } else { Position::START };
    let marks = scans.iter().zip(limits(&scans)).map(|(scan, limit)| scan.mark.min(limit));
    let acknowledged = marks.chain([durable.sequence]).max().unwrap_or_default();
    let mut placed = Vec::new();
    for (index, found) in
        walk(&scans, from).into_iter().take_while(|(_, found)| found.position.sequence <= acknowledged)
    {
        let segment = scans[index].segment;
        let frame = store.read(segment, found.offset, found.bytes).await.map_err(failed)?;
        let Decoded::Frame(Frame::Record(record), _) = codec::decode_alone(&frame) else { break };
        placed.push(Placed { segment, record });
    }
    Ok(placed)
}

async fn scan_all(store: &dyn JournalStore, listing: &Listing, writers: Writers) -> Result<Vec<Scan>, SalvageError> {
    let failed = |source| SalvageError::Store { folder: store.describe(), source };
    let mut scans = Vec::new();
    for segment in &listing.segments {
        let length = length(store, *segment, writers).await?;
        let content = journal_scan::read_around(store, *segment, length).await.map_err(failed)?;
        scans.push(journal_scan::scan(*segment, &content));
    }
    Ok(scans)
}

/// The genesis of a checkpoint that can be loaded; none if it is of another cluster or place; or why it cannot.
type Judged = (CheckpointId, Result<Option<u64>, String>);

async fn judge(store: &dyn JournalStore, listing: &Listing, cluster_id: &str) -> Result<Vec<Judged>, SalvageError> {
    let mut judged = Vec::new();
    for id in &listing.checkpoints {
        // One that cannot be read for now is not damaged.
        if let Err(source @ StoreError::Unavailable { .. }) = store.read_checkpoint(*id).await {
            return Err(SalvageError::Store { folder: store.describe(), source });
        }
        let loaded = journal_replay::load(store, *id, cluster_id).await;
        judged.push((*id, loaded.map(|(_, origin)| Some(origin.genesis)).map_err(|error| error.to_string())));
    }
    Ok(judged)
}

fn worth_of(judged: Result<Option<u64>, String>, genesis: u64) -> Worth {
    match judged {
        Ok(Some(told)) if told == genesis => Worth::Sound,
        Ok(_) => Worth::OtherHistory,
        Err(reason) => Worth::Damaged(reason),
    }
}

/// The history that the newest header tells of; without any header, the one that the epoch node or a checkpoint does.
fn genesis(scans: &[Scan], checkpoints: &[Judged], witness: Witness) -> Option<u64> {
    let of_header = scans.iter().rev().find_map(|scan| scan.header.as_ref()).map(|header| header.genesis);
    let of_checkpoint = || checkpoints.iter().rev().find_map(|(_, worth)| worth.as_ref().ok().copied().flatten());
    of_header.or_else(|| Some(witness.genesis).filter(|genesis| *genesis != 0)).or_else(of_checkpoint)
}

/// Takes out the segments of other histories: those whose headers say so, and all that are older than one of them or
/// than the beginning of this one.
fn take_others(scans: &mut Vec<Scan>, genesis: u64) -> Vec<SegmentId> {
    let foreign = |scan: &&Scan| scan.header.as_ref().is_some_and(|header| header.genesis != genesis);
    let first =
        |scan: &&Scan| scan.header.as_ref().is_some_and(|header| header.genesis == genesis && header.base.is_none());
    let after = scans.iter().filter(foreign).map(|scan| scan.segment.epoch + 1).max().unwrap_or(0);
    let from = scans.iter().filter(first).map(|scan| scan.segment.epoch).max().unwrap_or(0).max(after);
    let others = scans.iter().map(|scan| scan.segment).filter(|segment| segment.epoch < from).collect();
    scans.retain(|scan| scan.segment.epoch >= from);
    others
}

/// For each segment, the last record that a later one has taken over.
fn limits(scans: &[Scan]) -> Vec<SequenceNumber> {
    let mut limit = SequenceNumber(u64::MAX);
    let mut limits: Vec<SequenceNumber> = Vec::new();
    for scan in scans.iter().rev() {
        limits.push(limit);
        limit = scan.header.as_ref().map_or(limit, |header| header.through.min(limit));
    }
    limits.reverse();
    limits
}

/// The records that follow `start`, each with the index of its scan.
fn walk(scans: &[Scan], start: Position) -> Vec<(usize, Found)> {
    let limits = limits(scans);
    let runs = || scans.iter().flat_map(|scan| &scan.runs);
    let firsts: BTreeSet<SequenceNumber> =
        runs().filter_map(|run| run.records.first()).map(|found| found.position.sequence).collect();
    let (mut at, mut records) = (start, Vec::new());
    loop {
        let next = scans.iter().enumerate().rev().filter(|(index, _)| at.sequence < limits[*index]);
        let next = next.flat_map(|(index, scan)| scan.runs.iter().map(move |run| (index, run)));
        let Some((index, run, from)) =
            next.into_iter().find_map(|(index, run)| run.after(at).map(|from| (index, run, from)))
        else {
            return records;
        };
        // Up to where another run might go on.
        let rest = &run.records[from..];
        let same = rest[1..]
            .iter()
            .take_while(|found| found.position.sequence <= limits[index] && !firsts.contains(&found.position.sequence));
        records.extend(rest[..1].iter().chain(same).map(|found| (index, *found)));
        at = records.last().expect("one was found").1.position;
    }
}

struct Replayed {
    path: Path,
    state: MasterState,
    end: Position,
    misfit: Option<(Position, String)>,
}

/// The first of these paths, unless its records do not fit and another one leads on.
async fn best(
    store: &dyn JournalStore,
    cluster_id: &str,
    scans: &[Scan],
    paths: Vec<Path>,
    durable: Position,
) -> Result<Replayed, StoreError> {
    let mut best = None::<Replayed>;
    for path in paths {
        let is_better = best.as_ref().is_none_or(|best| {
            best.end.sequence < path.end().sequence && (path.agrees_with(durable) || !best.path.agrees_with(durable))
        });
        if is_better {
            let replayed = replay(store, cluster_id, scans, path).await?;
            best = best.filter(|best| best.end.sequence >= replayed.end.sequence).or(Some(replayed));
        }
    }
    Ok(best.expect("there is a way without any record"))
}

/// Applies the records of a path, as far as they fit.
async fn replay(
    store: &dyn JournalStore,
    cluster_id: &str,
    scans: &[Scan],
    mut path: Path,
) -> Result<Replayed, StoreError> {
    let mut misfit = None;
    loop {
        let mut state = match path.begins_with {
            None => MasterState::default(),
            // It was loaded before.
            Some(id) => match journal_replay::load(store, id, cluster_id).await {
                Ok((state, _)) => state,
                Err(error) => {
                    let object = id.to_string();
                    return Err(StoreError::Unavailable { operation: "read", object, reason: error.to_string() });
                }
            },
        };
        let Some((count, reason)) = apply_all(store, scans, &path.records, &mut state).await? else {
            let end = path.end();
            return Ok(Replayed { path, state, end, misfit });
        };
        // What did not fit may have been applied in part: once more, without it.
        misfit = Some((path.records[count].1.position, reason));
        path.records.truncate(count);
    }
}

/// Applies records; if one does not fit, its index and the reason.
async fn apply_all(
    store: &dyn JournalStore,
    scans: &[Scan],
    records: &[(usize, Found)],
    state: &mut MasterState,
) -> Result<Option<(usize, String)>, StoreError> {
    let mut done = 0;
    while let Some(&(index, first)) = records.get(done) {
        // Frames that lie together are read at once.
        let together = |(at, found): &&(usize, Found)| {
            *at == index && found.offset >= first.offset && found.end() - first.offset <= READ_BYTES
        };
        let part = &records[done..];
        let part = &part[..part.iter().take_while(together).count().max(1)];
        let to = part[part.len() - 1].1.end();
        let content = store.read(scans[index].segment, first.offset, to - first.offset).await?;
        for (_, found) in part {
            let frame = content.slice((found.offset - first.offset) as usize..(found.end() - first.offset) as usize);
            if let Err(reason) = apply(state, &frame) {
                return Ok(Some((done, reason)));
            }
            done += 1;
        }
    }
    Ok(None)
}

fn apply(state: &mut MasterState, frame: &bytes::Bytes) -> Result<(), String> {
    let record: Record = match codec::decode_alone(frame) {
        Decoded::Frame(Frame::Record(record), _) => record,
        _ => return Err("it is not what was read before".into()),
    };
    journal_replay::apply(state, &record).map_err(|error| {
        std::error::Error::source(&error).map_or_else(|| error.to_string(), |source| source.to_string())
    })
}

/// Segments that others name, or that the epoch node does, and that are not there. Those before the state that is begun
/// with were collected.
fn missing(scans: &[Scan], listing: &Listing, told: Option<Witness>, start: Position) -> BTreeSet<SegmentId> {
    let bases = scans.iter().filter_map(|scan| scan.header.as_ref()?.base);
    let needed = bases.filter(|base| base.position.sequence > start.sequence).map(|base| base.segment);
    let newest = told.and_then(|witness| witness.newest());
    needed.chain(newest).filter(|segment| !listing.segments.contains(segment)).collect()
}

#[cfg(test)]
#[path = "journal_salvage_tests.rs"]
mod tests;
