//! Which checkpoints there are, and the deletion of what they make superfluous, one file after the other: by whoever wrote
//! one, on a listing that may be old, even after others lead or it has died.

use crate::coverage::Met;
use crate::world::{Action, MS, SECOND, World};
use alluxio::journal::chain::{Position, SegmentHeader};
use alluxio::journal::codec::{self, Decoded, Frame};
use alluxio::journal::collector::{Collector, Garbage, Want};
use alluxio::journal::folder::{CheckpointId, Length, Listing, SegmentId, StoreError};
use alluxio::master::checkpoints::Look;
use alluxio::master::event::Event;
use alluxio::master::state::CheckpointOrigin;
use std::collections::VecDeque;

/// A file that is to go.
pub enum Rubbish {
    Checkpoint(CheckpointId),
    Segment(SegmentId),
}

impl World {
    /// A master wants to know which checkpoints of its history there are.
    pub fn list_checkpoints(&mut self, host: usize, life: u64, genesis: u64, look: Look) {
        let listed = self.checkpoints_of(genesis).map_err(|error| error.to_string());
        self.tell_later(host, life, Event::CheckpointsListed(look, listed));
    }

    /// The checkpoints of a history, in order.
    pub fn checkpoints_of(&self, genesis: u64) -> Result<Vec<CheckpointId>, StoreError> {
        let all = self.folder.list()?.checkpoints;
        Ok(all.into_iter().filter(|id| self.genesis_of(*id) == Some(genesis)).collect())
    }

    fn genesis_of(&self, id: CheckpointId) -> Option<u64> {
        let content = self.folder.read_checkpoint(id).ok()?;
        CheckpointOrigin::read(&content).map(|origin| origin.genesis)
    }

    /// As some DataNode has it.
    pub fn header_of(&mut self, segment: SegmentId) -> Option<SegmentHeader> {
        let Ok(Length::Open(bytes) | Length::Closed(bytes)) = self.any_length(segment) else { return None };
        let begin = self.any_replica(segment, 0, bytes).ok()?;
        match codec::decode(&begin, Position::START) {
            Decoded::Frame(Frame::Header(header), _) => Some(header),
            _ => None,
        }
    }

    /// Whether nothing was collected yet of the history that counts.
    pub fn journal_begins(&mut self) -> bool {
        let genesis = self.formatter.genesis;
        let headers = self
            .segments()
            .into_iter()
            .find_map(|segment| self.header_of(segment).filter(|header| header.genesis == genesis));
        // That of a leader who found nothing answered has no base either, and may be the first that is left.
        headers.is_none_or(|header| header.base.is_none()) && self.collected != Some(genesis)
    }

    /// A master that has written a checkpoint looks what is superfluous.
    pub fn collect(&mut self, host: usize, life: u64, genesis: u64) {
        match self.rubbish(genesis) {
            Some(files) => self.delete_soon(host, life, files),
            None => self.tell_later(host, life, Event::Collected),
        }
    }

    /// A master that was deposed long ago collects at this very moment.
    pub fn collect_at_once(&mut self) {
        for file in self.rubbish(self.formatter.genesis).into_iter().flatten() {
            let deleted = match file {
                Rubbish::Checkpoint(id) => self.folder.delete_checkpoint(id),
                Rubbish::Segment(segment) => self.collect_segment(segment),
            };
            if deleted.is_err() {
                return;
            }
        }
    }

    fn collect_segment(&mut self, segment: SegmentId) -> Result<(), StoreError> {
        self.collected = Some(self.formatter.genesis);
        self.delete_segment(segment)
    }

    /// What is superfluous, as a listing tells it that may be old.
    fn rubbish(&mut self, genesis: u64) -> Option<VecDeque<Rubbish>> {
        let (segments, checkpoints) = (self.list().ok()?, self.folder.list().ok()?.checkpoints);
        let mut collector = Collector::new(genesis, Listing { segments, checkpoints });
        while let Some(want) = collector.want() {
            match want {
                Want::Genesis(id) => collector.genesis(id, self.genesis_of(id)),
                Want::Header(segment) => collector.header(segment, self.header_of(segment).as_ref()),
            }
        }
        let Garbage { checkpoints, segments } = collector.garbage();
        let checkpoints = checkpoints.into_iter().map(Rubbish::Checkpoint);
        Some(checkpoints.chain(segments.into_iter().map(Rubbish::Segment)).collect())
    }

    fn delete_soon(&mut self, host: usize, life: u64, files: VecDeque<Rubbish>) {
        if files.is_empty() {
            return self.tell_later(host, life, Event::Collected);
        }
        let late = self.rng.chance(1, 10) && !self.healing;
        let delay = if late { self.rng.range(MS, 10 * SECOND) } else { self.rng.range(MS, 50 * MS) };
        self.after(delay, Action::Delete { host, life, files });
    }

    /// The next file goes. A call that was sent takes effect even if its master has died.
    pub fn delete(&mut self, host: usize, life: u64, mut files: VecDeque<Rubbish>) {
        let deleted = match files.pop_front() {
            Some(Rubbish::Checkpoint(id)) => self.folder.delete_checkpoint(id),
            Some(Rubbish::Segment(segment)) => {
                self.note(|| format!("host {host} deletes {segment}"));
                self.coverage.met(Met::Collected);
                self.collect_segment(segment)
            }
            None => Ok(()),
        };
        if self.process(host, life).is_none() {
            return;
        }
        // One that could not be deleted ends it: what is left is without a hole.
        if deleted.is_err() {
            return self.tell_later(host, life, Event::Collected);
        }
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            return self.after(later, Action::Delete { host, life, files });
        }
        self.delete_soon(host, life, files);
    }
}
