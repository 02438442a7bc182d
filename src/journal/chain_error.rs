//! Pure. Why the segments form no chain that may be followed.

use super::chain::{Damage, Position};
use super::folder::SegmentId;
use crate::types::SequenceNumber;

/// Why there is no chain to follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A segment that is needed holds something that no crash explains.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// What we applied is not in the history of the newest leader.
    #[error("record {applied} was applied but is not in the history that {tip} continues")]
    OffChain {
        /// Where we are.
        applied: Position,
        /// The newest complete segment.
        tip: SegmentId,
    },
    /// The journal was formatted meanwhile.
    #[error("{tip} belongs to another history: the journal was formatted (genesis {theirs:016x}, ours {ours:016x})")]
    Foreign {
        /// The newest complete segment.
        tip: SegmentId,
        /// Its genesis.
        theirs: u64,
        /// The genesis of our state.
        ours: u64,
    },
    /// A segment that the chain runs through is not there.
    #[error("{missing} is missing: {tip} continues it from byte {bytes}")]
    Missing {
        /// The segment that is not listed.
        missing: SegmentId,
        /// Who names it.
        tip: SegmentId,
        /// Up to where.
        bytes: u64,
    },
    /// The chain ends before the record that the epoch node says was acknowledged.
    #[error("the journal ends at record {end}, but record {durable} had been acknowledged")]
    Short {
        /// Last readable record.
        end: Position,
        /// What the epoch node says.
        durable: SequenceNumber,
    },
    /// Another record stands where the epoch node says that one was acknowledged.
    #[error("the epoch node says that record {durable} was acknowledged, but the journal has {found} in its place")]
    OtherRecord {
        /// What the epoch node says.
        durable: Position,
        /// What is in its place.
        found: Position,
    },
    /// The epoch node tells of a history that began later, and of which no complete segment is left.
    #[error(
        "the epoch node tells of the history {told:016x}, which has segments of epoch {epoch}, but the newest complete \
         segment, {tip}, is of an earlier one, {found:016x}: the journal folder lacks what was written since, as one \
         that was restored from an old copy does: bring it back. To go on without it, delete the epoch node (of a local \
         journal the file DURABLE)"
    )]
    OlderHistory {
        /// The newest complete segment.
        tip: SegmentId,
        /// Its genesis.
        found: u64,
        /// The genesis that the epoch node tells of.
        told: u64,
        /// The epoch of the segments that it counts.
        epoch: u64,
    },
    /// Not one complete segment.
    #[error(
        "the journal has no history: it was not formatted to the end (run bin/alluxio format), or its segments are gone"
    )]
    NoHistory,
}
