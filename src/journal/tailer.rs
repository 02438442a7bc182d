//! Pure. Follows the journal: finds the chain among the segments, tells what may be applied, and what a new
//! leader copies.
//!
//! The tailer does no I/O. It says what it wants to know (`asks`), is told the answers, and keeps what it was told.
//! Work goes in rounds: within a round every segment that might be the tip is asked for its length anew. A standby
//! begins a round at each poll; a new leader begins one after its claim and uses nothing that an earlier round
//! said about lengths or listings (F5). Bytes that were read stay read: a segment has one writer and only grows.
//!
//! Invariant: `applied` is covered by a mark, so it lies on the chain of every later leader (F9).

use super::chain::{Base, Damage, Position, Record, SegmentHeader, SegmentView};
use super::chain_error::ChainError;
use super::folder::{Length, SegmentId};
use super::witness::Witness;
use crate::types::SequenceNumber;
use crate::types::mutant::{self, Mutant};
use std::collections::{BTreeMap, VecDeque};

/// Longest range asked for at once.
pub const READ_BYTES_MAX: u64 = 4 << 20;
/// How many positions are remembered, to be compared with what the epoch node says: far more than a leader answers
/// between two renewals.
const REMEMBERED_MAX: usize = 8192;

/// What the tailer wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// All segments.
    List,
    /// How much of a segment can be read now.
    Length(SegmentId),
    /// A range that a length has shown.
    Read {
        /// The segment.
        segment: SegmentId,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        bytes: u64,
    },
    /// Cut off the writers, because nobody can tell the length (F11).
    Recover(SegmentId),
}

/// What a new leader writes first (F8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// Where the chain is acknowledged; none only if nothing ever was.
    pub base: Option<Base>,
    /// What can be read beyond: unchanged but for epoch and mark.
    pub copies: Vec<Record>,
    /// The history's genesis.
    pub genesis: u64,
    /// Segments whose writers are to be cut off in the background (F10).
    pub open: Vec<SegmentId>,
}

#[derive(Debug, Clone, Default)]
struct Followed {
    view: SegmentView,
    length: Option<Length>,
    length_round: u64,
    damage: Option<Damage>,
    /// Its writers were cut off, so a length that is too short stays so.
    recovered: bool,
}

impl Followed {
    fn readable(&self) -> u64 {
        match self.length {
            Some(Length::Open(bytes) | Length::Closed(bytes)) => bytes,
            Some(Length::Unknown) | None => 0,
        }
    }
}

/// See the module text.
#[derive(Debug, Clone)]
pub struct Tailer {
    /// The last positions that were applied, the newest last; never empty.
    applied: VecDeque<Position>,
    genesis: Option<u64>,
    segments: BTreeMap<SegmentId, Followed>,
    round: u64,
    list_wanted: u64,
    list_round: u64,
    /// What is known of the journal from outside.
    witness: Witness,
    outstanding: BTreeMap<Ask, u64>,
}

enum Resolved {
    /// Not known before this is answered.
    Wants(Ask),
    /// The links as far as their headers are known: oldest first, the tip last.
    Chain(Vec<SegmentId>),
}

impl Tailer {
    /// Follows from `applied`, the position of the state, and the genesis of its history (none: an empty state).
    pub fn new(applied: Position, genesis: Option<u64>) -> Tailer {
        Tailer {
            applied: VecDeque::from([applied]),
            genesis,
            segments: BTreeMap::new(),
            round: 1,
            list_wanted: 1,
            list_round: 0,
            witness: Witness::default(),
            outstanding: BTreeMap::new(),
        }
    }

    /// Up to where the state was told to apply.
    pub fn applied(&self) -> Position {
        *self.applied.back().expect("never empty")
    }

    /// Number of the history, once a segment or checkpoint told it.
    pub fn genesis(&self) -> Option<u64> {
        self.genesis
    }

    /// The history of a segment whose header was read.
    pub fn genesis_of(&self, segment: SegmentId) -> Option<u64> {
        self.header(segment).map(|header| header.genesis)
    }

    /// The newest complete segment.
    pub fn tip(&self) -> Option<SegmentId> {
        self.segments.iter().rev().find(|(_, followed)| followed.view.is_complete()).map(|(segment, _)| *segment)
    }

    /// The cluster that the newest complete segment names.
    pub fn cluster_id(&self) -> Option<&str> {
        self.header(self.tip()?).map(|header| header.cluster_id.as_str())
    }

    /// Highest epoch that any listing showed.
    pub fn highest_epoch(&self) -> u64 {
        self.segments.keys().next_back().map_or(0, |segment| segment.epoch)
    }

    /// Highest segment that any listing showed.
    pub fn highest_segment(&self) -> Option<SegmentId> {
        self.segments.keys().next_back().copied()
    }

    /// Begins a round; with `list`, one that also lists the folder anew.
    pub fn begin_round(&mut self, list: bool) {
        self.round += 1;
        if list {
            self.list_wanted = self.round;
        }
    }

    /// Says what is known from outside. A listing without the segment that exists is asked again, unless a later one is
    /// complete: that was written by who had read it (F8).
    pub fn expect(&mut self, witness: Witness) {
        self.witness = witness;
    }

    /// What is known from outside.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// A segment that exists for certain and is not listed.
    fn lacking(&self) -> Option<SegmentId> {
        let is_missing = |newest: &SegmentId| !self.segments.contains_key(newest);
        self.witness.newest().filter(|newest| is_missing(newest) && !mutant::is(Mutant::StaleListing))
    }

    /// What is to be asked now. Each is asked once until its answer comes.
    pub fn asks(&mut self) -> Vec<Ask> {
        let mut asks = match self.resolve() {
            Err(_) => Vec::new(),
            Ok(Resolved::Wants(ask)) => vec![ask],
            Ok(Resolved::Chain(links)) => self.next_read(&links).ok().flatten().into_iter().collect(),
        };
        asks.retain(|ask| !self.outstanding.contains_key(ask));
        for ask in &asks {
            self.outstanding.insert(*ask, self.round);
        }
        asks
    }

    /// The answer to `Ask::List`. Returns a segment that exists and is not in it. Without effect if it ends before one
    /// that was listed once: the newest segment is never deleted.
    pub fn listed(&mut self, segments: &[SegmentId]) -> Option<SegmentId> {
        let round = self.outstanding.remove(&Ask::List).unwrap_or(0);
        let highest = self.highest_segment().filter(|highest| segments.iter().max() < Some(highest));
        if highest.is_some() && !mutant::is(Mutant::StaleListing) {
            return highest;
        }
        self.list_round = self.list_round.max(round);
        // Only the oldest are ever deleted: one that is missing among others was overlooked.
        let first = segments.iter().min();
        self.segments.retain(|segment, _| segments.contains(segment) || first.is_some_and(|first| segment > first));
        for segment in segments {
            self.segments.entry(*segment).or_default();
        }
        self.lacking()
    }

    /// The answer to `Ask::Length`.
    pub fn length(&mut self, segment: SegmentId, length: Length) {
        let round = self.outstanding.remove(&Ask::Length(segment)).unwrap_or(0);
        let empty = mutant::is(Mutant::UnknownIsEmpty) && length == Length::Unknown;
        let length = if empty { Length::Open(0) } else { length };
        if let Some(followed) = self.segments.get_mut(&segment) {
            followed.length = Some(length);
            followed.length_round = followed.length_round.max(round);
        }
    }

    /// The answer to `Ask::Read`.
    pub fn bytes(&mut self, segment: SegmentId, offset: u64, bytes: &[u8]) {
        self.outstanding.remove(&Ask::Read { segment, offset, bytes: bytes.len() as u64 });
        let Some(followed) = self.segments.get_mut(&segment) else { return };
        if followed.damage.is_none() && followed.view.read_to() == offset {
            followed.damage = followed.view.extend(segment, bytes).err();
        }
    }

    /// The answer to `Ask::Recover` that says the length is final; it is asked anew.
    pub fn recovered(&mut self, segment: SegmentId) {
        self.outstanding.remove(&Ask::Recover(segment));
        if let Some(followed) = self.segments.get_mut(&segment) {
            followed.length = None;
            followed.recovered = true;
        }
    }

    /// Says that a segment will not be recovered now; its length is asked anew.
    pub fn not_recovered(&mut self, segment: SegmentId) {
        self.outstanding.remove(&Ask::Recover(segment));
        if let Some(followed) = self.segments.get_mut(&segment) {
            followed.length = None;
        }
    }

    /// The answer that no answer comes; it will be asked again. A file that is gone is listed anew.
    pub fn failed(&mut self, ask: Ask) {
        self.outstanding.remove(&ask);
    }

    /// Takes the records that may be applied now, in order.
    ///
    /// # Errors
    /// Whatever makes it impossible to follow; final.
    pub fn decided(&mut self) -> Result<Vec<Record>, ChainError> {
        Ok(self.decided_in_segments()?.into_iter().map(|(_, record)| record).collect())
    }

    /// As `decided`, each with the segment that it was read from.
    ///
    /// # Errors
    /// As `decided`.
    pub fn decided_in_segments(&mut self) -> Result<Vec<(SegmentId, Record)>, ChainError> {
        let Resolved::Chain(links) = self.resolve()? else { return Ok(Vec::new()) };
        self.next_read(&links)?;
        let tip = *links.last().expect("a chain has a tip");
        let mut applied = self.applied();
        let mut records: Vec<(SegmentId, Record)> = Vec::new();
        for (at, segment) in links.iter().enumerate() {
            let (limit, view) = (self.limit(&links, at), &self.segments[segment].view);
            if limit <= applied.sequence {
                continue;
            }
            if view.start().sequence > applied.sequence || view.last.sequence < applied.sequence {
                break;
            }
            if view.end_of(applied).is_none() {
                return Err(ChainError::OffChain { applied, tip });
            }
            let after = view.records.iter().map(|placed| &placed.record);
            let after = after.skip_while(|record| record.position.sequence <= applied.sequence);
            let decided = after.take_while(|record| record.position.sequence <= limit);
            records.extend(decided.map(|record| (*segment, record.clone())));
            applied = records.last().map_or(applied, |(_, record)| record.position);
        }
        self.applied.extend(records.iter().map(|(_, record)| record.position));
        self.applied.drain(..self.applied.len().saturating_sub(REMEMBERED_MAX));
        self.genesis = self.header(tip).map(|header| header.genesis);
        for (segment, followed) in &mut self.segments {
            // What the tip's own marks do not cover may have to be copied (F8), although it was applied. The same of
            // a newer segment that is not complete yet: it may become the tip.
            let kept_after = if *segment >= tip { followed.view.mark } else { applied.sequence };
            followed.view.forget_to(applied.sequence.min(kept_after));
        }
        Ok(records)
    }

    /// Whether this round has told all that it can tell.
    ///
    /// # Errors
    /// As `decided`.
    pub fn is_settled(&self) -> Result<bool, ChainError> {
        match self.resolve()? {
            Resolved::Wants(_) => Ok(false),
            Resolved::Chain(links) => Ok(self.next_read(&links)?.is_none()),
        }
    }

    /// What a new leader writes, once the round is settled and all that is decided was taken.
    ///
    /// # Errors
    /// As `decided`, and a journal that is not the one that is known from outside.
    pub fn takeover(&self) -> Result<Option<Takeover>, ChainError> {
        let Resolved::Chain(links) = self.resolve()? else { return Ok(None) };
        if self.next_read(&links)?.is_some() {
            return Ok(None);
        }
        let tip = *links.last().expect("a chain has a tip");
        let view = &self.segments[&tip].view;
        let header = view.header.as_ref().expect("the tip is complete");
        let (applied, off_chain) = (self.applied(), ChainError::OffChain { applied: self.applied(), tip });
        if !mutant::is(Mutant::NoDurableCheck) {
            self.compare_durable(tip, header.genesis, view)?;
        }
        if view.last.sequence < applied.sequence || view.end_of(applied).is_none() {
            return Err(off_chain);
        }
        // H7: a segment in which nothing was acknowledged is not a base; then its own base is the place.
        let acknowledged = view.mark > header.start().sequence || mutant::is(Mutant::NameUnanswered);
        let mark = if mutant::is(Mutant::NameVisibleEnd) { view.last.sequence } else { view.mark };
        let base = if acknowledged { Some(view.base_at(tip, mark).ok_or(off_chain.clone())?) } else { header.base };
        let before = base.map_or(Position::START, |base| base.position);
        let copies = view.records.iter().map(|placed| &placed.record);
        let copies = copies.filter(|record| record.position.sequence > before.sequence);
        let copies: Vec<Record> = copies.filter(|_| !mutant::is(Mutant::NoCopies)).cloned().collect();
        // A segment with a gap between base and copies could never be read again.
        let end = copies.iter().try_fold(before, |at, r| (at.after(&r.entries) == r.position).then_some(r.position));
        if end != Some(view.last) && !mutant::is(Mutant::NoCopies) {
            return Err(off_chain);
        }
        let open = self.segments.iter().filter(|(_, f)| !matches!(f.length, Some(Length::Closed(_))));
        Ok(Some(Takeover { base, copies, genesis: header.genesis, open: open.map(|(id, _)| *id).collect() }))
    }

    /// The record that was acknowledged, as is known from outside, must be there. What is told of a history before a
    /// format counts for nothing.
    fn compare_durable(&self, tip: SegmentId, genesis: u64, view: &SegmentView) -> Result<(), ChainError> {
        let Witness { genesis: told, epoch, durable, .. } = self.witness;
        if !self.witness.may_tell_of(genesis) && !mutant::is(Mutant::OldHistoryCounts) {
            let began_later = tip.epoch > epoch;
            return if began_later {
                Ok(())
            } else {
                Err(ChainError::OlderHistory { tip, found: genesis, told, epoch })
            };
        }
        if view.last.sequence < durable.sequence {
            return Err(ChainError::Short { end: view.last, durable: durable.sequence });
        }
        let ahead = view.records.iter().map(|placed| placed.record.position);
        // One that was applied long ago is not remembered: nobody writes so late what was answered last.
        let found = self.applied.iter().copied().chain(ahead).find(|found| found.sequence == durable.sequence);
        match found.filter(|found| *found != durable) {
            Some(found) => Err(ChainError::OtherRecord { durable, found }),
            None => Ok(()),
        }
    }

    fn header(&self, segment: SegmentId) -> Option<&SegmentHeader> {
        self.segments.get(&segment).and_then(|followed| followed.view.header.as_ref())
    }

    /// Highest acknowledged sequence of a link: where the next link begins; for the tip, its mark.
    fn limit(&self, links: &[SegmentId], at: usize) -> SequenceNumber {
        let next = links.get(at + 1).and_then(|next| self.header(*next));
        let view = &self.segments[&links[at]].view;
        let mark = if mutant::is(Mutant::TailToEnd) { view.last.sequence } else { view.mark };
        next.map_or(mark, |next| next.start().sequence)
    }

    /// The next range to read of the oldest link that is not wholly read.
    fn next_read(&self, links: &[SegmentId]) -> Result<Option<Ask>, ChainError> {
        for (at, segment) in links.iter().enumerate() {
            let next = links.get(at + 1).and_then(|next| self.header(*next)).and_then(|header| header.base);
            if let Some(base) = next
                && let Some(ask) = self.wanted_up_to(*segment, base.bytes)?
            {
                return Ok(Some(ask));
            }
        }
        Ok(None)
    }

    /// What is to be asked until `bytes` bytes of a segment that the chain runs through are read.
    fn wanted_up_to(&self, segment: SegmentId, bytes: u64) -> Result<Option<Ask>, ChainError> {
        let followed = &self.segments[&segment];
        if followed.view.parsed >= bytes {
            return Ok(None);
        }
        if let Some(damage) = &followed.damage {
            return Err(damage.clone().into());
        }
        let ask = match followed.length {
            _ if followed.readable().min(bytes) > followed.view.read_to() => {
                read(segment, &followed.view, bytes.min(followed.readable()))
            }
            None => Ask::Length(segment),
            Some(Length::Unknown) => Ask::Recover(segment),
            Some(Length::Open(_)) if followed.length_round < self.round => Ask::Length(segment),
            Some(Length::Open(_)) if !followed.recovered => Ask::Recover(segment),
            Some(Length::Closed(length) | Length::Open(length)) => {
                let reason =
                    format!("its records end there ({length} bytes), but its first {bytes} bytes were acknowledged");
                let (offset, after) = (followed.view.parsed, followed.view.last);
                return Err(Damage { segment, offset, after, reason }.into());
            }
        };
        Ok(Some(ask))
    }

    /// Finds the chain: down from the newest segment to the first complete one, then along the bases.
    fn resolve(&self) -> Result<Resolved, ChainError> {
        if self.list_round < self.list_wanted {
            return Ok(Resolved::Wants(Ask::List));
        }
        let lacking = self.lacking();
        for (segment, followed) in self.segments.iter().rev() {
            if lacking.is_some_and(|lacking| *segment < lacking || mutant::is(Mutant::NamedIsNeeded)) {
                break;
            }
            if let Some(ask) = self.wanted_of_tip(*segment, followed) {
                return Ok(Resolved::Wants(ask));
            }
            if let Some(damage) = &followed.damage {
                return Err(damage.clone().into());
            }
            if followed.view.is_complete() {
                return self.walk(*segment);
            }
        }
        if lacking.is_some() { Ok(Resolved::Wants(Ask::List)) } else { Err(ChainError::NoHistory) }
    }

    /// What is not known yet, in this round, of a segment that may be the tip.
    fn wanted_of_tip(&self, segment: SegmentId, followed: &Followed) -> Option<Ask> {
        match followed.length {
            Some(Length::Unknown) => Some(Ask::Recover(segment)),
            Some(Length::Open(_)) if followed.length_round < self.round => Some(Ask::Length(segment)),
            None => Some(Ask::Length(segment)),
            Some(Length::Open(bytes) | Length::Closed(bytes)) => {
                let more = followed.damage.is_none() && followed.view.read_to() < bytes;
                more.then(|| read(segment, &followed.view, bytes))
            }
        }
    }

    /// The links from the one that holds what follows `applied` up to the tip.
    fn walk(&self, tip: SegmentId) -> Result<Resolved, ChainError> {
        let genesis = self.header(tip).expect("the tip is complete").genesis;
        let blind = mutant::is(Mutant::ForeignHistory);
        if let Some(ours) = self.genesis.filter(|ours| *ours != genesis && !blind) {
            return Err(ChainError::Foreign { tip, theirs: genesis, ours });
        }
        let mut links = vec![tip];
        let mut current = tip;
        while let Some(base) = self.header(current).and_then(|header| header.base) {
            if base.position.sequence <= self.applied().sequence {
                break;
            }
            if !self.segments.contains_key(&base.segment) {
                if self.lacking().is_some() {
                    return Ok(Resolved::Wants(Ask::List));
                }
                return Err(ChainError::Missing { missing: base.segment, tip: current, bytes: base.bytes });
            }
            if self.header(base.segment).is_none()
                && let Some(ask) = self.wanted_up_to(base.segment, base.bytes)?
            {
                return Ok(Resolved::Wants(ask));
            }
            links.push(base.segment);
            current = base.segment;
        }
        links.reverse();
        Ok(Resolved::Chain(links))
    }
}

fn read(segment: SegmentId, view: &SegmentView, to: u64) -> Ask {
    let offset = view.read_to();
    Ask::Read { segment, offset, bytes: (to - offset).min(READ_BYTES_MAX) }
}

#[cfg(test)]
#[path = "tailer_tests.rs"]
mod tests;
