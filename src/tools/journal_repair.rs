//! `alluxio journal repair`: makes a damaged journal servable again, with all that can be recovered, and keeps what was
//! there.
//!
//! A takeover, as `format` is one: it waits for the lease of whoever led and claims the next epoch; only then it reads
//! what is there and asks whether to go on. It writes a checkpoint of the longest history that can be recovered, then the
//! first segment of the new epoch, whose header takes up the chain there; moves every other file into a folder beside, as
//! it is; and releases the epoch with that record as the one that was acknowledged last. Nothing is overwritten or
//! deleted. A repair that dies before the new segment is flushed leaves the journal as it was, one that dies later is to
//! be repeated.

use std::io::{self, Write};

use super::journal_replay::Writers;
use super::journal_salvage::{self, Salvage, SalvageError, Worth};
use super::journal_verify::{self, Report, VerifyError};
use super::takeover::{self, Claimed, TakeoverError, Tool};
use super::validate_conf::with_reason;
use crate::conf::Conf;
use crate::election::{EpochNode, Latch, LatchError, new_incarnation};
use crate::journal::chain::{Base, Position, SegmentHeader};
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{CheckpointId, Format, JournalFile, JournalStore, SegmentId, StoreError};
use crate::journal::folder_identity::{self, IdentityError};
use crate::journal::witness::Witness;
use crate::master::outside::{self, Folder, OutsideError};
use crate::master::state::CheckpointOrigin;
use crate::types::time::wall_now;

/// Why a journal was not repaired. Unless it says so, it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The properties name no journal, or it is locked.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The folder does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The journal is in use, or the election or the folder cannot be used.
    #[error(transparent)]
    Takeover(#[from] TakeoverError),
    /// There is no damage.
    #[error("the journal {folder} is whole up to record {end}: there is nothing to repair")]
    NothingWrong {
        /// As configured.
        folder: String,
        /// The last acknowledged record.
        end: Position,
    },
    /// It cannot be read, which is no damage.
    #[error(transparent)]
    Unreadable(Box<VerifyError>),
    /// It cannot be read, which is no damage.
    #[error(transparent)]
    Salvage(#[from] SalvageError),
    /// It holds what this version cannot read.
    #[error("a newer version has written to this journal: use that one; nothing was changed")]
    Newer(#[source] Box<VerifyError>),
    /// FORMAT is not that of the segments.
    #[error(
        "{folder}/FORMAT says cluster_id={named:?}, but the segments are of {found}: if these belong here, write \
         cluster_id={found} into FORMAT; nothing was changed"
    )]
    OtherCluster {
        /// As configured.
        folder: String,
        /// As FORMAT has it.
        named: String,
        /// As the newest segment has it.
        found: String,
    },
    /// Nobody agreed.
    #[error("nothing was changed: answer y on a terminal, or give --yes")]
    NotAgreed,
    /// Somebody else has claimed the journal while it was asked.
    #[error("another one has taken the journal meanwhile, nothing was changed")]
    Overtaken(#[source] LatchError),
    /// A step failed.
    #[error("cannot {step}: what is there is kept; run it again")]
    Step {
        /// Which.
        step: &'static str,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Somebody else has claimed the journal on the way.
    #[error("the epoch was lost on the way: what is there is kept; run it again")]
    Lost(#[source] LatchError),
    /// The epoch was not released.
    #[error("repaired, but the epoch is not released; run alluxio journal verify")]
    Release(#[source] LatchError),
    /// What was written is not what it should be.
    #[error("the repaired journal is not whole; what was there is kept in {aside}")]
    NotWhole {
        /// The folder with what was there.
        aside: String,
        /// What is wrong.
        #[source]
        source: Box<VerifyError>,
    },
    /// The output.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// Whether to go on, once it is known what would be done.
#[derive(Debug, Clone, Copy)]
pub enum Consent {
    /// It is.
    Given,
    /// This asks somebody, who may take their time.
    Asked(fn() -> io::Result<bool>),
}

/// Repairs the journal that the properties name; says on `output` what is there, what is lost, and what was done.
///
/// # Errors
/// It is whole, in use, or cannot be read; nobody agreed; or a step failed.
pub async fn run(conf: &Conf, consent: Consent, output: &mut dyn Write) -> Result<(), RepairError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Refuse)?;
    let (format, format_lost) = match folder_identity::identify_readable(store.as_ref()).await {
        Err(IdentityError::FormatLost { reason, cluster_id, .. }) => {
            (folder_identity::format_of(cluster_id), Some(reason))
        }
        found => (found?, None),
    };
    let incarnation = new_incarnation();
    let latch = outside::latch(conf, &format.cluster_id, &Tool::Repair.address(conf), &incarnation)?;
    let repair = Repair {
        conf,
        store: store.as_ref(),
        latch: latch.as_ref(),
        format: &format,
        format_lost,
        durable_lost: outside::lost_durable(conf),
        incarnation,
    };
    let outcome = repair.run(consent, output).await;
    latch.leave().await;
    outcome
}

/// What is to be done besides writing FORMAT.
enum Plan {
    /// The history is whole.
    Nothing(Report),
    /// It goes on from what can be recovered.
    Salvage(Box<Salvage>),
}

struct Repair<'a> {
    conf: &'a Conf,
    store: &'a dyn JournalStore,
    latch: &'a dyn Latch,
    format: &'a Format,
    /// What is wrong with the file FORMAT, when `format` is what it should say.
    format_lost: Option<String>,
    /// What is wrong with the file that says how far a local journal was acknowledged.
    durable_lost: Option<String>,
    incarnation: String,
}

impl Repair<'_> {
    async fn run(&self, consent: Consent, output: &mut dyn Write) -> Result<(), RepairError> {
        takeover::check(self.latch).await?;
        let mut claimed = takeover::claim(self.conf, self.latch, self.store, &self.incarnation).await?;
        let plan = match self.plan(&claimed.node, consent, output).await {
            Ok(plan) => plan,
            Err(error) => {
                // As it was; whoever has claimed since has no need of it.
                let released = claimed.released(&claimed.node);
                let _ = self.latch.release(claimed.version, &released).await;
                return Err(error);
            }
        };
        self.renew(&mut claimed).await.map_err(RepairError::Overtaken)?;
        // It makes the folders, too, if they are gone.
        if self.format_lost.is_some() || matches!(plan, Plan::Salvage(_)) {
            self.store.write_format(self.format).await.map_err(step("write FORMAT"))?;
        }
        match plan {
            Plan::Salvage(salvage) => self.perform(claimed, *salvage, output).await,
            Plan::Nothing(report) => {
                let mut known = claimed.node.clone();
                if self.durable_lost.is_some() {
                    (known.durable_sequence, known.durable_hash) = (report.end.sequence.0, report.end.hash);
                    known.genesis = report.genesis;
                }
                let released = claimed.released(&known);
                self.latch.release(claimed.version, &released).await.map_err(RepairError::Release)?;
                writeln!(output, "\nRepaired.")?;
                Ok(report.write(output)?)
            }
        }
    }

    /// What is to be done, if there is anything and somebody agrees.
    async fn plan(&self, node: &EpochNode, consent: Consent, output: &mut dyn Write) -> Result<Plan, RepairError> {
        let folder = self.store.describe();
        let told = takeover::told(node);
        let verified = journal_verify::verify(self.store, self.format, told, Writers::AreOver).await;
        if let (Ok(report), None, None) = (&verified, &self.format_lost, &self.durable_lost) {
            return Err(RepairError::NothingWrong { folder, end: report.end });
        }
        let verified = verified.map_err(|error| if error.is_damage() { Ok(error) } else { Err(error) });
        writeln!(output, "journal {folder}, cluster {}", self.format.cluster_id)?;
        if let Some(reason) = &self.format_lost {
            writeln!(output, "FORMAT {reason}: the repair writes it again, for the cluster of the segments.")?;
        }
        if let Some(lost) = &self.durable_lost {
            writeln!(output, "{lost}: the repair writes it again; what is there counts as all that was acknowledged.")?;
        }
        let plan = match verified {
            Ok(report) => Plan::Nothing(report),
            Err(Err(unreadable)) => return Err(RepairError::Unreadable(Box::new(unreadable))),
            Err(Ok(newer)) if newer.is_of_newer_version() => return Err(RepairError::Newer(Box::new(newer))),
            Err(Ok(damage)) => {
                writeln!(output, "{}", with_reason(&damage))?;
                Plan::Salvage(Box::new(self.salvage(node, output).await?))
            }
        };
        output.flush()?;
        let is_agreed = match consent {
            Consent::Given => true,
            // Meanwhile the session of the election lives.
            Consent::Asked(ask) => tokio::task::spawn_blocking(ask).await.map_err(io::Error::other)??,
        };
        if is_agreed { Ok(plan) } else { Err(RepairError::NotAgreed) }
    }

    /// What can be recovered, once it is said.
    async fn salvage(&self, node: &EpochNode, output: &mut dyn Write) -> Result<Salvage, RepairError> {
        let witness = Witness::of(node);
        let plan = journal_salvage::salvage(self.store, &self.format.cluster_id, witness, Writers::AreOver).await?;
        let named = self.format.cluster_id.clone();
        if let Some(found) = plan.cluster_id.clone().filter(|found| *found != named) {
            return Err(RepairError::OtherCluster { folder: self.store.describe(), named, found });
        }
        plan.write(output)?;
        writeln!(
            output,
            "The repair writes a checkpoint of record {} and a new segment behind it, and moves all other files into a \
             folder beside, where they stay as they are.",
            plan.end
        )?;
        Ok(plan)
    }

    /// Nobody else has claimed since.
    async fn renew(&self, claimed: &mut Claimed) -> Result<(), LatchError> {
        let own = self.latch.join().await?;
        claimed.version = self.latch.renew(&own, claimed.version, &claimed.node).await?;
        Ok(())
    }

    async fn perform(&self, mut claimed: Claimed, plan: Salvage, output: &mut dyn Write) -> Result<(), RepairError> {
        let (end, epoch, genesis) = (plan.end, claimed.node.epoch, plan.genesis);
        let aside = format!("damaged-{}", compact_time(wall_now().0));
        let checkpoint = self.checkpoint(&plan, &aside).await?;
        let segment = SegmentId { epoch, index: 0 };
        let cluster_id = self.format.cluster_id.clone();
        let header = SegmentHeader { cluster_id, genesis, segment, base: base(&plan, epoch), through: end.sequence };
        takeover::begin(self.store, &header).await.map_err(step("write a segment"))?;
        self.renew(&mut claimed).await.map_err(RepairError::Lost)?;
        let before = &claimed.before;
        for segment in &before.segments {
            self.set_aside(JournalFile::Segment(*segment), &aside).await?;
        }
        let others = before.checkpoints.iter().filter(|id| Some(**id) != checkpoint);
        // One that was damaged and bore the name of the new one is aside already.
        for id in others {
            self.set_aside(JournalFile::Checkpoint(*id), &aside).await?;
        }
        let (durable_sequence, durable_hash) = (end.sequence.0, end.hash);
        let durable = EpochNode { segments: 1, genesis, durable_sequence, durable_hash, ..EpochNode::default() };
        let released = claimed.released(&durable);
        let verified = journal_verify::verify(self.store, self.format, Ok(released.clone()), Writers::AreOver).await;
        let folder = format!("{}/{aside}", self.store.describe().trim_end_matches('/'));
        let report =
            verified.map_err(|source| RepairError::NotWhole { aside: folder.clone(), source: source.into() })?;
        self.latch.release(claimed.version, &released).await.map_err(RepairError::Release)?;
        writeln!(output, "\nRepaired. What was there is kept as it was in {folder}")?;
        report.write(output)?;
        Ok(())
    }

    /// Sees to it that there is a sound checkpoint of the end; none of an empty history.
    async fn checkpoint(&self, plan: &Salvage, aside: &str) -> Result<Option<CheckpointId>, RepairError> {
        let end = plan.end;
        if end == Position::START {
            return Ok(None);
        }
        let id = CheckpointId::from(end);
        let cluster_id = &self.format.cluster_id;
        let there = plan.checkpoints.iter().find(|(there, _)| *there == id);
        let is_the_same = match there {
            Some((_, Worth::Sound)) => super::journal_replay::load(self.store, id, cluster_id)
                .await
                .is_ok_and(|(state, _)| state.digest() == plan.state.digest()),
            _ => false,
        };
        if is_the_same {
            return Ok(Some(id));
        }
        if there.is_some() {
            self.set_aside(JournalFile::Checkpoint(id), aside).await?;
        }
        let origin = CheckpointOrigin { position: end, genesis: plan.genesis, cluster_id: cluster_id.clone() };
        let content = plan.state.to_checkpoint(&origin);
        let written = self.store.write_checkpoint(id, &self.incarnation, content).await;
        written.map_err(step("write a checkpoint"))?;
        Ok(Some(id))
    }

    async fn set_aside(&self, file: JournalFile, folder: &str) -> Result<(), RepairError> {
        match self.store.set_aside(file, folder).await {
            // Moved before.
            Err(StoreError::NotFound { .. }) => Ok(()),
            moved => moved.map_err(step("move a file aside")),
        }
    }
}

/// Where the new segment takes up the chain. What it names is aside, and is not read: the checkpoint is of there.
fn base(plan: &Salvage, epoch: u64) -> Option<Base> {
    if plan.end == Position::START {
        return None;
    }
    let nowhere = Base { segment: SegmentId { epoch: epoch - 1, index: 0 }, bytes: 0, position: plan.end };
    Some(plan.end_in.unwrap_or(nowhere))
}

/// A time in UTC as part of a name.
fn compact_time(ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(ms);
    time.map_or_else(|| ms.to_string(), |time| time.format("%Y%m%dT%H%M%SZ").to_string())
}

fn step(step: &'static str) -> impl FnOnce(StoreError) -> RepairError {
    move |source| RepairError::Step { step, source }
}

#[cfg(test)]
#[path = "journal_repair_tests.rs"]
mod tests;
