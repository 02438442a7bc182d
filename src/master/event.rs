//! Pure. What goes into the driver and what comes out.

use super::checkpoints::Look;
use super::in_flight::InFlight;
use super::ops::{self, Answer, Caller, CommitBlock, NewCopy, Operation, Query, Request};
use super::state::{Footprint, MasterState};
use super::worker_call::WorkerCall;
use super::workers::Workers;
use crate::election::{LatchCall, LatchReply};
use crate::journal::chain::Position;
use crate::journal::chain_error::ChainError;
use crate::journal::entry::Entry;
use crate::journal::folder::{CheckpointId, Length, SegmentId};
use crate::journal::tailer::Ask;
use crate::journal::writer::WriterEffect;
use crate::metrics::MasterCounters;
use crate::types::mutant::{self, Mutant};
use crate::types::{FsError, SequenceNumber};
use std::sync::Arc;

/// What the lock of the runtime guards: the state and what of it is not answered yet.
#[derive(Debug, Default)]
pub struct Core {
    /// Ahead of the journal by what is in flight.
    pub state: MasterState,
    /// See there.
    pub in_flight: InFlight,
    /// What workers tell; not journaled.
    pub workers: Workers,
    /// What this process has done. Shared with those who count elsewhere.
    pub counters: Arc<MasterCounters>,
}

/// An answer and what must be durable before it leaves.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// What is told.
    pub answer: Result<Answer, FsError>,
    /// The record that must have been answered; 0 for none.
    pub wait_for: SequenceNumber,
}

impl Core {
    /// Applies an entry that the record `sequence` will carry, and has those wait who look at what it changes.
    pub(super) fn change(&mut self, entry: &Entry, sequence: SequenceNumber) {
        let mut changes = Vec::new();
        self.state.changes(entry, &mut changes);
        changes.into_iter().for_each(|change| self.in_flight.add(sequence, change));
        self.state.apply(entry).expect("an entry that was just decided fits the state");
        if let Entry::DeleteBlock { id } = entry {
            self.workers.drop_copies(*id);
        }
    }

    /// Lets the table of workers follow what was just decided.
    pub(super) fn follow(&mut self, operation: &Operation, answer: &Answer) {
        if let Answer::Freed(blocks) = answer {
            blocks.iter().for_each(|block| self.workers.drop_copies(*block));
        }
        if let Operation::CommitBlock(CommitBlock { block, copy: Some(copy), .. }) = operation {
            let NewCopy { worker, place, used_on_tier } = copy.clone();
            let is_known = self.state.blocks().length(*block).is_some();
            self.workers.committed(worker, *block, place, used_on_tier, is_known);
        }
    }

    /// Evaluates a query. Whether the answer may leave, the gate tells (or the driver, which holds it).
    pub fn evaluate(&self, caller: &Caller, query: &Query, settings: &ops::Settings) -> Evaluated {
        let mut footprint = if self.in_flight.is_empty() { Footprint::off() } else { Footprint::on() };
        let answer = ops::query(&self.state, &self.workers, caller, query, settings, &mut footprint);
        let wait_for =
            if mutant::is(Mutant::RefuseAtOnce) { SequenceNumber(0) } else { self.in_flight.wait_for(&footprint) };
        Evaluated { answer, wait_for }
    }
}

/// What a call to the store told the tailer.
#[derive(Debug, Clone)]
pub enum Told {
    /// All segments.
    Listed(Vec<SegmentId>),
    /// How much can be read.
    Length(Length),
    /// The range.
    Bytes(bytes::Bytes),
    /// Whether the writers are cut off for certain.
    Recovered(bool),
    /// What is stored is not what was written, on any replica.
    Damaged(String),
    /// No answer.
    Failed(String),
}

/// What happens to the master. `T` stands for who waits for an answer.
#[derive(Debug)]
pub enum Event<T> {
    /// Time has passed.
    Tick,
    /// Requests, in the order in which they came.
    Submit(Vec<(T, Request)>),
    /// The call of a worker.
    Worker(T, WorkerCall),
    /// An answer that the gate did not let through.
    Hold(T, Evaluated),
    /// The election may have changed.
    ElectionChanged,
    /// The reply to a call.
    Latch(LatchReply),
    /// The answer to what the tailer asked.
    Tail(Ask, Told),
    /// A segment was created, with room for so many bytes, or was not.
    Created(SegmentId, Result<u64, String>),
    /// An append is durable, or failed.
    Appended(SegmentId, Result<(), String>),
    /// A segment that is over could not be closed.
    NotClosed(SegmentId),
    /// The background recovery of an old segment is done, or not yet.
    Recovered(SegmentId, bool),
    /// Somebody wants a checkpoint now.
    Checkpoint(T),
    /// The checkpoints of our history that are there, or why that is not known.
    CheckpointsListed(Look, Result<Vec<CheckpointId>, String>),
    /// A checkpoint was written, or was not.
    Checkpointed(Result<CheckpointId, String>),
    /// What nobody needs was deleted, as far as that was possible.
    Collected,
    /// The journal folder was deleted, replaced or damaged, and how.
    FolderGone(String),
    /// The journal folder has segments of a later epoch than this master's, and which.
    Overtaken(String),
    /// The process is to end.
    Stop,
}

/// What the runtime is to do.
#[derive(Debug)]
pub enum Effect<T> {
    /// Send an answer.
    Answer(T, Result<Answer, FsError>),
    /// Call the election.
    Latch(LatchCall),
    /// Ask the store for the tailer.
    Tail(Ask),
    /// Create, append, close.
    Write(WriterEffect),
    /// Cut off the writers of an old segment, in the background (F10).
    Recover(SegmentId),
    /// See which checkpoints of this history there are.
    ListCheckpoints(u64, Look),
    /// Write this state, of this history, in the background.
    Checkpoint(CheckpointId, u64, Box<MasterState>),
    /// Delete what nobody needs of this history (journal/collector.rs), in the background.
    Collect(u64),
    /// The master serves from now on.
    Serving {
        /// Its epoch.
        epoch: u64,
        /// The last record of the history that it took over.
        taken_over: Position,
    },
    /// Worth a line in the log.
    Warn(String),
    /// End the process.
    Exit(Exit),
}

/// Why the process ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exit {
    /// It was told to.
    #[error("stopped")]
    Stopped,
    /// Another master may lead, and our memory may be ahead of the journal: come back as a standby.
    #[error("fenced: {0}")]
    Fenced(String),
    /// The journal cannot be followed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A record cannot be applied.
    #[error("record {0} cannot be applied: {1}")]
    Corrupt(Position, String),
    /// It cannot take part in the election.
    #[error("{0}")]
    Unfit(String),
}
