//! Pure. The one writer of an epoch: which segment is created, what is appended to it, what is acknowledged.
//!
//! One flush is under way at a time, or as many as the store does better with; what is queued meanwhile goes with the
//! next one (`gather.rs` says when). Flushes end in order. A failed one ends the segment, and with it those behind: the
//! writer creates the next one, whose header names the acknowledged end and which begins with all that is not
//! acknowledged; late answers of the old segment mean nothing any more (F7).
//!
//! Invariants: sequences have no gap; `base` is a place that a flush of this epoch, or the takeover, acknowledged;
//! nothing is appended to a segment after a failed flush.

use super::chain::{Base, Position, Record, SegmentHeader};
use super::codec;
use super::folder::SegmentId;
use super::gather::Gather;
use crate::types::SequenceNumber;
use crate::types::mutant::{self, Mutant};
use crate::types::time::Boot;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// An idle leader writes its mark after this time, so that standbys can apply (F9).
pub const MARK_DELAY: Duration = Duration::from_millis(50);
/// How long a writer waits before it creates another segment after a failed try, which is a creation, or a flush that
/// follows another failure: doubled with each further one, up to the last, until a flush succeeds.
pub const CREATE_DELAY: Duration = Duration::from_millis(200);
/// Each try leaves an empty file. Short enough to go on soon when the store is back.
const CREATE_DELAY_MAX: Duration = Duration::from_secs(2);
/// The same while nothing is to be written, or the segment before takes it: nobody waits for the next one.
const CREATE_DELAY_AHEAD_MAX: Duration = Duration::from_secs(60);

/// Sizes at which the writer acts.
#[derive(Debug, Clone, Copy)]
pub struct WriterLimits {
    /// A segment of this size is followed by a new one. Far below a block, which it must never leave.
    pub segment_bytes: u64,
    /// With more than this not acknowledged, no more is taken.
    pub unacknowledged_bytes: usize,
    /// How many flushes may be under way; 1 or more.
    pub flights: usize,
}

/// Whose history is written, and where it is taken up.
#[derive(Debug, Clone)]
pub struct WriterStart {
    /// The cluster of the folder.
    pub cluster_id: String,
    /// Number of the history.
    pub genesis: u64,
    /// The claimed epoch.
    pub epoch: u64,
    /// The acknowledged end of the chain; none begins a history.
    pub base: Option<Base>,
    /// What follows the base and is written again.
    pub copies: Vec<Record>,
}

/// What the writer wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterEffect {
    /// Create a segment, exclusively.
    Create(SegmentId),
    /// Append and flush.
    Append {
        /// Where.
        segment: SegmentId,
        /// What.
        bytes: Bytes,
    },
    /// The segment is over: close it when there is time.
    Close(SegmentId),
}

/// The first segment of the epoch could not be created for certain: the epoch is to be given up (F6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochTaken;

#[derive(Debug, Clone)]
struct Queued {
    position: Position,
    entries: Bytes,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    segment: SegmentId,
    /// Bytes appended, acknowledged or not.
    bytes: u64,
    /// Bytes that fit.
    capacity: u64,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    /// Position after its last record.
    last: Position,
    /// Mark in its last record.
    mark: SequenceNumber,
    /// Bytes of the segment up to its end.
    bytes: u64,
    /// Its records, and the bytes of their entries.
    records: usize,
    entries: usize,
}

/// See the module text.
#[derive(Debug, Clone)]
pub struct Writer {
    cluster_id: String,
    genesis: u64,
    epoch: u64,
    limits: WriterLimits,
    base: Option<Base>,
    last: Position,
    unacknowledged: VecDeque<Queued>,
    unacknowledged_bytes: usize,
    current: Option<Current>,
    /// Created ahead, not yet written to.
    ready: Option<Current>,
    creating: Option<SegmentId>,
    /// Since when there is a pause before the next creation.
    paused_at: Option<Boot>,
    create_failures: u32,
    /// The next creation is to wait, because a segment was created and could not be written.
    pause: bool,
    /// A flush or a creation failed, and no flush has succeeded since.
    failing: bool,
    next_index: u32,
    created: u32,
    /// The flushes under way, in order.
    flights: VecDeque<Flight>,
    gather: Gather,
    flushed: Option<Position>,
    /// How many segments must be registered before what is flushed may be answered.
    flushed_segments: u32,
    mark: Position,
    written_mark: SequenceNumber,
    written_at: Boot,
}

impl Writer {
    /// A writer that will begin with segment 0 of its epoch.
    pub fn new(start: WriterStart, limits: WriterLimits) -> Writer {
        let WriterStart { cluster_id, genesis, epoch, base, copies } = start;
        let begin = base.map_or(Position::START, |base| base.position);
        let unacknowledged: VecDeque<Queued> =
            copies.into_iter().map(|record| Queued { position: record.position, entries: record.entries }).collect();
        Writer {
            last: unacknowledged.back().map_or(begin, |queued| queued.position),
            unacknowledged_bytes: unacknowledged.iter().map(|queued| queued.entries.len()).sum(),
            unacknowledged,
            cluster_id,
            genesis,
            epoch,
            limits,
            base,
            current: None,
            ready: None,
            creating: None,
            paused_at: None,
            create_failures: 0,
            pause: false,
            failing: false,
            next_index: 0,
            created: 0,
            flights: VecDeque::new(),
            gather: Gather::new(limits.flights),
            flushed: None,
            flushed_segments: 0,
            mark: begin,
            written_mark: begin.sequence,
            written_at: Boot::default(),
        }
    }

    /// Queues a batch as one record, for which so many `operations` wait, and gives its number. The caller has seen that
    /// the writer is not full.
    pub fn append(&mut self, entries: Bytes, operations: usize) -> SequenceNumber {
        assert!(!entries.is_empty(), "a record without entries carries only a mark");
        self.gather.queue(operations);
        self.last = self.last.after(&entries);
        self.unacknowledged_bytes += entries.len();
        self.unacknowledged.push_back(Queued { position: self.last, entries });
        self.last.sequence
    }

    /// So many operations change nothing and wait for what is queued, or for what is under way.
    pub fn follow(&mut self, operations: usize) {
        if self.sent().sequence < self.last.sequence {
            self.gather.queue(operations);
        }
    }

    /// Position after the last queued record.
    pub fn last(&self) -> Position {
        self.last
    }

    /// Position up to which everything is on the whole pipeline; none before the header is.
    pub fn flushed(&self) -> Option<Position> {
        self.flushed
    }

    /// Highest sequence that was answered.
    pub fn mark(&self) -> SequenceNumber {
        self.mark.sequence
    }

    /// Highest sequence that a record which is on the whole pipeline says was answered: standbys know as much.
    pub fn written_mark(&self) -> SequenceNumber {
        self.written_mark
    }

    /// When the last append was sent.
    pub fn written_at(&self) -> Boot {
        self.written_at
    }

    /// Position of the mark.
    pub fn mark_position(&self) -> Position {
        self.mark
    }

    /// How many segments of the epoch must be registered before what is flushed may be answered.
    pub fn flushed_segments(&self) -> u32 {
        self.flushed_segments
    }

    /// Number of the history that is written.
    pub fn genesis(&self) -> u64 {
        self.genesis
    }

    /// How many segments of the epoch exist for certain.
    pub fn created_segments(&self) -> u32 {
        self.created
    }

    /// Whether no more may be queued for now.
    pub fn is_full(&self) -> bool {
        self.unacknowledged_bytes >= self.limits.unacknowledged_bytes
    }

    /// Whether changes are queued or under way that are not flushed.
    pub fn has_unflushed(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// Whether the store has refused or failed since the last flush.
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// Says that everything up to `mark` was answered.
    pub fn answered(&mut self, mark: Position) {
        assert!(Some(mark) <= self.flushed, "an answer follows its flush");
        self.mark = self.mark.max(mark);
    }

    /// The outcome of a creation. `capacity`: bytes that fit into the segment. Says whether it was waited for: one that
    /// comes after it was given up means nothing.
    ///
    /// # Errors
    /// The first segment of the epoch may be another's.
    pub fn created(&mut self, segment: SegmentId, capacity: Option<u64>, now: Boot) -> Result<bool, EpochTaken> {
        if self.creating != Some(segment) {
            return Ok(false);
        }
        self.creating = None;
        match capacity {
            Some(capacity) => {
                self.created = segment.index + 1;
                self.ready = Some(Current { segment, bytes: 0, capacity });
            }
            None if segment.index == 0 => return Err(EpochTaken),
            None => {
                self.wait_to_create(now);
                self.failing |= self.has_unflushed();
            }
        }
        Ok(true)
    }

    /// The outcome of an append: durable, or failed; or a segment to which nothing was sent is broken. Says whether it
    /// counted.
    pub fn appended(&mut self, segment: SegmentId, durable: bool, now: Boot) -> bool {
        if !durable && self.ready.take_if(|ready| ready.segment == segment).is_some() {
            return true;
        }
        let blind = mutant::is(Mutant::OldSegmentCounts);
        let Some(current) = self.current.filter(|current| current.segment == segment || blind) else { return false };
        let Some(flight) = self.flights.pop_front() else {
            if !durable {
                self.current = None;
            }
            return !durable;
        };
        let flight = if mutant::is(Mutant::FirstCountsForAll) { self.all_sent(flight) } else { flight };
        self.gather.end(durable, now);
        if !durable && !mutant::is(Mutant::FailedFlushCounts) {
            self.current = None;
            if !mutant::is(Mutant::OthersSurvive) {
                self.flights.clear();
            }
            if mutant::is(Mutant::RollNamesSent) {
                self.base = Some(Base { segment, bytes: flight.bytes, position: flight.last });
                self.unacknowledged.retain(|queued| queued.position.sequence > flight.last.sequence);
            }
            // One failure is that of a DataNode, which the next segment avoids: that need not wait.
            self.paused_at = None;
            self.pause = self.failing || self.create_failures > 0;
            self.failing = true;
            return true;
        }
        while self.unacknowledged.front().is_some_and(|queued| queued.position.sequence <= flight.last.sequence) {
            let queued = self.unacknowledged.pop_front().expect("just seen");
            self.unacknowledged_bytes -= queued.entries.len();
        }
        if segment.index + 1 == self.next_index {
            self.create_failures = 0;
        }
        self.failing = false;
        self.flushed = Some(flight.last);
        self.flushed_segments = segment.index + 1;
        self.written_mark = flight.mark;
        let bytes = if mutant::is(Mutant::BaseOfAllSent) { current.bytes } else { flight.bytes };
        self.base = Some(Base { segment, bytes, position: flight.last });
        true
    }

    /// Of a broken rule: what is under way counts with the first.
    fn all_sent(&mut self, first: Flight) -> Flight {
        std::mem::take(&mut self.flights).pop_back().unwrap_or(first)
    }

    fn wait_to_create(&mut self, now: Boot) {
        self.paused_at = Some(now);
        self.create_failures += 1;
    }

    /// When the next segment may be created; none: at once.
    fn create_at(&self) -> Option<Boot> {
        let all_is_written = self.unacknowledged.is_empty() && self.mark.sequence <= self.written_mark;
        let nobody_waits = all_is_written || self.current.is_some_and(|current| self.fits(current));
        let longest = if nobody_waits { CREATE_DELAY_AHEAD_MAX } else { CREATE_DELAY_MAX };
        let delay = CREATE_DELAY * 2u32.pow(self.create_failures.saturating_sub(1).min(10));
        self.paused_at.map(|at| at + delay.min(longest))
    }

    /// What is to be done now.
    pub fn effects(&mut self, now: Boot) -> Vec<WriterEffect> {
        let mut effects = Vec::new();
        self.gather.look(now);
        if std::mem::take(&mut self.pause) {
            self.wait_to_create(now);
        }
        // The base of a header says "answered": what is flushed but held back must not become one (F9).
        let answered = self.flushed.is_none_or(|flushed| flushed == self.mark) || mutant::is(Mutant::RollUnanswered);
        if (self.flights.is_empty() || mutant::is(Mutant::RollUnderWay))
            && let Some(next) = self.ready.take_if(|_| answered)
        {
            effects.extend(self.current.take().map(|old| WriterEffect::Close(old.segment)));
            self.current = Some(next);
            effects.push(self.begin_segment(now));
        }
        effects.extend(self.next_append(now));
        let over = self.current.is_none_or(|current| current.bytes >= self.limits.segment_bytes || !self.fits(current));
        let may_create = self.creating.is_none() && self.ready.is_none();
        if over && may_create && self.create_at().is_none_or(|at| now >= at) {
            let segment = SegmentId { epoch: self.epoch, index: self.next_index };
            self.next_index += 1;
            self.creating = Some(segment);
            self.paused_at = None;
            effects.push(WriterEffect::Create(segment));
        }
        effects
    }

    /// When `effects`, which had nothing more to say at `now`, may have something new without an event.
    pub fn wake_at(&self, now: Boot) -> Option<Boot> {
        let mark = (self.flights.is_empty() && self.current.is_some() && self.mark.sequence > self.written_mark)
            .then(|| self.written_at + MARK_DELAY);
        let create = self.create_at().filter(|_| self.creating.is_none());
        let gathered = self.gather.waits_until(now).filter(|_| self.flights.is_empty() && self.has_unflushed());
        mark.into_iter().chain(create).chain(gathered).filter(|at| *at > now).min()
    }

    /// Header and all that is not acknowledged, as one append: the segment counts when all of it is readable.
    fn begin_segment(&mut self, now: Boot) -> WriterEffect {
        let current = self.current.expect("just set");
        let header = SegmentHeader {
            cluster_id: self.cluster_id.clone(),
            genesis: self.genesis,
            segment: current.segment,
            base: self.base,
            through: self.last.sequence,
        };
        let mut bytes = Vec::with_capacity(256 + self.unacknowledged_bytes);
        codec::encode_header(&mut bytes, &header);
        self.send(bytes, now)
    }

    fn next_append(&mut self, now: Boot) -> Option<WriterEffect> {
        let current = self.current?;
        // Where the next segment waits, this one comes to its end. The first append of a segment is alone: it counts when
        // all of it is there.
        let begins = current.bytes > 0 && self.base.is_none_or(|base| base.segment != current.segment);
        let most = if self.ready.is_some() || begins { 1 } else { self.limits.flights };
        if self.flights.len() >= most || !self.fits(current) {
            return None; // The next segment is being created: see `effects`.
        }
        if self.sent().sequence < self.last.sequence {
            return self.gather.is_over(now).then(|| self.send(Vec::with_capacity(self.queued_bytes()), now));
        }
        if !self.flights.is_empty() {
            return None;
        }
        let silent = mutant::is(Mutant::NoIdleMark);
        if self.mark.sequence > self.written_mark && now >= self.written_at + MARK_DELAY && !silent {
            let mut bytes = Vec::with_capacity(codec::FRAME_HEADER_BYTES);
            codec::encode_record(&mut bytes, self.epoch, self.last, self.mark.sequence, &[]);
            return Some(self.send(bytes, now));
        }
        None
    }

    /// Position after the last record that was sent to the current segment, or counts as flushed.
    fn sent(&self) -> Position {
        let flushed = self.base.map_or(Position::START, |base| base.position);
        self.flights.back().map_or(flushed, |flight| flight.last)
    }

    /// What an append of all that was not sent takes, and a record more.
    fn queued_bytes(&self) -> usize {
        let sent = self.flights.iter().fold((0, 0), |sum, flight| (sum.0 + flight.records, sum.1 + flight.entries));
        self.unacknowledged_bytes - sent.1 + (self.unacknowledged.len() - sent.0 + 1) * codec::FRAME_HEADER_BYTES
    }

    fn fits(&self, current: Current) -> bool {
        current.bytes + self.queued_bytes() as u64 <= current.capacity
    }

    /// Appends all that is queued and was not sent to `bytes`, and sends them.
    fn send(&mut self, mut bytes: Vec<u8>, now: Boot) -> WriterEffect {
        let (mut records, mut entries) = (0, 0);
        for queued in self.unacknowledged.iter().skip(self.flights.iter().map(|flight| flight.records).sum()) {
            (records, entries) = (records + 1, entries + queued.entries.len());
            codec::encode_record(&mut bytes, self.epoch, queued.position, self.mark.sequence, &queued.entries);
        }
        self.written_at = now;
        self.gather.begin(now);
        let current = self.current.as_mut().expect("only an open segment is written to");
        current.bytes += bytes.len() as u64;
        let (last, mark, bytes_to) = (self.last, self.mark.sequence, current.bytes);
        self.flights.push_back(Flight { last, mark, bytes: bytes_to, records, entries });
        WriterEffect::Append { segment: current.segment, bytes: bytes.into() }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
