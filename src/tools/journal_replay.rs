//! A whole journal, read in order as a new master reads it: the records that were acknowledged, from the first that is
//! still there to the last. Changes nothing.
//!
//! A folder whose oldest segments were collected begins with the state of a checkpoint: the oldest one from which the
//! segments can be followed.

use std::time::Duration;

use crate::journal::chain::{Position, Record};
use crate::journal::chain_error::ChainError;
use crate::journal::entry::Corrupt;
use crate::journal::entry_codec;
use crate::journal::folder::{CheckpointId, JournalStore, Recovery, SegmentId, StoreError};
use crate::journal::tailer::{Ask, Tailer};
use crate::journal::witness::Witness;
use crate::master::state::{CheckpointOrigin, MasterState};

/// How often a store that does not answer is asked again, and the pause before.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });

/// Why a journal cannot be read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The folder does not answer.
    #[error("cannot read the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// Nobody can tell how long a segment is.
    #[error("no DataNode tells the length of a segment yet ({ask:?}): try again when HDFS is well")]
    NoLength {
        /// What was asked.
        ask: Ask,
    },
    /// The newest segment is gone, or listings are stale.
    #[error("the folder does not list {missing}, which exists for certain, and no later segment is whole")]
    NotListed {
        /// As the epoch node has it, or an earlier listing.
        missing: SegmentId,
    },
    /// The segments form no history.
    #[error("the journal is damaged")]
    Chain(#[from] ChainError),
    /// A record that cannot be applied.
    #[error("the journal is damaged: record {position} does not fit")]
    Record {
        /// Which.
        position: Position,
        /// Why not.
        #[source]
        source: Corrupt,
    },
    /// A checkpoint cannot be loaded.
    #[error("checkpoint {id} cannot be loaded: {reason}")]
    Checkpoint {
        /// Which.
        id: CheckpointId,
        /// Why not.
        reason: String,
    },
    /// A checkpoint that was written for another place.
    #[error("checkpoint {id} says that it is of record {position} of the cluster {cluster_id}")]
    Misplaced {
        /// Its name.
        id: CheckpointId,
        /// The record of its content.
        position: Position,
        /// The cluster of its content.
        cluster_id: String,
    },
}

/// Whether somebody may still append to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Masters may run: none is cut off, though a length may remain unknown for that (F11).
    MayLive,
    /// We hold the lock of a local folder, or have claimed the epoch: whoever is left is cut off where that is needed (F10).
    AreOver,
}

/// Where a journal begins.
#[derive(Debug)]
pub struct Beginning {
    /// The state there: empty, or that of the checkpoint.
    pub state: MasterState,
    /// The last record in it.
    pub position: Position,
    /// The checkpoint, when the first segments are gone.
    pub checkpoint: Option<CheckpointId>,
}

/// A record, and the segment that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The segment.
    pub segment: SegmentId,
    /// The record; always with entries.
    pub record: Record,
}

/// A journal that is being read.
pub struct Replay<'a> {
    store: &'a dyn JournalStore,
    tailer: Tailer,
    writers: Writers,
    /// All that is acknowledged was given away.
    is_over: bool,
    /// Read, and not given away yet.
    ahead: Vec<Placed>,
    segments: usize,
    tries: usize,
}

impl<'a> Replay<'a> {
    /// Begins at the first record, or at the oldest checkpoint of the cluster from which the segments can be followed.
    /// `witness` is what the epoch node tells, as far as that is known.
    ///
    /// # Errors
    /// Why it cannot begin. Segments that are missing among others were not collected, and are an error.
    pub async fn begin(
        store: &'a dyn JournalStore,
        cluster_id: &str,
        witness: Witness,
        writers: Writers,
    ) -> Result<(Replay<'a>, Beginning), ReplayError> {
        let from = async |position, genesis| {
            let mut tailer = Tailer::new(position, genesis);
            tailer.expect(witness);
            let mut replay =
                Replay { store, tailer, writers, is_over: false, ahead: Vec::new(), segments: 0, tries: 0 };
            replay.ahead = replay.next().await?;
            Ok(replay)
        };
        let missing = match from(Position::START, None).await {
            Ok(replay) => {
                let beginning =
                    Beginning { state: MasterState::default(), position: Position::START, checkpoint: None };
                return Ok((replay, beginning));
            }
            Err(ReplayError::Chain(missing @ ChainError::Missing { .. })) => missing,
            Err(error) => return Err(error),
        };
        let listing = store.list().await.map_err(failed(store))?;
        let mut first_error = None;
        for id in listing.checkpoints.into_iter().filter(|_| is_collected(&missing, &listing.segments)) {
            let (state, origin) = match load(store, id, cluster_id).await {
                Ok(loaded) => loaded,
                Err(error) => {
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            match from(origin.position, Some(origin.genesis)).await {
                Ok(replay) => {
                    let beginning = Beginning { state, position: origin.position, checkpoint: Some(id) };
                    return Ok((replay, beginning));
                }
                // Of a history before the last format, or older than the first segment that is left.
                Err(ReplayError::Chain(ChainError::Foreign { .. } | ChainError::Missing { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or(missing.into()))
    }

    /// The records that follow, in order; none at the end of what is acknowledged.
    ///
    /// # Errors
    /// Why it cannot be read any further; final.
    pub async fn next(&mut self) -> Result<Vec<Placed>, ReplayError> {
        if !self.ahead.is_empty() {
            return Ok(std::mem::take(&mut self.ahead));
        }
        loop {
            let decided = self.tailer.decided_in_segments()?;
            if !decided.is_empty() {
                return Ok(decided.into_iter().map(|(segment, record)| Placed { segment, record }).collect());
            }
            let Some(ask) = self.tailer.asks().into_iter().next() else { return self.tail() };
            self.tell(ask).await?;
        }
    }

    /// What no mark covers yet, and the epoch node says was acknowledged: the last records before a master ended.
    fn tail(&mut self) -> Result<Vec<Placed>, ReplayError> {
        let (Some(takeover), Some(segment)) = (self.tailer.takeover()?, self.tailer.tip()) else {
            return Ok(Vec::new());
        };
        let witness = self.tailer.witness();
        if std::mem::replace(&mut self.is_over, true) || !witness.may_tell_of(takeover.genesis) {
            return Ok(Vec::new());
        }
        let (from, to) = (self.tailer.applied().sequence, witness.durable.sequence);
        let records = takeover.copies.into_iter().filter(|record| record.position.sequence > from);
        let records = records.take_while(|record| record.position.sequence <= to);
        Ok(records.map(|record| Placed { segment, record }).collect())
    }

    /// Tells the tailer what it wants to know, or waits before it is asked again.
    async fn tell(&mut self, ask: Ask) -> Result<(), ReplayError> {
        let mut missing = None;
        match self.answer(ask, &mut missing).await {
            // A length that is told but too short is asked for again and again: only what was read is progress.
            Ok(true) if matches!(ask, Ask::Read { .. }) => self.tries = 0,
            Ok(true) => {}
            _ if self.tries < TRIES => {
                self.tailer.failed(ask);
                self.tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Ok(false) => {
                return Err(missing.map_or(ReplayError::NoLength { ask }, |missing| ReplayError::NotListed { missing }));
            }
            Err(error) => return Err(failed(self.store)(error)),
        }
        Ok(())
    }

    /// False if the store cannot say, or its listing lacks the segment `missing`.
    async fn answer(&mut self, ask: Ask, missing: &mut Option<SegmentId>) -> Result<bool, StoreError> {
        let Replay { store, tailer, writers, segments, .. } = self;
        match ask {
            Ask::List => {
                let listed = store.list().await?.segments;
                *segments = listed.len();
                *missing = tailer.listed(&listed);
                return Ok(missing.is_none());
            }
            Ask::Length(segment) => tailer.length(segment, store.length(segment).await?),
            Ask::Read { segment, offset, bytes } => {
                tailer.bytes(segment, offset, &store.read(segment, offset, bytes).await?);
            }
            Ask::Recover(segment) => {
                let over = *writers == Writers::AreOver && store.recover(segment).await? == Recovery::Done;
                if !over {
                    tailer.not_recovered(segment);
                    return Ok(false);
                }
                tailer.recovered(segment);
            }
        }
        Ok(true)
    }

    /// Whether a master could take over at the end: names what it would miss.
    ///
    /// # Errors
    /// What the epoch node knows and the journal does not have.
    pub fn finish(&self) -> Result<(), ReplayError> {
        self.tailer.takeover()?;
        Ok(())
    }

    /// The records after `at` that are not known to be acknowledged, and that a master which takes over goes on from.
    ///
    /// # Errors
    /// As [`Replay::finish`].
    pub fn behind(&self, at: Position) -> Result<Vec<Record>, ReplayError> {
        let copies = self.tailer.takeover()?.map_or_else(Vec::new, |takeover| takeover.copies);
        Ok(copies.into_iter().filter(|record| record.position.sequence > at.sequence).collect())
    }

    /// Number of the history; none before the first segment was read.
    pub fn genesis(&self) -> Option<u64> {
        self.tailer.genesis()
    }

    /// The cluster that the newest segment of the chain names.
    pub fn cluster_id(&self) -> Option<&str> {
        self.tailer.cluster_id()
    }

    /// How many segments are listed.
    pub fn segments(&self) -> usize {
        self.segments
    }

    /// The newest epoch.
    pub fn highest_epoch(&self) -> u64 {
        self.tailer.highest_epoch()
    }
}

/// Applies the entries of a record.
///
/// # Errors
/// They do not fit the state.
pub fn apply(state: &mut MasterState, record: &Record) -> Result<(), ReplayError> {
    let position = record.position;
    let corrupt = |source| ReplayError::Record { position, source };
    let entries = entry_codec::decode_entries(&record.entries).map_err(corrupt)?;
    entries.iter().try_for_each(|entry| state.apply(entry)).map_err(corrupt)
}

/// Loads a checkpoint of the cluster `cluster_id`.
///
/// # Errors
/// It cannot be read, or is another one than its name says.
pub async fn load(
    store: &dyn JournalStore,
    id: CheckpointId,
    cluster_id: &str,
) -> Result<(MasterState, CheckpointOrigin), ReplayError> {
    let refused = |reason| ReplayError::Checkpoint { id, reason };
    let content = store.read_checkpoint(id).await.map_err(|error| refused(error.to_string()))?;
    let (state, origin) = MasterState::from_checkpoint(&content).map_err(|error| refused(error.to_string()))?;
    if origin.position != id.position() || origin.cluster_id != cluster_id {
        let CheckpointOrigin { position, cluster_id, .. } = origin;
        return Err(ReplayError::Misplaced { id, position, cluster_id });
    }
    Ok((state, origin))
}

/// Collection deletes the oldest segments: nothing is left before the one that is missing.
fn is_collected(missing: &ChainError, listed: &[SegmentId]) -> bool {
    let ChainError::Missing { missing, .. } = missing else { return false };
    listed.iter().all(|segment| segment > missing)
}

fn failed(store: &dyn JournalStore) -> impl FnOnce(StoreError) -> ReplayError + use<> {
    let folder = store.describe();
    move |source| ReplayError::Store { folder, source }
}

#[cfg(test)]
#[path = "journal_replay_tests.rs"]
mod tests;
