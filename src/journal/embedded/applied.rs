//! Pure. How far the committed log was taken, and which of its records count.
//!
//! A record counts if it stands in an entry of its own term and follows the last one that counted. All members decide
//! this alike, so what a leader proposed twice, or out of order, or two leaders did, changes nothing.

use super::checkpoint::Checkpoint;
use super::types::{LogEntry, LogId, Payload, StoredMembership, term_of};
use crate::journal::chain::Position;
use bytes::Bytes;

/// See the module text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    last: Option<LogId>,
    members: StoredMembership,
    position: Position,
}

/// What an entry was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A record that counts.
    Record,
    /// A record that does not.
    Strange,
    /// The first entry of this term: whoever leads in it has all that was ever answered before.
    Began(u64),
    /// The members.
    Members,
}

impl Applied {
    /// The last entry that was taken.
    pub fn last(&self) -> Option<LogId> {
        self.last
    }

    /// The position of the last record that counted.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &LogEntry) -> Taken {
        let term = term_of(&entry.log_id);
        self.last = Some(entry.log_id);
        match &entry.payload {
            Payload::Blank => Taken::Began(term),
            Payload::Membership(members) => {
                self.members = StoredMembership::new(Some(entry.log_id), members.clone());
                Taken::Members
            }
            Payload::Normal(record) => {
                if record.term != term || record.position != self.position.after(&record.entries) {
                    return Taken::Strange;
                }
                self.position = record.position;
                Taken::Record
            }
        }
    }

    /// Goes on from a checkpoint, whose state is at `position`.
    pub fn install(&mut self, checkpoint: &Checkpoint, position: Position) {
        *self = Applied { last: Some(checkpoint.last), members: checkpoint.members.clone(), position };
    }

    /// A checkpoint of the state as it is here; none before the first entry.
    pub fn checkpoint(&self, content: Bytes) -> Option<Checkpoint> {
        Some(Checkpoint { last: self.last?, members: self.members.clone(), content })
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::{Membership, Record, log_id};
    use super::*;

    fn entry(term: u64, index: u64, payload: Payload) -> LogEntry {
        LogEntry { log_id: log_id(term, index), payload }
    }

    fn record(term: u64, before: Position, entries: &'static str) -> Record {
        let entries = Bytes::from(entries);
        Record { term, position: before.after(&entries), entries }
    }

    #[test]
    fn records_count_in_their_term_and_in_their_order() {
        let mut applied = Applied::default();
        assert_eq!(applied.take(&entry(2, 0, Payload::Membership(Membership::default()))), Taken::Members);
        assert_eq!(applied.take(&entry(2, 1, Payload::Blank)), Taken::Began(2));
        let first = record(2, Position::START, "a");
        let second = record(2, first.position, "b");
        let other = record(2, Position::START, "c");
        let late = record(1, first.position, "b");
        let expected = [
            (&second, Taken::Strange),
            (&first, Taken::Record),
            (&first, Taken::Strange),
            (&other, Taken::Strange),
            (&late, Taken::Strange),
            (&second, Taken::Record),
        ];
        for (index, (record, taken)) in (2..).zip(expected) {
            assert_eq!(applied.take(&entry(2, index, Payload::Normal(record.clone()))), taken, "{index}");
        }
        assert_eq!((applied.position(), applied.last()), (second.position, Some(log_id(2, 7))));
    }
}
