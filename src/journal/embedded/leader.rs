//! Pure. The master's side of the replicated log: whether it leads, what it has proposed, what it may answer.
//!
//! The state of a leader is ahead of the log: it applies what it decides, proposes it, and answers when its own record
//! comes back committed in its own term. That needs no clock. A leader that is deposed with records that did not come
//! back has a state that nobody shares, and ends.

use super::applied::{Applied, Taken};
use super::types::{LogEntry, MemberId, Payload, Record};
use crate::journal::chain::Position;
use bytes::Bytes;
use std::collections::VecDeque;

/// Proposed and not committed at most, in bytes; until then nothing new is decided.
pub const UNCOMMITTED_BYTES: usize = 16 << 20;

/// What happens to it. `I` is a point of the clock that leases are measured by.
#[derive(Debug)]
pub enum LeaderEvent<I> {
    /// openraft leads in this term.
    Led(u64),
    /// openraft does not lead.
    Deposed,
    /// The next entry of the log.
    Committed(LogEntry),
    /// The state is that of a checkpoint.
    Installed(Applied),
    /// A quorum follows until then.
    Lease(I),
    /// A proposal was refused and is not in the log.
    Refused,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum LeaderEffect {
    /// In the order of these effects, to be written only by a leader of the record's term.
    Propose(Record),
    /// Serves from now on.
    Serve,
    /// The state of a follower takes these entries.
    Apply(Record),
    /// Changes up to here can be answered.
    Answer(Position),
    /// An entry was passed over.
    PassOver,
    /// All is answered: another one may lead.
    Transfer(MemberId),
    /// Ends the process; nothing is answered any more.
    End(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Applies what others propose.
    Following,
    /// Leads, and waits until all that was answered before is in the state.
    Claimed { term: u64 },
    /// Decides.
    Serving { term: u64 },
    /// Decides nothing new; then another is to lead.
    Draining { term: u64, to: MemberId },
    /// Has given up its term.
    Leaving,
    /// Ends.
    Over,
}

/// See the module text.
#[derive(Debug)]
pub struct Leader<I> {
    phase: Phase,
    applied: Applied,
    /// Proposed and not committed, in order.
    uncommitted: VecDeque<Record>,
    uncommitted_bytes: usize,
    /// A proposal was refused; it and those behind it are proposed again.
    was_refused: bool,
    lease: Option<I>,
    effects: Vec<LeaderEffect>,
}

impl<I: Copy + Ord> Leader<I> {
    /// A follower whose state is as `applied` says.
    pub fn new(applied: Applied) -> Leader<I> {
        Leader {
            phase: Phase::Following,
            applied,
            uncommitted: VecDeque::new(),
            uncommitted_bytes: 0,
            was_refused: false,
            lease: None,
            effects: Vec::new(),
        }
    }

    /// Takes an event and says what is to be done. `now` is read after the event happened.
    pub fn step(&mut self, event: LeaderEvent<I>, now: I) -> Vec<LeaderEffect> {
        match event {
            LeaderEvent::Led(term) => self.led(term),
            LeaderEvent::Deposed => self.deposed(),
            LeaderEvent::Committed(entry) => self.committed(entry),
            LeaderEvent::Installed(applied) => self.installed(applied),
            LeaderEvent::Lease(until) => self.lease = self.lease.max(Some(until)),
            LeaderEvent::Refused => self.was_refused = true,
        }
        if self.was_refused && self.has_lease(now) {
            // Those that did get into the log come twice, and count once.
            self.was_refused = false;
            self.effects.extend(self.uncommitted.iter().cloned().map(LeaderEffect::Propose));
        }
        if let Phase::Draining { to, .. } = self.phase
            && self.uncommitted.is_empty()
        {
            // R5: it never serves in this term again, whether that succeeds or not.
            self.phase = Phase::Leaving;
            self.effects.push(LeaderEffect::Transfer(to));
        }
        std::mem::take(&mut self.effects)
    }

    /// Whether a change may be decided now.
    pub fn may_decide(&self, now: I) -> bool {
        let has_room = self.uncommitted_bytes <= UNCOMMITTED_BYTES;
        matches!(self.phase, Phase::Serving { .. }) && has_room && !self.was_refused && self.has_lease(now)
    }

    /// Whether what was read before `now` may be answered: no other leader has answered a change by then.
    pub fn may_answer(&self, now: I) -> bool {
        matches!(self.phase, Phase::Serving { .. } | Phase::Draining { .. }) && self.has_lease(now)
    }

    /// Proposes what was decided and applied. Returns the position at which it is to be answered.
    pub fn propose(&mut self, entries: Bytes) -> (Position, Vec<LeaderEffect>) {
        let Phase::Serving { term } = self.phase else { panic!("only who may decide proposes") };
        let position = self.position().after(&entries);
        let record = Record { term, position, entries };
        self.uncommitted_bytes += record.entries.len();
        self.uncommitted.push_back(record.clone());
        // Behind one that was refused it waits for its turn.
        let effects = if self.was_refused { Vec::new() } else { vec![LeaderEffect::Propose(record)] };
        (position, effects)
    }

    /// Gives the role to another member, once all is answered. False if it does not serve.
    pub fn transfer(&mut self, to: MemberId) -> bool {
        let Phase::Serving { term } = self.phase else { return false };
        self.phase = Phase::Draining { term, to };
        true
    }

    /// The position of the state.
    pub fn position(&self) -> Position {
        self.uncommitted.back().map_or(self.applied.position(), |last| last.position)
    }

    /// What is committed, of which checkpoints are made.
    pub fn applied(&self) -> &Applied {
        &self.applied
    }

    fn has_lease(&self, now: I) -> bool {
        self.lease.is_some_and(|until| now < until)
    }

    fn term(&self) -> Option<u64> {
        match self.phase {
            Phase::Claimed { term } | Phase::Serving { term } | Phase::Draining { term, .. } => Some(term),
            Phase::Following | Phase::Leaving | Phase::Over => None,
        }
    }

    fn led(&mut self, term: u64) {
        if self.term() == Some(term) || self.phase == Phase::Over {
            return;
        }
        self.deposed();
        if self.phase == Phase::Following {
            self.phase = Phase::Claimed { term };
            self.lease = None;
        }
    }

    /// A state that was ahead cannot go back. The first version ends whenever it has served.
    fn deposed(&mut self) {
        match self.phase {
            Phase::Claimed { .. } => self.phase = Phase::Following,
            Phase::Serving { .. } | Phase::Draining { .. } | Phase::Leaving => self.end("another member may lead"),
            Phase::Following | Phase::Over => {}
        }
    }

    fn end(&mut self, reason: &str) {
        if self.phase != Phase::Over {
            self.phase = Phase::Over;
            self.effects.push(LeaderEffect::End(reason.into()));
        }
    }

    fn installed(&mut self, applied: Applied) {
        match self.phase {
            Phase::Following | Phase::Claimed { .. } => self.applied = applied,
            _ => self.end("another member has led, and sent its state"),
        }
    }

    fn committed(&mut self, entry: LogEntry) {
        if self.phase == Phase::Over {
            return;
        }
        match (self.applied.take(&entry), entry.payload) {
            (Taken::Began(began), _) if self.phase == (Phase::Claimed { term: began }) => {
                self.phase = Phase::Serving { term: began };
                self.effects.push(LeaderEffect::Serve);
            }
            (Taken::Record, Payload::Normal(record)) => self.record(record),
            (Taken::Strange, _) => self.effects.push(LeaderEffect::PassOver),
            _ => {}
        }
    }

    fn record(&mut self, record: Record) {
        let Some(own) = self.uncommitted.pop_front() else {
            // What was committed before its own term began belongs to others; so does what comes after it.
            match self.phase {
                Phase::Following | Phase::Claimed { .. } => self.effects.push(LeaderEffect::Apply(record)),
                _ => self.end("another member has led, and was committed"),
            }
            return;
        };
        if own != record {
            self.end("another member has led, and was committed");
            return;
        }
        self.uncommitted_bytes -= own.entries.len();
        if self.term() == Some(own.term) {
            self.effects.push(LeaderEffect::Answer(own.position));
        }
    }
}

#[cfg(test)]
#[path = "leader_tests.rs"]
mod tests;
