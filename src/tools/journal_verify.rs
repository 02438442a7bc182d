//! `alluxio journal verify`: reads the whole journal, as a new master would, and says what is there. Changes nothing, and
//! cuts no writer off, so it may run beside masters that serve (not beside one with a local journal, which is locked).
//!
//! Each checkpoint was written by some master from its own state. Here it is compared with the state that the segments
//! give at the same record: a difference means that replicas were not equal. That the segments reach as far as was
//! acknowledged, the epoch node tells, which ZooKeeper or a file beside a local journal keeps.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use crate::conf::Conf;
use crate::election::{EpochNode, new_incarnation};
use crate::journal::chain::{Position, Record};
use crate::journal::chain_error::ChainError;
use crate::journal::entry::Corrupt;
use crate::journal::entry_codec;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{CheckpointId, Format, JournalStore, SegmentId, StoreError};
use crate::journal::tailer::{Ask, Tailer};
use crate::journal::witness::Witness;
use crate::master::outside::{self, Folder, OutsideError};
use crate::master::state::{CheckpointOrigin, MasterState};

/// How often a store that does not answer is asked again, and the pause before.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });

/// What is wrong with a journal, or why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The properties name no journal, or it is locked.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The folder holds no journal.
    #[error("the journal folder {folder} was never formatted: run bin/alluxio format")]
    NotFormatted {
        /// As configured.
        folder: String,
    },
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
    /// A checkpoint holds another state than the segments.
    #[error(
        "checkpoint {id} holds the state {theirs:016x}, but the segments give {ours:016x}: a master had another state"
    )]
    Differs {
        /// Which.
        id: CheckpointId,
        /// Digest of the state in the checkpoint.
        theirs: u64,
        /// Digest of the state of the segments.
        ours: u64,
    },
    /// A checkpoint of a record that the history does not have.
    #[error("checkpoint {id} is not on the history that the segments give, which ends at {end}")]
    OffChain {
        /// Which.
        id: CheckpointId,
        /// The last acknowledged record.
        end: Position,
    },
}

/// What a whole journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The folder as configured.
    pub folder: String,
    /// Id of the cluster.
    pub cluster_id: String,
    /// How many segments are there, and the newest epoch.
    pub segments: usize,
    /// Newest epoch.
    pub epoch: u64,
    /// Checkpoints that were compared with the segments.
    pub checkpoints: usize,
    /// The last record that the segments say was acknowledged.
    pub end: Position,
    /// The last record that the epoch node says was acknowledged, which is there; or why that was not compared.
    pub durable: Result<Position, String>,
    /// Digest of the state at `end`.
    pub digest: u64,
}

impl Report {
    /// Writes it for people, a line for each thing.
    ///
    /// # Errors
    /// The output.
    pub fn write(&self, output: &mut dyn Write) -> io::Result<()> {
        let Report { folder, cluster_id, segments, epoch, checkpoints, end, durable, digest } = self;
        writeln!(output, "journal {folder}")?;
        writeln!(output, "cluster {cluster_id}, newest epoch {epoch}, {segments} segments")?;
        writeln!(output, "{checkpoints} checkpoints, each equal to the segments")?;
        writeln!(output, "acknowledged up to record {end}, state {digest:016x}")?;
        match durable {
            Ok(durable) => {
                writeln!(output, "record {durable}, acknowledged according to the epoch node, is there")?;
                writeln!(output, "The journal is whole.")
            }
            Err(reason) => {
                writeln!(output, "the acknowledged end was not compared, because {reason}")?;
                writeln!(output, "What is there fits together; whether its end is missing is not known.")
            }
        }
    }
}

/// Reads the journal that the properties name, from its first record to the last that is acknowledged.
///
/// # Errors
/// What is wrong with it first, or why it cannot be read.
pub async fn run(conf: &Conf) -> Result<Report, VerifyError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Refuse)?;
    let folder = store.describe();
    let Some(format) =
        store.read_format().await.map_err(|source| VerifyError::Store { folder: folder.clone(), source })?
    else {
        return Err(VerifyError::NotFormatted { folder });
    };
    // Before the journal: masters that serve go on.
    let node = epoch_node(conf, &format).await?;
    verify(store.as_ref(), &format, node).await
}

/// What is kept of the end outside of the journal, or why it is not known.
async fn epoch_node(conf: &Conf, format: &Format) -> Result<Result<EpochNode, String>, OutsideError> {
    let latch = outside::latch(conf, &format.cluster_id, &outside::address(conf), &new_incarnation())?;
    let node = latch.read_epoch().await;
    latch.leave().await;
    Ok(match node {
        Ok(Some(node)) if node.value.epoch > 0 => Ok(node.value),
        Ok(_) => Err("there is no epoch node of this cluster".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

/// See [`run`]; `node` is the epoch node as it was before, or why it is not known.
///
/// # Errors
/// As [`run`].
pub async fn verify(
    store: &dyn JournalStore,
    format: &Format,
    node: Result<EpochNode, String>,
) -> Result<Report, VerifyError> {
    let folder = store.describe();
    let failed = |source| VerifyError::Store { folder: folder.clone(), source };
    let checkpoints = store.list().await.map_err(failed)?.checkpoints;
    let witness = node.as_ref().map(Witness::of).unwrap_or_default();
    let mut replay = Replay {
        state: MasterState::default(),
        at: Position::START,
        wanted: checkpoints.iter().copied().collect(),
        cluster_id: &format.cluster_id,
        witness,
    };
    let mut tailer = Tailer::new(Position::START, None);
    tailer.expect(witness);
    let mut segments = 0;
    let mut tries = 0;
    loop {
        let records = tailer.decided()?;
        // Without one, nothing was decided yet.
        let genesis = tailer.genesis().unwrap_or_default();
        for record in &records {
            replay.apply(store, record, genesis).await?;
        }
        let Some(ask) = tailer.asks().into_iter().next() else { break };
        let mut missing = None;
        match answer(store, &mut tailer, ask, &mut missing, &mut segments).await {
            // A length that is told but too short is asked for again and again: only what was read is progress.
            Ok(true) if matches!(ask, Ask::Read { .. }) => tries = 0,
            Ok(true) => {}
            _ if tries < TRIES => {
                tailer.failed(ask);
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Ok(false) => {
                return Err(missing.map_or(VerifyError::NoLength { ask }, |missing| VerifyError::NotListed { missing }));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    // What a master that takes over would miss, it names.
    tailer.takeover()?;
    let genesis = tailer.genesis().unwrap_or_default();
    let durable = node.and_then(|_| match witness.may_tell_of(genesis) {
        true => Ok(witness.durable),
        false => Err("the epoch node tells of a history before the last format".to_owned()),
    });
    let (end, epoch, digest) = (replay.at, tailer.highest_epoch(), replay.state.digest());
    for id in &replay.wanted {
        // Those of a history before the last format may not be deleted yet.
        let (_, origin) = replay.load(store, *id).await?;
        if origin.genesis == genesis {
            return Err(VerifyError::OffChain { id: *id, end });
        }
    }
    let checkpoints = checkpoints.len() - replay.wanted.len();
    let cluster_id = format.cluster_id.clone();
    Ok(Report { folder, cluster_id, segments, epoch, checkpoints, end, durable, digest })
}

/// Tells the tailer what it wants to know; false if the store cannot say, or its listing lacks the segment `missing`.
async fn answer(
    store: &dyn JournalStore,
    tailer: &mut Tailer,
    ask: Ask,
    missing: &mut Option<SegmentId>,
    segments: &mut usize,
) -> Result<bool, StoreError> {
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
        // Only who has claimed may cut a writer off (F10, F11).
        Ask::Recover(segment) => {
            tailer.not_recovered(segment);
            return Ok(false);
        }
    }
    Ok(true)
}

/// The state that the segments give.
struct Replay<'a> {
    state: MasterState,
    at: Position,
    /// Checkpoints not come to yet.
    wanted: BTreeSet<CheckpointId>,
    cluster_id: &'a str,
    /// What the epoch node tells, as far as that is known.
    witness: Witness,
}

impl Replay<'_> {
    /// Applies a record of the history `genesis`.
    async fn apply(&mut self, store: &dyn JournalStore, record: &Record, genesis: u64) -> Result<(), VerifyError> {
        let position = record.position;
        let corrupt = |source| VerifyError::Record { position, source };
        for entry in &entry_codec::decode_entries(&record.entries).map_err(corrupt)? {
            self.state.apply(entry).map_err(corrupt)?;
        }
        self.at = position;
        // One in the place of the acknowledged one must be that one.
        let durable = self.witness.durable;
        if self.witness.may_tell_of(genesis) && durable.sequence == position.sequence && durable != position {
            return Err(ChainError::OtherRecord { durable, found: position }.into());
        }
        let id = CheckpointId { sequence: position.sequence, hash: position.hash };
        if self.wanted.remove(&id) { self.compare(store, id).await } else { Ok(()) }
    }

    async fn compare(&self, store: &dyn JournalStore, id: CheckpointId) -> Result<(), VerifyError> {
        let (state, _) = self.load(store, id).await?;
        let (theirs, ours) = (state.digest(), self.state.digest());
        if theirs == ours { Ok(()) } else { Err(VerifyError::Differs { id, theirs, ours }) }
    }

    async fn load(
        &self,
        store: &dyn JournalStore,
        id: CheckpointId,
    ) -> Result<(MasterState, CheckpointOrigin), VerifyError> {
        let refused = |reason| VerifyError::Checkpoint { id, reason };
        let content = store.read_checkpoint(id).await.map_err(|error| refused(error.to_string()))?;
        let (state, origin) = MasterState::from_checkpoint(&content).map_err(|error| refused(error.to_string()))?;
        if origin.position != (Position { sequence: id.sequence, hash: id.hash })
            || origin.cluster_id != self.cluster_id
        {
            let CheckpointOrigin { position, cluster_id, .. } = origin;
            return Err(VerifyError::Misplaced { id, position, cluster_id });
        }
        Ok((state, origin))
    }
}

#[cfg(test)]
#[path = "journal_verify_tests.rs"]
mod tests;
