//! Pure. What of a journal nobody needs any more, now that checkpoints hold it.
//!
//! Let n be the older of the two newest checkpoints, and S the last segment of the chain that begins at or before n and
//! holds a record that was answered: all segments before S, and all checkpoints before those two, may go. Every later leader
//! finds S complete, because it was answered, so its chain runs through S or begins where S does, and it does not open what
//! is before. Any master may collect, one that was deposed too, on any old listing: what it deletes was permanent and in
//! checkpoints then, and is so for ever. The newest epoch is never deleted, so epochs are not used twice.
//!
//! That a segment was answered from, the header of a later one tells: its base, beyond the beginning of S, is a place in S
//! that was acknowledged there. So the collector reads headers only, from the newest segment down, along the bases.
//! If the condition were left out, a torn segment of a leader that never answered could count for S, and what was answered
//! before it would be gone.

use super::chain::SegmentHeader;
use super::folder::{CheckpointId, Listing, SegmentId};
use crate::types::SequenceNumber;
use crate::types::mutant::{self, Mutant};

/// What the collector wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Of which history a checkpoint is.
    Genesis(CheckpointId),
    /// The header of a segment.
    Header(SegmentId),
}

/// What may be deleted, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Those of this history before the two newest.
    pub checkpoints: Vec<CheckpointId>,
    /// Segments before the one that the older of those two needs.
    pub segments: Vec<SegmentId>,
}

/// Checkpoints that stay: the newest one may turn out to be damaged.
const KEPT: usize = 2;

/// See the module text.
#[derive(Debug, Clone)]
pub struct Collector {
    genesis: u64,
    listing: Listing,
    /// How many checkpoints were looked at, from the newest down, and those of them that are of this history.
    looked_at: usize,
    ours: Vec<CheckpointId>,
    /// The segment to look at, and up to where a later one says that it was acknowledged.
    at: Option<(SegmentId, SequenceNumber)>,
    /// S.
    needed: Option<SegmentId>,
}

impl Collector {
    /// Of a listing, old or not, for the history `genesis`.
    pub fn new(genesis: u64, mut listing: Listing) -> Collector {
        listing.segments.sort();
        listing.checkpoints.sort();
        let at = listing.segments.last().map(|newest| (*newest, SequenceNumber(0)));
        Collector { genesis, listing, looked_at: 0, ours: Vec::new(), at, needed: None }
    }

    /// What is to be told next; none: `garbage` is known.
    pub fn want(&self) -> Option<Want> {
        // All of them: numbers of another history say nothing of which is older.
        let next = self.listing.checkpoints.iter().rev().nth(self.looked_at);
        if next.is_some() || self.ours.len() < KEPT {
            return next.map(|id| Want::Genesis(*id));
        }
        self.at.filter(|_| self.needed.is_none()).map(|(segment, _)| Want::Header(segment))
    }

    /// The genesis that the checkpoint names which is wanted; none if it cannot be read.
    pub fn genesis(&mut self, id: CheckpointId, genesis: Option<u64>) {
        self.looked_at += 1;
        if genesis == Some(self.genesis) || mutant::is(Mutant::CollectForeign) {
            self.ours.push(id);
        }
    }

    /// The header of the segment that is wanted; none if it cannot be read.
    pub fn header(&mut self, segment: SegmentId, header: Option<&SegmentHeader>) {
        let Some((_, acknowledged)) = self.at.take() else { return };
        let Some(header) = header.filter(|header| header.genesis == self.genesis) else {
            // One of the newest may be torn, or of a later history. What a header names is there, or was collected.
            let before = self.listing.segments.iter().rev().find(|other| **other < segment);
            self.at = before.filter(|_| acknowledged == SequenceNumber(0)).map(|before| (*before, acknowledged));
            return;
        };
        let start = header.start().sequence;
        let answered = acknowledged > start || mutant::is(Mutant::CollectUnanswered);
        let n = self.ours.get(if mutant::is(Mutant::CollectToNewest) { 0 } else { KEPT - 1 });
        if answered && n.is_some_and(|n| start <= n.sequence) {
            self.needed = Some(segment);
        } else {
            self.at = header.base.map(|base| (base.segment, base.position.sequence));
        }
    }

    /// The record up to which all is in two checkpoints: n. None: there are not two.
    pub fn twice_kept(&self) -> Option<SequenceNumber> {
        self.ours.get(KEPT - 1).map(|older| older.sequence)
    }

    /// What may be deleted, once nothing is wanted.
    pub fn garbage(&self) -> Garbage {
        let Some(needed) = self.needed else { return Garbage::default() };
        let segments = self.listing.segments.iter().filter(|segment| **segment < needed);
        let older = self.ours.iter().skip(KEPT).rev();
        Garbage { checkpoints: older.copied().collect(), segments: segments.copied().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::chain::{Base, Position};
    use std::collections::BTreeMap;

    const GENESIS: u64 = 7;

    fn segment(epoch: u64, index: u32) -> SegmentId {
        SegmentId { epoch, index }
    }

    fn checkpoint(sequence: u64) -> CheckpointId {
        CheckpointId { sequence: SequenceNumber(sequence), hash: sequence }
    }

    fn header(segment: SegmentId, base: Option<(SegmentId, u64)>) -> SegmentHeader {
        let base = base.map(|(segment, sequence)| {
            let position = Position { sequence: SequenceNumber(sequence), hash: sequence };
            Base { segment, bytes: 100, position }
        });
        SegmentHeader { cluster_id: "c".into(), genesis: GENESIS, segment, base, through: SequenceNumber(0) }
    }

    /// What is garbage in a folder with these segments (whose headers can be read if they have one) and checkpoints (of
    /// that genesis).
    fn garbage(headers: &[(SegmentId, Option<SegmentHeader>)], checkpoints: &[(u64, u64)]) -> Garbage {
        let segments = headers.iter().map(|(segment, _)| *segment).collect();
        let origins: BTreeMap<_, _> = checkpoints.iter().map(|(at, genesis)| (checkpoint(*at), *genesis)).collect();
        let mut collector =
            Collector::new(GENESIS, Listing { segments, checkpoints: origins.keys().copied().collect() });
        while let Some(want) = collector.want() {
            match want {
                Want::Genesis(id) => collector.genesis(id, origins.get(&id).copied()),
                Want::Header(segment) => {
                    let found = headers.iter().find(|(id, _)| *id == segment);
                    collector.header(segment, found.and_then(|(_, header)| header.as_ref()));
                }
            }
        }
        collector.garbage()
    }

    /// Four segments of one epoch: they begin at 0, 10, 20, 30.
    fn four() -> Vec<(SegmentId, Option<SegmentHeader>)> {
        let base = |index: u32| index.checked_sub(1).map(|before| (segment(1, before), 10 * u64::from(index)));
        (0..4).map(|index| (segment(1, index), Some(header(segment(1, index), base(index))))).collect()
    }

    #[test]
    fn what_the_older_of_two_checkpoints_holds_is_garbage() {
        let found = garbage(&four(), &[(5, GENESIS), (22, GENESIS), (35, GENESIS)]);
        assert_eq!(found.segments, [segment(1, 0), segment(1, 1)]);
        assert_eq!(found.checkpoints, [checkpoint(5)]);
    }

    #[test]
    fn with_one_checkpoint_all_is_needed() {
        assert_eq!(garbage(&four(), &[(35, GENESIS)]), Garbage::default());
        assert_eq!(garbage(&four(), &[]), Garbage::default());
    }

    #[test]
    fn checkpoints_of_another_history_do_not_count() {
        assert_eq!(garbage(&four(), &[(35, GENESIS), (90, 3), (95, 3)]), Garbage::default());
        let found = garbage(&four(), &[(2, 3), (5, GENESIS), (22, GENESIS), (35, GENESIS), (90, 3)]);
        assert_eq!(found.segments, [segment(1, 0), segment(1, 1)], "and they do not hinder");
        assert_eq!(found.checkpoints, [checkpoint(5)], "those of a later history are not older");
    }

    #[test]
    fn a_segment_that_nobody_answered_from_keeps_the_one_before() {
        // The leader of epoch 2 copied what follows record 12 and died before it was flushed: epoch 3 went on from 1.
        let mut headers = vec![
            (segment(1, 0), Some(header(segment(1, 0), None))),
            (segment(2, 0), Some(header(segment(2, 0), Some((segment(1, 0), 12))))),
        ];
        assert_eq!(garbage(&headers, &[(12, GENESIS), (13, GENESIS)]), Garbage::default());
        headers.push((segment(3, 0), Some(header(segment(3, 0), Some((segment(1, 0), 12))))));
        headers.push((segment(3, 1), Some(header(segment(3, 1), Some((segment(3, 0), 20))))));
        assert_eq!(garbage(&headers, &[(11, GENESIS), (13, GENESIS)]), Garbage::default(), "epoch 3 begins beyond");
        let found = garbage(&headers, &[(14, GENESIS), (15, GENESIS)]);
        assert_eq!(found.segments, [segment(1, 0), segment(2, 0)]);
    }

    #[test]
    fn a_torn_newest_segment_is_passed_over_and_a_collected_base_ends_the_walk() {
        let mut headers = four();
        headers.push((segment(2, 0), None));
        let found = garbage(&headers, &[(22, GENESIS), (35, GENESIS)]);
        assert_eq!(found.segments, [segment(1, 0), segment(1, 1)]);
        let again = garbage(&headers[2..], &[(5, GENESIS), (6, GENESIS)]);
        assert_eq!(again, Garbage::default(), "what it names is gone");
    }
}
