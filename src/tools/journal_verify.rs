//! `alluxio journal verify`: reads the whole journal, as a new master would, and says what is there. Changes nothing, and
//! cuts no writer off, so it may run beside masters that serve (not beside one with a local journal, which is locked).
//!
//! Each checkpoint was written by some master from its own state. Here it is compared with the state that the segments
//! give at the same record: a difference means that replicas were not equal. When the first segments were collected, the
//! state of the oldest checkpoint from which they can be followed is where the comparison begins. That the segments reach
//! as far as was acknowledged, the epoch node tells, which ZooKeeper or a file beside a local journal keeps.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::journal_replay::{self, Beginning, Replay, ReplayError, Writers};
use super::journal_salvage::{self, Salvage};
use super::validate_conf::with_reason;
use crate::conf::Conf;
use crate::election::{EpochNode, new_incarnation};
use crate::journal::chain::{Position, Record};
use crate::journal::chain_error::ChainError;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{CheckpointId, Format, JournalStore, SegmentId};
use crate::journal::folder_identity::{self, IdentityError};
use crate::journal::witness::Witness;
use crate::master::outside::{self, Folder, OutsideError};
use crate::master::state::MasterState;

/// How often it is begun, while masters that serve delete what was listed.
const BEGINNINGS: usize = 5;

/// What is wrong with a journal, or why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The properties name no journal, or it is locked.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The folder does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It cannot be read to its end.
    #[error(transparent)]
    Replay(#[from] ReplayError),
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
    /// FORMAT was changed, or the segments are of another folder.
    #[error("FORMAT says that this is the journal of the cluster {named:?}, but its segments are of {found}")]
    OtherCluster {
        /// As FORMAT has it.
        named: String,
        /// As the newest segment has it.
        found: String,
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

impl VerifyError {
    /// Whether a newer version wrote what this one cannot read.
    pub fn is_of_newer_version(&self) -> bool {
        with_reason(self).contains("written by a newer")
    }

    /// Whether the journal is damaged; otherwise it could not be read now.
    pub fn is_damage(&self) -> bool {
        match self {
            VerifyError::Outside(_) | VerifyError::Identity(_) => false,
            VerifyError::Replay(error) => !matches!(error, ReplayError::Store { .. } | ReplayError::NoLength { .. }),
            VerifyError::Differs { .. } | VerifyError::OffChain { .. } | VerifyError::OtherCluster { .. } => true,
        }
    }
}

/// What was found.
#[derive(Debug)]
pub enum Outcome {
    /// Everything fits together.
    Whole(Report),
    /// Something does not; and what can be made of the rest.
    Damaged(VerifyError, Box<Salvage>),
}

/// What a whole journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The folder as configured.
    pub folder: String,
    /// Id of the cluster.
    pub cluster_id: String,
    /// How many segments are there.
    pub segments: usize,
    /// Newest epoch.
    pub epoch: u64,
    /// The checkpoint that the comparison began with, when the first segments are gone.
    pub begins_with: Option<CheckpointId>,
    /// Checkpoints that were compared with the segments.
    pub checkpoints: usize,
    /// Checkpoints of before the first segments that are left: they can be loaded, and not compared.
    pub not_compared: usize,
    /// The last record that the segments say was acknowledged.
    pub end: Position,
    /// The last record that the epoch node says was acknowledged, which is there; or why that was not compared.
    pub durable: Result<Position, String>,
    /// Digest of the state at `end`.
    pub digest: u64,
    /// Number of the history; 0 of one that has not begun.
    pub genesis: u64,
}

impl Report {
    /// Writes it for people, a line for each thing.
    ///
    /// # Errors
    /// The output.
    pub fn write(&self, output: &mut dyn Write) -> io::Result<()> {
        let Report { folder, cluster_id, segments, epoch, checkpoints, end, durable, digest, .. } = self;
        writeln!(output, "journal {folder}")?;
        writeln!(output, "cluster {cluster_id}, newest epoch {epoch}, {segments} segments")?;
        if let Some(id) = &self.begins_with {
            let first = id.sequence.next();
            writeln!(output, "older segments are gone: compared from record {first} on, beginning with {id}")?;
        }
        if self.not_compared > 0 {
            writeln!(output, "{} checkpoints of before that, which can be loaded", self.not_compared)?;
        }
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
/// Why it cannot be read.
pub async fn run(conf: &Conf) -> Result<Outcome, VerifyError> {
    let Folder { store, lock } = outside::folder(conf, MissingFolder::Refuse)?;
    let format = folder_identity::identify_readable(store.as_ref()).await?;
    let writers = if lock.is_some() { Writers::AreOver } else { Writers::MayLive };
    let node = async || epoch_node(conf, &format).await;
    match verify_with(store.as_ref(), &format, &node, writers).await {
        Ok(report) => Ok(Outcome::Whole(report)),
        Err(error) if error.is_damage() => {
            let witness = node().await?.as_ref().map(Witness::of).unwrap_or_default();
            // What can be recovered is not known, if even that fails: the damage is.
            match journal_salvage::salvage(store.as_ref(), &format.cluster_id, witness, writers).await {
                Ok(salvage) => Ok(Outcome::Damaged(error, Box::new(salvage))),
                Err(_) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// What is kept of the end outside of the journal, or why it is not known.
pub(super) async fn epoch_node(conf: &Conf, format: &Format) -> Result<Result<EpochNode, String>, OutsideError> {
    if let Some(lost) = outside::lost_durable(conf) {
        return Ok(Err(lost));
    }
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
    writers: Writers,
) -> Result<Report, VerifyError> {
    verify_with(store, format, &async || Ok(node.clone()), writers).await
}

/// See [`run`]. Begins again when masters that serve have collected meanwhile what was listed, or what the epoch node told
/// of.
async fn verify_with(
    store: &dyn JournalStore,
    format: &Format,
    node: &impl AsyncFn() -> Result<Result<EpochNode, String>, OutsideError>,
    writers: Writers,
) -> Result<Report, VerifyError> {
    let list = async || store.list().await.map_err(|source| ReplayError::Store { folder: store.describe(), source });
    let mut listing = list().await?;
    for _ in 1..BEGINNINGS {
        // The node before the journal: masters that serve go on.
        let outcome = verify_listed(store, format, &listing.checkpoints, node().await?, writers).await;
        if outcome.is_ok() {
            return outcome;
        }
        let now = list().await?;
        let is_gone = |segment: &SegmentId| !now.segments.contains(segment);
        if !listing.segments.iter().any(is_gone) && listing.checkpoints.iter().all(|id| now.checkpoints.contains(id)) {
            return outcome;
        }
        listing = now;
    }
    verify_listed(store, format, &listing.checkpoints, node().await?, writers).await
}

async fn verify_listed(
    store: &dyn JournalStore,
    format: &Format,
    checkpoints: &[CheckpointId],
    node: Result<EpochNode, String>,
    writers: Writers,
) -> Result<Report, VerifyError> {
    let witness = node.as_ref().map(Witness::of).unwrap_or_default();
    let (mut replay, Beginning { state, position: start, checkpoint: begins_with }) =
        Replay::begin(store, &format.cluster_id, witness, writers).await?;
    let mut wanted: BTreeSet<CheckpointId> = checkpoints.iter().copied().collect();
    wanted.retain(|id| Some(*id) != begins_with);
    let cluster_id = &format.cluster_id;
    let mut comparison = Comparison { state, at: start, wanted, compared: 0, cluster_id, witness };
    loop {
        let records = replay.next().await?;
        if records.is_empty() {
            break;
        }
        // Without one, nothing was decided yet.
        let genesis = replay.genesis().unwrap_or_default();
        for placed in &records {
            comparison.apply(store, &placed.record, genesis).await?;
        }
    }
    replay.finish()?;
    if let Some(found) = replay.cluster_id().filter(|found| *found != format.cluster_id) {
        return Err(VerifyError::OtherCluster { named: format.cluster_id.clone(), found: found.to_owned() });
    }
    // A master that takes over applies what is not acknowledged, too.
    let mut ahead = comparison.state.clone();
    for record in replay.behind(comparison.at)? {
        journal_replay::apply(&mut ahead, &record)?;
    }
    let genesis = replay.genesis().unwrap_or_default();
    let durable = node.and_then(|_| match witness.may_tell_of(genesis) {
        true => Ok(witness.durable),
        false => Err("the epoch node tells of a history before the last format".to_owned()),
    });
    let not_compared = comparison.rest(store, genesis, start).await?;
    Ok(Report {
        folder: store.describe(),
        cluster_id: format.cluster_id.clone(),
        segments: replay.segments(),
        epoch: replay.highest_epoch(),
        begins_with,
        checkpoints: comparison.compared,
        not_compared,
        end: comparison.at,
        durable,
        digest: comparison.state.digest(),
        genesis,
    })
}

/// The state that the segments give, beside the checkpoints.
struct Comparison<'a> {
    state: MasterState,
    at: Position,
    /// Checkpoints not come to yet.
    wanted: BTreeSet<CheckpointId>,
    compared: usize,
    cluster_id: &'a str,
    /// What the epoch node tells, as far as that is known.
    witness: Witness,
}

impl Comparison<'_> {
    /// Applies a record of the history `genesis`.
    async fn apply(&mut self, store: &dyn JournalStore, record: &Record, genesis: u64) -> Result<(), VerifyError> {
        let position = record.position;
        journal_replay::apply(&mut self.state, record)?;
        self.at = position;
        // One in the place of the acknowledged one must be that one.
        let durable = self.witness.durable;
        if self.witness.may_tell_of(genesis) && durable.sequence == position.sequence && durable != position {
            return Err(ReplayError::from(ChainError::OtherRecord { durable, found: position }).into());
        }
        let id = CheckpointId::from(position);
        if self.wanted.remove(&id) {
            self.compare(store, id).await?;
            self.compared += 1;
        }
        Ok(())
    }

    async fn compare(&self, store: &dyn JournalStore, id: CheckpointId) -> Result<(), VerifyError> {
        let (state, _) = journal_replay::load(store, id, self.cluster_id).await?;
        let (theirs, ours) = (state.digest(), self.state.digest());
        if theirs == ours { Ok(()) } else { Err(VerifyError::Differs { id, theirs, ours }) }
    }

    /// Judges the checkpoints that were not come to after `start`; how many are of before that.
    async fn rest(&self, store: &dyn JournalStore, genesis: u64, start: Position) -> Result<usize, VerifyError> {
        let mut before = 0;
        for id in &self.wanted {
            // Those of a history before the last format may not be deleted yet.
            let (_, origin) = journal_replay::load(store, *id, self.cluster_id).await?;
            match origin.genesis == genesis {
                true if id.sequence < start.sequence => before += 1,
                true => return Err(VerifyError::OffChain { id: *id, end: self.at }),
                false => {}
            }
        }
        Ok(before)
    }
}

#[cfg(test)]
#[path = "journal_verify_tests.rs"]
mod tests;
