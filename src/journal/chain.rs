//! Pure. The words of the chain: position, record, base, segment header; and one segment as far as it was read.

use super::codec::{self, Decoded, Frame};
use super::folder::SegmentId;
use crate::types::SequenceNumber;
use crate::types::mutant::{self, Mutant};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::fmt;

/// A point of the history: the same in every segment and checkpoint that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Number of the last record with entries.
    pub sequence: SequenceNumber,
    /// Rolling hash over all records up to it.
    pub hash: u64,
}

impl Position {
    /// Before the first record.
    pub const START: Position = Position { sequence: SequenceNumber(0), hash: 0 };

    /// The position after a record of these entries that follows this one.
    pub fn after(self, entries: &[u8]) -> Position {
        let sequence = self.sequence.next();
        Position { sequence, hash: codec::history_hash(self.hash, sequence, entries) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.sequence, self.hash)
    }
}

/// A batch as it stands in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Epoch of the segment's writer.
    pub epoch: u64,
    /// Position after it.
    pub position: Position,
    /// Highest sequence that had been answered when it was written.
    pub mark: SequenceNumber,
    /// Encoded entries; empty when it carries only the mark.
    pub entries: Bytes,
}

/// Where a segment takes up the chain: a frame boundary of an earlier segment, acknowledged there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// The earlier segment.
    pub segment: SegmentId,
    /// Its length up to there.
    pub bytes: u64,
    /// The position there.
    pub position: Position,
}

/// The first frame of a segment (F7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The cluster that the folder belongs to.
    pub cluster_id: String,
    /// Random number of the format that began this history.
    pub genesis: u64,
    /// The name that the segment was created under.
    pub segment: SegmentId,
    /// None in the first segment of a history.
    pub base: Option<Base>,
    /// Sequence of the last copied record.
    pub through: SequenceNumber,
}

impl SegmentHeader {
    /// The position before the first record of the segment.
    pub fn start(&self) -> Position {
        self.base.map_or(Position::START, |base| base.position)
    }
}

/// Damage of a segment: what no crash explains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{segment} is damaged at byte {offset}, after record {after}: {reason}")]
pub struct Damage {
    /// Which file.
    pub segment: SegmentId,
    /// Where in it.
    pub offset: u64,
    /// The last good position before it.
    pub after: Position,
    /// What does not fit.
    pub reason: String,
}

/// A record of a segment and where it ends there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The record; always with entries.
    pub record: Record,
    /// Bytes of the segment up to its end.
    pub end: u64,
}

/// One segment, as far as it was read. Grows only.
#[derive(Debug, Clone, Default)]
pub struct SegmentView {
    /// Its header, once it was read.
    pub header: Option<SegmentHeader>,
    /// Records with entries that were not forgotten yet, in order.
    pub records: VecDeque<Placed>,
    /// Position and end of the last forgotten record, or of the header.
    pub forgotten: (Position, u64),
    /// Highest mark in any of its records, or the base's sequence.
    pub mark: SequenceNumber,
    /// Position after the last whole frame.
    pub last: Position,
    /// Bytes of whole frames.
    pub parsed: u64,
    /// What follows them and is no whole frame yet.
    rest: BytesMut,
}

impl SegmentView {
    /// How far it was read: where the next read begins.
    pub fn read_to(&self) -> u64 {
        self.parsed + self.rest.len() as u64
    }

    /// Whether the header and all that was copied into the segment can be read (F8).
    pub fn is_complete(&self) -> bool {
        let blind = mutant::is(Mutant::TornHeader);
        self.header.as_ref().is_some_and(|header| blind || self.last.sequence >= header.through)
    }

    /// Takes the bytes that follow those read before.
    ///
    /// # Errors
    /// Damage: bytes that no writer of this segment wrote.
    pub fn extend(&mut self, segment: SegmentId, bytes: &[u8]) -> Result<(), Damage> {
        self.rest.extend_from_slice(bytes);
        let mut rest = std::mem::take(&mut self.rest).freeze();
        let outcome = loop {
            match codec::decode(&rest, self.last) {
                Decoded::Torn => break Ok(()),
                Decoded::Damaged(_) if mutant::is(Mutant::DamageIsTorn) => break Ok(()),
                Decoded::Damaged(reason) => break Err(self.damage(segment, reason)),
                Decoded::Frame(frame, length) => {
                    let _ = rest.split_to(length);
                    if let Err(reason) = self.take(segment, frame, length as u64) {
                        break Err(self.damage(segment, reason));
                    }
                }
            }
        };
        self.rest = BytesMut::from(&rest[..]);
        outcome
    }

    fn take(&mut self, segment: SegmentId, frame: Frame, length: u64) -> Result<(), String> {
        match (frame, &self.header) {
            (Frame::Header(header), None) if header.segment == segment => {
                self.last = header.start();
                self.mark = self.last.sequence;
                self.forgotten = (self.last, self.parsed + length);
                self.header = Some(header);
            }
            (Frame::Header(header), None) => return Err(format!("its header is that of {}", header.segment)),
            (Frame::Header(_), Some(_)) => return Err("a second segment header".into()),
            (Frame::Record(_), None) => return Err("a record before the segment header".into()),
            (Frame::Record(record), Some(_)) if record.epoch != segment.epoch => {
                return Err(format!("a record of epoch {}", record.epoch));
            }
            (Frame::Record(record), Some(_)) => {
                self.last = record.position;
                self.mark = self.mark.max(record.mark);
                if !record.entries.is_empty() {
                    self.records.push_back(Placed { record, end: self.parsed + length });
                }
            }
        }
        self.parsed += length;
        Ok(())
    }

    fn damage(&self, segment: SegmentId, reason: String) -> Damage {
        Damage { segment, offset: self.parsed, after: self.last, reason }
    }

    /// Drops the records up to `applied`, which will not be asked for again.
    pub fn forget_to(&mut self, applied: SequenceNumber) {
        while let Some(placed) = self.records.front().filter(|placed| placed.record.position.sequence <= applied) {
            self.forgotten = (placed.record.position, placed.end);
            self.records.pop_front();
        }
    }

    /// The position before its first record; that of the beginning while the header is not read.
    pub fn start(&self) -> Position {
        self.header.as_ref().map_or(Position::START, SegmentHeader::start)
    }

    /// Where the record at this position ends; none if the segment does not hold it.
    pub fn end_of(&self, position: Position) -> Option<u64> {
        let (end, at) = self.place(position.sequence)?;
        (at == position).then_some(end)
    }

    /// The place of the record `sequence`, as a later segment names it.
    pub fn base_at(&self, segment: SegmentId, sequence: SequenceNumber) -> Option<Base> {
        self.place(sequence).map(|(bytes, position)| Base { segment, bytes, position })
    }

    fn place(&self, sequence: SequenceNumber) -> Option<(u64, Position)> {
        if self.header.is_some() && self.forgotten.0.sequence == sequence {
            return Some((self.forgotten.1, self.forgotten.0));
        }
        let index = self.records.binary_search_by_key(&sequence, |placed| placed.record.position.sequence).ok()?;
        Some((self.records[index].end, self.records[index].record.position))
    }
}
