//! What of a segment can be read when something in it is damaged: every frame that is whole, also those behind the
//! damage. Masters stop at damage; this is for people, and for `alluxio journal repair`.

use bytes::{Bytes, BytesMut};

use crate::journal::chain::{Position, SegmentHeader};
use crate::journal::codec::{self, Decoded, FRAME_HEADER_BYTES, Frame};
use crate::journal::folder::{JournalStore, SegmentId, StoreError};
use crate::journal::tailer::READ_BYTES_MAX;
use crate::types::SequenceNumber;

/// A range that the store says is damaged is read in pieces, down to this size: what HDFS has a checksum for.
const PIECE_BYTES_MIN: u64 = 512;
/// What stands for bytes that cannot be read. No frame begins with it, and it is not the zero of a torn end.
const UNREADABLE: u8 = 0xff;

/// A whole record with entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Position after it.
    pub position: Position,
    /// Where its frame begins.
    pub offset: u64,
    /// Bytes of the frame.
    pub bytes: u64,
}

impl Found {
    /// Where its frame ends.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes
    }
}

/// Records of which each follows the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Run {
    /// The position before the first, when a frame tells it.
    pub follows: Option<Position>,
    /// The entries of the first, when no frame tells what it follows.
    first: Bytes,
    /// In order.
    pub records: Vec<Found>,
}

impl Run {
    /// Index of the record that follows `at` here.
    pub fn after(&self, at: Position) -> Option<usize> {
        let first = self.records.first()?;
        let index = usize::try_from(at.sequence.next().0.checked_sub(first.position.sequence.0)?).ok()?;
        let found = self.records.get(index)?;
        let before = match index.checked_sub(1) {
            Some(before) => self.records[before].position == at,
            None => self.follows.map_or_else(|| at.after(&self.first) == found.position, |follows| follows == at),
        };
        before.then_some(index)
    }
}

/// Bytes that are no frame of this segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where they begin.
    pub offset: u64,
    /// Where the next whole frame begins; the end of the segment if none does.
    pub to: u64,
    /// The last position before, if one is known.
    pub after: Option<Position>,
    /// What does not fit.
    pub reason: String,
}

/// What is there of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Which.
    pub segment: SegmentId,
    /// Bytes of the file.
    pub length: u64,
    /// Its header, if that is whole.
    pub header: Option<SegmentHeader>,
    /// Its records.
    pub runs: Vec<Run>,
    /// What is damaged.
    pub gaps: Vec<Gap>,
    /// Where its frames end before the file does, as when a writer died, or zeros follow.
    pub torn_at: Option<u64>,
    /// Highest mark, or number of the base.
    pub mark: SequenceNumber,
}

impl Scan {
    /// The last record in it; none without one.
    pub fn last(&self) -> Option<Position> {
        self.runs.iter().filter_map(|run| run.records.last()).map(|found| found.position).max()
    }

    /// The first record in it; none without one.
    pub fn first(&self) -> Option<Position> {
        self.runs.iter().filter_map(|run| run.records.first()).map(|found| found.position).min()
    }

    fn take(&mut self, frame: Frame, offset: u64, bytes: u64, before: Option<Position>) -> Result<Position, String> {
        match frame {
            Frame::Header(header) if offset == 0 && header.segment == self.segment => {
                let start = header.start();
                self.mark = start.sequence;
                self.header = Some(header);
                self.runs = vec![Run { follows: Some(start), ..Run::default() }];
                Ok(start)
            }
            Frame::Header(header) if offset == 0 => Err(format!("its header is that of {}", header.segment)),
            Frame::Header(_) => Err("a second segment header".into()),
            Frame::Record(record) if record.epoch != self.segment.epoch => {
                Err(format!("a record of epoch {}", record.epoch))
            }
            Frame::Record(record) => {
                if before.is_none() {
                    let follows = record.entries.is_empty().then_some(record.position);
                    let first = Bytes::copy_from_slice(&record.entries);
                    self.runs.push(Run { follows, first, records: Vec::new() });
                }
                self.mark = self.mark.max(record.mark);
                if !record.entries.is_empty() {
                    let run = self.runs.last_mut().expect("the first frame begins one");
                    run.records.push(Found { position: record.position, offset, bytes });
                }
                Ok(record.position)
            }
        }
    }
}

/// Finds the frames of a segment in its bytes.
pub fn scan(segment: SegmentId, content: &Bytes) -> Scan {
    let length = content.len() as u64;
    let mut scan =
        Scan { segment, length, header: None, runs: vec![], gaps: vec![], torn_at: None, mark: SequenceNumber(0) };
    let (mut at, mut last) = (0, None);
    // The position before the next frame, as long as it is known.
    let mut before = None;
    while at < content.len() {
        let rest = content.slice(at..);
        let decoded = match before {
            Some(before) => codec::decode(&rest, before),
            None => codec::decode_alone(&rest),
        };
        let offset = at as u64;
        let reason = match decoded {
            Decoded::Frame(frame, bytes) => match scan.take(frame, offset, bytes as u64, before) {
                Ok(position) => {
                    (before, last) = (Some(position), Some(position));
                    at += bytes;
                    continue;
                }
                Err(reason) => reason,
            },
            Decoded::Torn => {
                scan.torn_at = Some(offset);
                break;
            }
            Decoded::Damaged(reason) => reason,
        };
        // A record that does not follow the one before may be the first of those that are whole again.
        let next = match before.take().map(|_| codec::decode_alone(&rest)) {
            Some(Decoded::Frame(Frame::Record(record), _)) if record.epoch == segment.epoch => at,
            _ => next_frame(content, at).unwrap_or(content.len()),
        };
        scan.gaps.push(Gap { offset, to: next as u64, after: last, reason });
        at = next;
    }
    scan
}

/// Where the next whole frame begins behind the one at `at`, which is none, or is damaged.
fn next_frame(content: &Bytes, at: usize) -> Option<usize> {
    // What a frame that can be measured contains is no frame, whatever it looks like.
    let from = at + codec::length_of(&content[at..]).unwrap_or(1);
    let magic_at = |at: &usize| content.get(at + 1..at + 4) == Some(codec::MAGIC);
    let whole = |at: &usize| matches!(codec::decode_alone(&content.slice(at..)), Decoded::Frame(..));
    (from..content.len().saturating_sub(FRAME_HEADER_BYTES - 1)).filter(magic_at).find(whole)
}

/// Reads `length` bytes of a segment. What the store says is damaged is replaced, the rest is read around it.
///
/// # Errors
/// The store does not answer.
pub async fn read_around(store: &dyn JournalStore, segment: SegmentId, length: u64) -> Result<Bytes, StoreError> {
    let mut content = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
    let mut wanted: Vec<(u64, u64)> = Vec::new();
    wanted.push((0, length));
    while let Some((from, to)) = wanted.pop() {
        let bytes = to - from;
        if bytes > READ_BYTES_MAX {
            wanted.extend([(from + READ_BYTES_MAX, to), (from, from + READ_BYTES_MAX)]);
            continue;
        }
        match store.read(segment, from, bytes).await {
            Ok(read) => content.extend_from_slice(&read),
            Err(StoreError::Damaged { .. }) if bytes > PIECE_BYTES_MIN => {
                let middle = from + (bytes / 2).next_multiple_of(PIECE_BYTES_MIN);
                wanted.extend([(middle, to), (from, middle)]);
            }
            Err(StoreError::Damaged { .. }) => content.resize(content.len() + bytes as usize, UNREADABLE),
            Err(error) => return Err(error),
        }
    }
    Ok(content.freeze())
}

#[cfg(test)]
#[path = "journal_scan_tests.rs"]
mod tests;
