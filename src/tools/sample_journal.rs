//! Journals for tests of what is done to them offline: several epochs, segments that continue one another, copies,
//! checkpoints; as bytes, so that a test can do to them what a disk does.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::election::EpochNode;
use crate::journal::chain::{Base, Position, SegmentHeader};
use crate::journal::codec;
use crate::journal::entry::Entry;
use crate::journal::entry_codec;
use crate::journal::folder::{CheckpointId, Format, MemoryFolder, MemoryStore, SegmentId};
use crate::master::state::{CheckpointOrigin, MasterState};

pub const CLUSTER: &str = "0c6f5d4e-7b1a-4c3d-9e2f-8a7b6c5d4e3f";
pub const GENESIS: u64 = 7;

pub fn segment(epoch: u64, index: u32) -> SegmentId {
    SegmentId { epoch, index }
}

pub fn format() -> Format {
    Format { layout: 1, feature_level: 1, cluster_id: CLUSTER.into() }
}

/// The files of a journal, and the history that was written into them.
#[derive(Debug, Clone)]
pub struct SampleJournal {
    pub segments: BTreeMap<SegmentId, Vec<u8>>,
    pub checkpoints: BTreeMap<CheckpointId, Vec<u8>>,
    /// Position and digest of the state after each record; first that of the beginning.
    pub history: Vec<(Position, u64)>,
    state: MasterState,
    /// The segment that is written.
    current: SegmentId,
    /// The last record that was answered.
    pub answered: Position,
}

impl SampleJournal {
    /// An empty history, in the first segment of epoch 1.
    pub fn new() -> SampleJournal {
        let state = MasterState::default();
        let mut journal = SampleJournal {
            segments: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            history: vec![(Position::START, state.digest())],
            state,
            current: segment(1, 0),
            answered: Position::START,
        };
        journal.begin(segment(1, 0), None, Position::START);
        journal
    }

    /// Three epochs, the middle one with two segments, some records in each; checkpoints after records 4 and 9.
    pub fn long() -> SampleJournal {
        let mut journal = SampleJournal::new();
        journal.records(5);
        journal.checkpoint(4);
        journal.segment(segment(2, 0));
        journal.records(3);
        journal.segment(segment(2, 1));
        journal.records(3);
        journal.checkpoint(9);
        journal.segment(segment(4, 0));
        journal.records(4);
        journal.idle();
        journal
    }

    pub fn end(&self) -> Position {
        self.history.last().expect("never empty").0
    }

    /// The position of record `n`.
    pub fn at(&self, n: u64) -> Position {
        self.history[n as usize].0
    }

    /// The next segment, which takes up the chain at the end.
    pub fn segment(&mut self, next: SegmentId) {
        let bytes = self.segments[&self.current].len() as u64;
        let base = Base { segment: self.current, bytes, position: self.end() };
        self.begin(next, Some(base), self.end());
    }

    fn begin(&mut self, next: SegmentId, base: Option<Base>, through: Position) {
        let header = SegmentHeader {
            cluster_id: CLUSTER.into(),
            genesis: GENESIS,
            segment: next,
            base,
            through: through.sequence,
        };
        let mut bytes = Vec::new();
        codec::encode_header(&mut bytes, &header);
        self.segments.insert(next, bytes);
        self.current = next;
    }

    /// Records of one entry each; all are answered before the next.
    pub fn records(&mut self, count: usize) {
        for _ in 0..count {
            let next_container = self.history.len() as i64;
            let entry = Entry::BlockContainerIdGenerator { next_container };
            let entries = entry_codec::encode_entries(std::slice::from_ref(&entry));
            let (before, after) = (self.end(), self.end().after(&entries));
            let file = self.segments.get_mut(&self.current).expect("it is being written");
            codec::encode_record(file, self.current.epoch, after, before.sequence, &entries);
            self.state.apply(&entry).unwrap();
            self.history.push((after, self.state.digest()));
            self.answered = after;
        }
    }

    /// A record that carries only the mark of the end.
    pub fn idle(&mut self) {
        let end = self.end();
        let file = self.segments.get_mut(&self.current).expect("it is being written");
        codec::encode_record(file, self.current.epoch, end, end.sequence, &[]);
    }

    /// The checkpoint of record `n`.
    pub fn checkpoint(&mut self, n: u64) -> CheckpointId {
        let mut state = MasterState::default();
        (1..=n as i64).for_each(|next_container| {
            state.apply(&Entry::BlockContainerIdGenerator { next_container }).unwrap();
        });
        self.checkpoint_with(n, GENESIS, &state)
    }

    pub fn checkpoint_with(&mut self, n: u64, genesis: u64, state: &MasterState) -> CheckpointId {
        let position = self.at(n);
        let origin = CheckpointOrigin { position, genesis, cluster_id: CLUSTER.into() };
        let id = CheckpointId::from(position);
        self.checkpoints.insert(id, state.to_checkpoint(&origin).concat());
        id
    }

    /// What collection leaves: nothing before this segment.
    pub fn collect_before(&mut self, first: SegmentId) {
        self.segments.retain(|id, _| *id >= first);
    }

    /// What the epoch node says after the last answer.
    pub fn node(&self) -> EpochNode {
        EpochNode {
            epoch: self.current.epoch,
            released: true,
            segments: self.current.index + 1,
            genesis: GENESIS,
            durable_sequence: self.answered.sequence.0,
            durable_hash: self.answered.hash,
            ..EpochNode::default()
        }
    }

    /// The files in a folder, all of them closed.
    pub fn folder(&self) -> MemoryFolder {
        let mut folder = MemoryFolder::new(1);
        folder.write_format(&format()).unwrap();
        for (id, bytes) in &self.segments {
            let file = folder.create(*id).unwrap();
            let append = folder.begin_append(file, bytes);
            assert!(folder.land(append, 0));
            folder.close(file).unwrap();
        }
        for (id, bytes) in &self.checkpoints {
            folder.write_checkpoint(*id, Bytes::from(bytes.clone())).unwrap();
        }
        folder
    }

    pub fn store(&self) -> MemoryStore {
        MemoryStore::new(Arc::new(Mutex::new(self.folder())))
    }

    /// Whether this is the state after that record of the history.
    pub fn has(&self, position: Position, digest: u64) -> bool {
        self.history.contains(&(position, digest))
    }
}
