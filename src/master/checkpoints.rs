//! Pure. When this master writes a checkpoint and of which record, and that the journal is collected then.
//!
//! Each master counts what it applies. When a checkpoint is due it looks whether another one has written it meanwhile, and
//! if not, writes one. Standbys come first, in the order of the latch, and the primary last: what it costs, they can spare.
//! A standby writes its state as it is, which holds answered records only. A primary takes a snapshot of its state, goes
//! on, and writes the snapshot once all of it is answered: then it is on the chain of every later leader (F9).

use super::driver::{Driver, Phase};
use super::event::{Core, Effect, Exit};
use super::ops::Answer;
use super::state::MasterState;
use crate::journal::chain::Position;
use crate::journal::chain_error::ChainError;
use crate::journal::folder::CheckpointId;
use crate::types::mutant::{self, Mutant};
use crate::types::time::Boot;
use crate::types::{ErrorKind, FsError, SequenceNumber};
use std::collections::VecDeque;
use std::time::Duration;

/// Pause after a checkpoint or a look that failed.
const RETRY: Duration = Duration::from_secs(30);
/// The same while nothing can be followed before it is known whether there is a newer checkpoint.
const RETRY_LOST: Duration = Duration::from_secs(1);
/// So many counts lie between two checkpoints, to know what came after the checkpoint of another master.
const COUNTS: u64 = 64;
/// A primary waits so many quarters of the limits longer than the first standby, each further standby one.
const PRIMARY_WAITS: u64 = 2;

/// Why it is looked which checkpoints there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// One is due, if no other master has written it.
    IfDue,
    /// A segment is missing, unless a newer one holds what it had.
    IfLost,
}

/// When a checkpoint is due: at the first of these since the newest one.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointLimits {
    /// Entries of the journal.
    pub entries: u64,
    /// Bytes of encoded entries.
    pub bytes: u64,
    /// Time since the first entry that no checkpoint has, on the boot clock.
    pub age: Duration,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    entries: u64,
    bytes: u64,
}

/// What is under way.
#[derive(Debug)]
enum Work {
    Nothing,
    /// Which checkpoints are there?
    Looking,
    /// Of a primary: it waits until all of it is answered.
    Holding(CheckpointId, Box<MasterState>),
    Writing,
    Collecting,
}

/// See the module text. `T` stands for who waits for a checkpoint.
#[derive(Debug)]
pub(super) struct Checkpoints<T> {
    limits: CheckpointLimits,
    total: Count,
    /// What had been counted up to some records.
    counts: VecDeque<(SequenceNumber, Count)>,
    /// The newest checkpoint that is known, and what had been counted up to it.
    newest: (SequenceNumber, Count),
    /// Since when something is in no checkpoint.
    since: Option<Boot>,
    not_before: Boot,
    work: Work,
    /// Who wants one that has the records up to there.
    asked: Vec<(SequenceNumber, T)>,
    /// A segment that is not there, perhaps because a newer checkpoint holds what it had.
    lost: Option<ChainError>,
    /// When that is to be asked, again.
    lost_ask_at: Boot,
}

impl<T> Checkpoints<T> {
    /// Of a master that was loaded from a checkpoint at `loaded`, or from none.
    pub(super) fn new(limits: CheckpointLimits, loaded: SequenceNumber) -> Checkpoints<T> {
        Checkpoints {
            limits,
            total: Count::default(),
            counts: VecDeque::new(),
            newest: (loaded, Count::default()),
            since: None,
            not_before: Boot::default(),
            work: Work::Nothing,
            asked: Vec::new(),
            lost: None,
            lost_ask_at: Boot::default(),
        }
    }

    /// Counts entries that were applied.
    pub(super) fn count(&mut self, entries: usize, bytes: usize) {
        self.total.entries += entries as u64;
        self.total.bytes += bytes as u64;
    }

    /// All that was counted is in the records up to this one.
    pub(super) fn counted_up_to(&mut self, sequence: SequenceNumber) {
        let before = self.counts.back().map_or(Count::default(), |(_, count)| *count);
        let is_step = |now: u64, before: u64, limit: u64| now - before > limit / COUNTS;
        if is_step(self.total.entries, before.entries, self.limits.entries)
            || is_step(self.total.bytes, before.bytes, self.limits.bytes)
        {
            self.counts.push_back((sequence, self.total));
        }
    }

    /// There is a checkpoint at `sequence`, which this master has passed.
    fn know(&mut self, sequence: SequenceNumber) {
        if sequence <= self.newest.0 {
            return;
        }
        while self.counts.front().is_some_and(|(at, _)| *at < sequence) {
            self.counts.pop_front();
        }
        // Somewhat too much, if the record lies between two counts.
        let counted = self.counts.front().map_or(self.total, |(_, count)| *count);
        self.newest = (sequence, counted);
        self.since = None;
    }

    /// Whether a master that lets others go first for so many quarters of the limits is to write one.
    fn is_due(&mut self, quarters: u64, now: Boot) -> bool {
        let entries = self.total.entries - self.newest.1.entries;
        if entries == 0 {
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let reached = |count: u64, limit: u64| count.saturating_mul(4) >= limit.saturating_mul(4 + quarters);
        reached(entries, self.limits.entries)
            || reached(self.total.bytes - self.newest.1.bytes, self.limits.bytes)
            || now.since(since) * 4 >= self.limits.age * (4 + quarters as u32)
    }
}

impl<T> Driver<T> {
    /// Begins what is due, and writes what is held as soon as that may be.
    pub(super) fn keep(&mut self, now: Boot) {
        let (Some((_, answered)), Some(genesis)) = (self.state_at(), self.follower.tailer.genesis()) else { return };
        let quarters = self.waits();
        let checkpoints = &mut self.checkpoints;
        let wanted = checkpoints.is_due(quarters, now) || !checkpoints.asked.is_empty();
        match &checkpoints.work {
            Work::Nothing if wanted && now >= checkpoints.not_before => {
                checkpoints.work = Work::Looking;
                self.effects.push(Effect::ListCheckpoints(genesis, Look::IfDue));
            }
            Work::Holding(id, _) if answered >= id.sequence || mutant::is(Mutant::CheckpointAhead) => {
                if let Work::Holding(id, state) = std::mem::replace(&mut checkpoints.work, Work::Writing) {
                    self.effects.push(Effect::Checkpoint(id, genesis, state));
                }
            }
            _ => {}
        }
    }

    /// Somebody wants a checkpoint now.
    pub(super) fn checkpoint_asked(&mut self, who: T, now: Boot) {
        match self.writer.as_ref().filter(|_| matches!(self.phase, Phase::Serving { .. })) {
            Some(writer) => {
                self.checkpoints.asked.push((writer.last().sequence, who));
                self.checkpoints.not_before = now;
            }
            None => {
                let error = FsError::new(ErrorKind::Unavailable, "This master is not the primary.");
                self.effects.push(Effect::Answer(who, Err(error)));
            }
        }
    }

    /// See `Checkpoints::is_due`.
    fn waits(&self) -> u64 {
        if self.writer.is_some() { PRIMARY_WAITS } else { self.role.standbys_before() }
    }

    /// Which checkpoints of this history there are.
    pub(super) fn checkpoints_listed(
        &mut self,
        core: &Core,
        look: Look,
        listed: Result<Vec<CheckpointId>, String>,
        now: Boot,
    ) {
        match look {
            // Else it is asked again.
            Look::IfLost => listed.into_iter().for_each(|ids| self.lost(&ids)),
            Look::IfDue => self.take_up(core, listed, now),
        }
    }

    /// Takes a checkpoint up, if it is due in spite of those that others have written.
    fn take_up(&mut self, core: &Core, listed: Result<Vec<CheckpointId>, String>, now: Boot) {
        self.checkpoints.work = Work::Nothing;
        let ids = match listed {
            Ok(ids) => ids,
            Err(reason) => {
                self.checkpoints.not_before = now + RETRY;
                return self.checkpoint_failed(&format!("cannot see which checkpoints there are reason={reason}"));
            }
        };
        let Some((at, _)) = self.state_at() else { return };
        for id in ids.iter().filter(|id| id.sequence <= at.sequence) {
            self.checkpoints.know(id.sequence);
        }
        self.checkpoint_stands();
        let quarters = self.waits();
        let asked = !self.checkpoints.asked.is_empty();
        if asked || self.checkpoints.is_due(quarters, now) {
            self.checkpoints.work = Work::Holding(at.into(), Box::new(core.state.clone()));
        }
    }

    /// A checkpoint stands, or could not be written.
    pub(super) fn checkpointed(&mut self, outcome: Result<CheckpointId, String>, now: Boot) {
        match outcome {
            Err(reason) => {
                self.checkpoints.work = Work::Nothing;
                self.checkpoints.not_before = now + RETRY;
                self.checkpoint_failed(&format!("cannot write a checkpoint reason={reason}"));
            }
            Ok(id) => {
                self.checkpoints.know(id.sequence);
                self.checkpoint_stands();
                self.checkpoints.work = Work::Collecting;
                let genesis = self.follower.tailer.genesis().unwrap_or_default();
                self.effects.push(Effect::Collect(genesis));
            }
        }
    }

    /// What nobody needs was deleted, as far as that was possible.
    pub(super) fn collected(&mut self) {
        self.checkpoints.work = Work::Nothing;
    }

    fn checkpoint_failed(&mut self, text: &str) {
        self.effects.push(Effect::Warn(text.to_owned()));
        for (_, who) in std::mem::take(&mut self.checkpoints.asked) {
            self.effects.push(Effect::Answer(who, Err(FsError::new(ErrorKind::Unknown, text))));
        }
    }

    /// Tells those who have waited for the newest checkpoint.
    fn checkpoint_stands(&mut self) {
        let newest = self.checkpoints.newest.0;
        for (_, who) in self.checkpoints.asked.extract_if(.., |(wanted, _)| *wanted <= newest) {
            self.effects.push(Effect::Answer(who, Ok(Answer::Done)));
        }
    }

    /// The journal cannot be followed. Without a segment that others do not need any more, a newer checkpoint may help,
    /// from which a new process begins.
    pub(super) fn cannot_follow(&mut self, error: ChainError, now: Boot) {
        let genesis = match &error {
            ChainError::Missing { tip, .. } => self.follower.tailer.genesis_of(*tip),
            _ => None,
        };
        let Some(genesis) = genesis else { return self.exit(error.into()) };
        if self.checkpoints.lost.is_none() || now >= self.checkpoints.lost_ask_at {
            self.checkpoints.lost = Some(error);
            self.checkpoints.lost_ask_at = now + RETRY_LOST;
            self.effects.push(Effect::ListCheckpoints(genesis, Look::IfLost));
        }
    }

    /// What a segment that is not there means, now that the checkpoints are known.
    fn lost(&mut self, ids: &[CheckpointId]) {
        let applied = self.follower.tailer.applied();
        let Some(error) = self.checkpoints.lost.take() else { return };
        self.exit(match ids.iter().any(|id| id.sequence > applied.sequence) {
            true => Exit::Fenced(format!("what follows record {applied} is in a newer checkpoint only")),
            false => error.into(),
        });
    }

    /// Where the state in memory is, and the last record of it that is answered; none while it changes hands.
    fn state_at(&self) -> Option<(Position, SequenceNumber)> {
        let applied = self.follower.tailer.applied();
        match (&self.phase, self.writer.as_ref()) {
            // Not while it catches up for the first time.
            (Phase::Following, None) if self.role.has_entered() => Some((applied, applied.sequence)),
            // What only answers have marked, and no record yet, others would not know.
            (Phase::Serving { .. } | Phase::Draining { .. }, Some(writer)) => {
                Some((writer.last(), writer.written_mark()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CheckpointLimits = CheckpointLimits { entries: 100, bytes: 10_000, age: Duration::from_secs(60) };

    fn at(seconds: u64) -> Boot {
        Boot::from_start(Duration::from_secs(1000 + seconds))
    }

    /// Records of one entry of 10 bytes.
    fn apply(checkpoints: &mut Checkpoints<()>, records: std::ops::RangeInclusive<u64>) {
        for record in records {
            checkpoints.count(1, 10);
            checkpoints.counted_up_to(SequenceNumber(record));
        }
    }

    #[test]
    fn one_is_due_after_entries_bytes_or_time_and_who_comes_later_waits_longer() {
        let mut checkpoints = Checkpoints::new(LIMITS, SequenceNumber(0));
        assert!(!checkpoints.is_due(0, at(1_000_000)), "nothing has changed");
        apply(&mut checkpoints, 1..=99);
        assert!(!checkpoints.is_due(0, at(0)));
        apply(&mut checkpoints, 100..=100);
        assert!(checkpoints.is_due(0, at(0)) && !checkpoints.is_due(1, at(0)));
        apply(&mut checkpoints, 101..=125);
        assert!(checkpoints.is_due(1, at(0)) && !checkpoints.is_due(PRIMARY_WAITS, at(0)));
        let mut few = Checkpoints::<()>::new(LIMITS, SequenceNumber(0));
        few.count(1, 10_000);
        assert!(few.is_due(0, at(0)), "bytes");
        let mut old = Checkpoints::<()>::new(LIMITS, SequenceNumber(0));
        old.count(1, 1);
        assert!(!old.is_due(0, at(0)) && !old.is_due(0, at(59)) && old.is_due(0, at(60)) && !old.is_due(2, at(89)));
    }

    #[test]
    fn what_another_master_has_written_counts_from_its_record() {
        let mut checkpoints = Checkpoints::new(LIMITS, SequenceNumber(0));
        apply(&mut checkpoints, 1..=130);
        checkpoints.know(SequenceNumber(60));
        assert!(!checkpoints.is_due(0, at(0)), "70 entries since then");
        apply(&mut checkpoints, 131..=158);
        assert!(!checkpoints.is_due(0, at(0)));
        apply(&mut checkpoints, 159..=163);
        assert!(checkpoints.is_due(0, at(0)), "100, and what lies between two counts");
        checkpoints.know(SequenceNumber(40));
        assert!(checkpoints.is_due(0, at(0)), "an older one tells nothing");
    }
}
