//! Pure. The second witness of the journal, outside of it: what the epoch node tells of segments and answered records.
//!
//! It may come out of an old copy of ZooKeeper's data, and tell of the history before a format. That is seen from the
//! journal: a history that the node does not name, and that has a complete segment of a later epoch, began later.

use super::chain::Position;
use super::folder::SegmentId;
use crate::election::EpochNode;
use crate::types::SequenceNumber;

/// What the epoch node tells of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Witness {
    /// Number of the history; 0 when it does not say.
    pub genesis: u64,
    /// The epoch whose segments are counted.
    pub epoch: u64,
    /// How many segments of that epoch exist at least.
    segments: u32,
    /// The last record that was answered for certain.
    pub durable: Position,
}

impl Witness {
    /// That of this node.
    pub fn of(node: &EpochNode) -> Witness {
        Witness {
            genesis: node.genesis,
            epoch: node.segments_of(),
            segments: node.segments,
            durable: Position { sequence: SequenceNumber(node.durable_sequence), hash: node.durable_hash },
        }
    }

    /// The newest segment that exists for certain; none when it tells of none.
    pub fn newest(&self) -> Option<SegmentId> {
        self.segments.checked_sub(1).map(|index| SegmentId { epoch: self.epoch, index })
    }

    /// Whether it may tell of this history.
    pub fn may_tell_of(&self, genesis: u64) -> bool {
        self.genesis == 0 || self.genesis == genesis
    }
}
