//! Pure. What was changed in memory and is not answered yet: who looks at it waits (design: nothing that depends on
//! unflushed records leaves the process).

use crate::master::state::{Change, Footprint};
use crate::types::mutant::{self, Mutant};
use crate::types::{InodeId, SequenceNumber};
use std::collections::{BTreeMap, VecDeque};

/// The changes above the mark, by what they changed.
#[derive(Debug, Clone, Default)]
pub struct InFlight {
    changes: VecDeque<(SequenceNumber, Change)>,
    inodes: BTreeMap<InodeId, SequenceNumber>,
    edges: BTreeMap<(InodeId, Box<str>), SequenceNumber>,
    mounts: Option<SequenceNumber>,
}

impl InFlight {
    /// Whether nobody has to wait.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds what the record `sequence` changes. Sequences come in order.
    pub fn add(&mut self, sequence: SequenceNumber, change: Change) {
        match &change {
            Change::Inode(id) => self.inodes.insert(*id, sequence),
            Change::Edge(parent, name) => self.edges.insert((*parent, name.clone()), sequence),
            Change::Mounts => self.mounts.replace(sequence),
        };
        self.changes.push_back((sequence, change));
    }

    /// The newest record that changes something; 0 for none.
    pub fn newest(&self) -> SequenceNumber {
        self.changes.back().map(|(sequence, _)| *sequence).unwrap_or_default()
    }

    /// Forgets what the records up to `mark` changed.
    pub fn settle(&mut self, mark: SequenceNumber) {
        while self.changes.front().is_some_and(|(sequence, _)| *sequence <= mark) {
            let Some((_, change)) = self.changes.pop_front() else { return };
            match change {
                Change::Inode(id) => {
                    if self.inodes.get(&id).is_some_and(|sequence| *sequence <= mark) {
                        self.inodes.remove(&id);
                    }
                }
                Change::Mounts => self.mounts = self.mounts.filter(|sequence| *sequence > mark),
                Change::Edge(parent, name) => {
                    let key = (parent, name);
                    let too_much = mutant::is(Mutant::SettleTooMuch);
                    if too_much || self.edges.get(&key).is_some_and(|sequence| *sequence <= mark) {
                        self.edges.remove(&key);
                    }
                }
            }
        }
    }

    /// The record that must be answered before an answer with this footprint may leave; 0 for none.
    pub fn wait_for(&self, footprint: &Footprint) -> SequenceNumber {
        let inodes = footprint.inodes().iter().filter_map(|id| self.inodes.get(id));
        let edges = footprint.edges().iter().filter_map(|edge| self.edges.get(edge));
        let listed = footprint.directories().iter().flat_map(|id| {
            let below = self.edges.range((*id, Box::from(""))..);
            below.take_while(move |((parent, _), _)| parent == id).map(|(_, sequence)| sequence)
        });
        let mounts = self.mounts.iter().filter(|_| footprint.mounts());
        inodes.chain(edges).chain(listed).chain(mounts).copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(sequence: u64) -> SequenceNumber {
        SequenceNumber(sequence)
    }

    #[test]
    fn who_looks_at_a_change_waits_for_it_and_nobody_else() {
        let mut flight = InFlight::default();
        flight.add(number(4), Change::Edge(InodeId(1), "a".into()));
        flight.add(number(4), Change::Inode(InodeId(9)));
        flight.add(number(6), Change::Inode(InodeId(9)));
        let seen = |look: &dyn Fn(&mut Footprint)| {
            let mut footprint = Footprint::on();
            look(&mut footprint);
            footprint
        };
        let inode = seen(&|footprint| footprint.read_inode(InodeId(9)));
        let absent = seen(&|footprint| footprint.looked_up(InodeId(1), "a"));
        let listing = seen(&|footprint| footprint.listed(InodeId(1)));
        let elsewhere = seen(&|footprint| {
            footprint.listed(InodeId(2));
            footprint.read_inode(InodeId(1));
        });
        assert_eq!(flight.wait_for(&inode), number(6));
        assert_eq!(flight.wait_for(&absent), number(4));
        assert_eq!(flight.wait_for(&listing), number(4));
        assert_eq!(flight.wait_for(&elsewhere), number(0));
        flight.settle(number(4));
        assert_eq!(flight.wait_for(&listing), number(0));
        assert_eq!(flight.wait_for(&inode), number(6));
        flight.add(number(7), Change::Edge(InodeId(1), "a".into()));
        flight.add(number(8), Change::Edge(InodeId(1), "a".into()));
        flight.settle(number(7));
        assert_eq!(flight.wait_for(&absent), number(8), "a name that was changed twice");
        flight.settle(number(8));
        assert!(flight.is_empty());
    }

    #[test]
    fn a_name_that_a_later_record_changed_again_is_waited_for_until_that_is_answered() {
        let mut flight = InFlight::default();
        flight.add(number(4), Change::Edge(InodeId(1), "a".into()));
        flight.add(number(5), Change::Edge(InodeId(1), "a".into()));
        let mut absent = Footprint::on();
        absent.looked_up(InodeId(1), "a");
        flight.settle(number(4));
        assert_eq!(flight.wait_for(&absent), number(5));
        flight.settle(number(5));
        assert_eq!(flight.wait_for(&absent), number(0));
    }
}
