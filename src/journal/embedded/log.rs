//! Pure. The replicated log of one member: what is in which segment, and what is to be written for each change.
//!
//! All changes, votes too, are frames of one stream, in the order in which they were made. The stream is cut into
//! segments, which are only appended to. A member begins a segment when it starts and when one is full; a segment begins
//! with the number of the last log entry before it and the vote, so older ones can be deleted as soon as their entries
//! are purged. A frame that is not whole ends the newest segment: this disk never told that it was durable. Anywhere
//! else it is damage, and the member must not vote again.

use super::frames::{self, Decoded, Frame};
use super::types::{LogEntry, LogId, Vote};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;

/// A segment of this size is followed by another one.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Why a log cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Something that this member did not write, or a part of the log is gone.
    #[error(
        "the log of this member is damaged in {file} at offset {offset}: {reason}. Take the member out of the quorum and \
         let it join again with an empty folder"
    )]
    Damaged {
        /// The segment.
        file: String,
        /// Where in it, in bytes.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },
    /// An entry that does not follow the last one.
    #[error("log entry {index} does not follow {last:?}")]
    Hole {
        /// Index of the entry.
        index: u64,
        /// Index of the last one.
        last: Option<u64>,
    },
}

/// What a disk has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ends a segment at this length, and makes it durable.
    Cut {
        /// Number of the segment.
        segment: u64,
        /// Its length from now on.
        bytes: u64,
    },
    /// Makes what was appended durable, and deletes a segment.
    Delete {
        /// Number of the segment.
        segment: u64,
    },
    /// Makes what was appended durable, and creates a segment.
    Begin {
        /// Number of the segment.
        segment: u64,
    },
    /// Appends to the newest segment.
    Append(Bytes),
}

/// See the module text. Holds all entries that are not purged.
#[derive(Debug, Default)]
pub struct Log {
    vote: Option<Vote>,
    purged: Option<LogId>,
    entries: VecDeque<LogEntry>,
    segments: VecDeque<Segment>,
    /// Bytes in the newest segment.
    bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    number: u64,
    /// The highest index of an entry that was ever written to it.
    highest: Option<u64>,
}

/// Name of the file of a segment.
pub fn file_name(segment: u64) -> String {
    format!("{segment:020}.log")
}

/// Number of the segment in a file of this name.
pub fn segment_of(file_name: &str) -> Option<u64> {
    let number = file_name.strip_suffix(".log")?.parse().ok()?;
    (self::file_name(number) == file_name).then_some(number)
}

impl Log {
    /// What the segments tell, in the order of their numbers; and the steps before anything else is written.
    pub fn load(segments: Vec<(u64, Bytes)>) -> Result<(Log, Vec<Step>), LogError> {
        let mut log = Log::default();
        let mut steps = Vec::new();
        let newest = segments.last().map(|(number, _)| *number);
        for (number, content) in segments {
            let bytes = log.read(number, &content, newest == Some(number))?;
            if bytes == 0 {
                log.segments.pop_back();
                steps.push(Step::Delete { segment: number });
            } else if newest == Some(number) {
                // Also if all of it is whole: what a process wrote that was killed is not durable yet, and now it counts.
                steps.push(Step::Cut { segment: number, bytes: bytes as u64 });
            }
        }
        log.begin(&mut steps);
        Ok((log, steps))
    }

    /// Reads a segment. Returns the length of what is whole.
    fn read(&mut self, number: u64, content: &Bytes, is_newest: bool) -> Result<usize, LogError> {
        let damaged = |offset, reason| LogError::Damaged { file: file_name(number), offset, reason };
        if let Some(before) = self.segments.back().filter(|before| before.number + 1 != number) {
            return Err(damaged(0, format!("the segment before it is gone, the last one is {}", before.number)));
        }
        self.segments.push_back(Segment { number, highest: None });
        let mut rest = content.clone();
        loop {
            let offset = content.len() - rest.len();
            match frames::decode(&rest) {
                Decoded::Frame(frame, length) => {
                    self.replay(frame, number, offset).map_err(|reason| damaged(offset, reason))?;
                    rest.advance(length);
                }
                Decoded::End if is_newest || offset > 0 => return Ok(offset),
                Decoded::End => return Err(damaged(offset, "nothing is in it".into())),
                Decoded::Short if is_newest && !has_frame(&rest) => return Ok(offset),
                Decoded::Unfit(_) if is_newest && !has_frame(&rest) => return Ok(offset),
                Decoded::Short => return Err(damaged(offset, "a frame that is not whole".into())),
                Decoded::Unfit(reason) => return Err(damaged(offset, reason)),
            }
        }
    }

    fn replay(&mut self, frame: Frame, segment: u64, offset: usize) -> Result<(), String> {
        let is_first = offset == 0;
        if is_first != matches!(frame, Frame::Segment { .. }) {
            return Err("a segment begins with its number, and only there".into());
        }
        match frame {
            Frame::Segment { number, last } => {
                if number != segment {
                    return Err(format!("it says that it is segment {number}"));
                }
                if self.segments.len() == 1 {
                    self.purged = last;
                } else if last != self.last() {
                    return Err(format!("it follows {last:?}, but the segment before it ends with {:?}", self.last()));
                }
            }
            Frame::Entry(entry) => self.push(entry).map_err(|error| error.to_string())?,
            Frame::Vote(vote) => self.vote = Some(vote),
            Frame::Truncated(last) => {
                self.drop_behind(last);
                // What the first segment follows was truncated here, and purged with the segment in which it stood.
                if self.purged > last {
                    self.purged = last;
                }
                if self.last() != last {
                    return Err(format!("truncated behind {last:?}, but there is {:?}", self.last()));
                }
            }
            Frame::Purged(upto) => self.drop_upto(upto),
        }
        Ok(())
    }

    /// The vote that was saved last.
    pub fn vote(&self) -> Option<Vote> {
        self.vote
    }

    /// The last log entry that was purged.
    pub fn purged(&self) -> Option<LogId> {
        self.purged
    }

    /// The last log entry, or the last that was purged.
    pub fn last(&self) -> Option<LogId> {
        self.entries.back().map(|entry| entry.log_id).or(self.purged)
    }

    /// The entries of the indexes from `from`, below `to`, as far as there are any.
    pub fn entries(&self, from: u64, to: u64) -> impl Iterator<Item = &LogEntry> {
        let first = self.entries.front().map_or(0, |entry| entry.log_id.index);
        let at = |index: u64| (index.saturating_sub(first) as usize).min(self.entries.len());
        self.entries.range(at(from)..at(to).max(at(from)))
    }

    /// Keeps a vote.
    pub fn save_vote(&mut self, vote: Vote) -> Vec<Step> {
        self.vote = Some(vote);
        self.write(|out| frames::encode(out, &Frame::Vote(vote)))
    }

    /// Adds entries. None is added if one does not follow the one before it.
    pub fn append(&mut self, entries: Vec<LogEntry>) -> Result<Vec<Step>, LogError> {
        let next = self.next_index();
        let start = if self.last().is_none() { entries.first().map_or(0, |entry| entry.log_id.index) } else { next };
        if let Some((_, entry)) = (start..).zip(&entries).find(|(index, entry)| *index != entry.log_id.index) {
            return Err(self.hole(entry.log_id.index));
        }
        let steps = self.write(|out| entries.iter().for_each(|entry| frames::encode_entry(out, entry)));
        for entry in entries {
            self.push(entry)?;
        }
        Ok(steps)
    }

    /// Drops all entries behind this one; none: all. What is purged stays so.
    pub fn truncate_after(&mut self, last: Option<LogId>) -> Vec<Step> {
        let last = last.max(self.purged);
        if last >= self.last() {
            return Vec::new();
        }
        let steps = self.write(|out| frames::encode(out, &Frame::Truncated(last)));
        self.drop_behind(last);
        steps
    }

    /// Drops all entries up to this one, and segments without others. It may lie behind the last entry.
    pub fn purge(&mut self, upto: LogId) -> Vec<Step> {
        if self.purged.is_some_and(|purged| purged.index >= upto.index) {
            return Vec::new();
        }
        let mut steps = self.write(|out| frames::encode(out, &Frame::Purged(upto)));
        self.drop_upto(upto);
        while self.segments.len() > 1 && self.segments[0].highest.is_none_or(|highest| highest <= upto.index) {
            steps.extend(self.segments.pop_front().map(|gone| Step::Delete { segment: gone.number }));
        }
        steps
    }

    fn next_index(&self) -> u64 {
        self.last().map_or(0, |last| last.index + 1)
    }

    fn hole(&self, index: u64) -> LogError {
        LogError::Hole { index, last: self.last().map(|last| last.index) }
    }

    fn push(&mut self, entry: LogEntry) -> Result<(), LogError> {
        let index = entry.log_id.index;
        if self.last().is_some_and(|last| last.index + 1 != index) {
            return Err(self.hole(index));
        }
        self.entries.push_back(entry);
        let segment = self.segments.back_mut().expect("a log that is read or written has a segment");
        segment.highest = segment.highest.max(Some(index));
        Ok(())
    }

    fn drop_behind(&mut self, last: Option<LogId>) {
        let next = last.map_or(0, |last| last.index + 1);
        while self.entries.back().is_some_and(|entry| entry.log_id.index >= next) {
            self.entries.pop_back();
        }
    }

    fn drop_upto(&mut self, upto: LogId) {
        while self.entries.front().is_some_and(|entry| entry.log_id.index <= upto.index) {
            self.entries.pop_front();
        }
        self.purged = self.purged.max(Some(upto));
    }

    fn begin(&mut self, steps: &mut Vec<Step>) {
        let number = self.segments.back().map_or(1, |newest| newest.number + 1);
        let mut head = Vec::new();
        frames::encode(&mut head, &Frame::Segment { number, last: self.last() });
        if let Some(vote) = self.vote {
            frames::encode(&mut head, &Frame::Vote(vote));
        }
        self.segments.push_back(Segment { number, highest: None });
        self.bytes = head.len() as u64;
        steps.extend([Step::Begin { segment: number }, Step::Append(head.into())]);
    }

    fn write(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.bytes >= SEGMENT_BYTES {
            self.begin(&mut steps);
        }
        let mut out = Vec::new();
        encode(&mut out);
        self.bytes += out.len() as u64;
        steps.push(Step::Append(out.into()));
        steps
    }
}

/// Whether a whole frame begins anywhere behind the beginning of `bytes`.
fn has_frame(bytes: &Bytes) -> bool {
    let magic = crate::journal::codec::MAGIC;
    // The magic stands behind the kind.
    let places = bytes.windows(magic.len()).enumerate().skip(2).filter(|(_, window)| window == magic);
    places.map(|(at, _)| at - 1).any(|at| matches!(frames::decode(&bytes.slice(at..)), Decoded::Frame(..)))
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
