//! What must hold of the history: whatever anybody was told is in the journal, for whoever begins to lead, at any
//! moment, reading at any DataNode; masters and checkpoints at one position have one state.

use crate::coverage::Met;
use crate::world::{Host, SECOND, World};
use alluxio::journal::chain::{Position, Record};
use alluxio::journal::entry::Entry;
use alluxio::journal::entry_codec;
use alluxio::journal::folder::{CheckpointId, Length, SegmentId};
use alluxio::journal::tailer::{Ask, Tailer};
use alluxio::master::state::MasterState;
use alluxio::types::SequenceNumber;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Every position that anybody was told: there is only one history.
#[derive(Debug, Default)]
pub struct Told {
    hashes: BTreeMap<SequenceNumber, u64>,
    digests: BTreeMap<Position, u64>,
}

impl Told {
    /// The newest.
    pub fn last(&self) -> SequenceNumber {
        self.hashes.keys().next_back().copied().unwrap_or_default()
    }
}

impl World {
    /// Nothing that anybody was told may ever be otherwise.
    pub fn tell(&mut self, who: &str, position: Position) -> Result<(), String> {
        let before = *self.told.hashes.entry(position.sequence).or_insert(position.hash);
        if before == position.hash {
            return Ok(());
        }
        let sequence = position.sequence;
        Err(format!("two histories: record {sequence} is {before:016x}, but {who} has {:016x}", position.hash))
    }

    /// Two masters at one position have one state.
    pub fn compare(&mut self, host: usize, position: Position) -> Result<(), String> {
        let digest = self.hosts[host].process.as_ref().map(|process| process.core.state.digest());
        digest.map_or(Ok(()), |digest| self.compare_digest(&format!("host {host}"), position, digest))
    }

    fn compare_digest(&mut self, who: &str, position: Position, digest: u64) -> Result<(), String> {
        let before = *self.told.digests.entry(position).or_insert(digest);
        if before == digest { Ok(()) } else { Err(format!("{who} has another state than others at {position}")) }
    }

    /// A checkpoint that is about to be written holds what was answered only, and all of it.
    pub fn check_checkpoint(&mut self, id: CheckpointId, content: &Bytes) -> Result<(), String> {
        let position = id.position();
        let (state, origin) = MasterState::from_checkpoint(content).map_err(|error| error.to_string())?;
        if origin.genesis != self.formatter.genesis {
            return Ok(());
        }
        if origin.position != position {
            return Err(format!("the checkpoint {id} says that it is at {}", origin.position));
        }
        if position.sequence > self.told.last() {
            return Err(format!("the checkpoint {id} is ahead of record {}, which was told last", self.told.last()));
        }
        self.coverage.met(Met::CheckpointCompared);
        self.tell("a checkpoint", position)?;
        self.compare_digest("a checkpoint", position, state.digest())
    }

    /// Whether everybody follows to the end, and no old segment is left open.
    pub fn is_quiet(&self) -> bool {
        let Some(leader) = self.leader() else { return false };
        let decided = |host: &Host| host.process.as_ref().map(|process| process.driver.decided());
        let end = decided(&self.hosts[leader]);
        let segments = self.folder.list().map(|listing| listing.segments).unwrap_or_default();
        let Some(newest) = segments.last().map(|segment| segment.epoch) else { return false };
        let created = |segment: &SegmentId| self.created_at.get(segment).copied().unwrap_or(0);
        let began = created(&SegmentId { epoch: newest, index: 0 });
        // Those that were created late are the next leader's to close: listings lag for six seconds, and between its reading
        // and its first segment a leader may be held up for twelve.
        let old = segments.iter().filter(|segment| segment.epoch < newest && created(segment) + 20 * SECOND < began);
        let is_closed = |segment: &SegmentId| {
            let shown = (0..self.options.replicas).map(|replica| self.folder.visible(*segment, replica));
            shown.into_iter().any(|length| matches!(length, Ok(Length::Closed(_))))
        };
        self.hosts.iter().all(|host| decided(host) == end) && old.into_iter().all(is_closed)
    }

    /// A new primary has taken over all that anybody was told.
    pub fn check_taken_over(&mut self, host: usize, taken_over: Position) -> Result<(), String> {
        self.tell(&format!("host {host}, which begins to serve,"), taken_over)?;
        let last = self.told.last();
        if taken_over.sequence < last {
            return Err(format!("host {host} begins to serve at {taken_over}, but record {last} was told"));
        }
        Ok(())
    }

    /// What a leader that began now would find, reading each segment at any DataNode: all that anybody was told.
    pub fn audit(&mut self) -> Result<(), String> {
        let Some((records, end)) = self.read_as_a_new_leader()? else { return Ok(()) };
        self.coverage.met(Met::Audit);
        let mut time = 0;
        for record in &records {
            let hash = self.told.hashes.get(&record.position.sequence);
            if hash.is_some_and(|hash| *hash != record.position.hash) {
                return Err(format!("audit: record {} is not the one that was told", record.position));
            }
            for entry in entry_codec::decode_entries(&record.entries).map_err(|error| error.to_string())? {
                // Directories may be as old as the intent to make them.
                let Entry::InodeFile(file) = entry else { continue };
                if file.creation_time_ms < time {
                    return Err(format!("audit: time runs backwards at record {}", record.position));
                }
                time = file.creation_time_ms;
            }
        }
        let last = self.told.last();
        if end < last {
            return Err(format!("audit: a leader that begins now finds {end} records, but {last} were told"));
        }
        Ok(())
    }

    /// All records that a leader that begins now would find; none if it had to wait for somebody.
    fn read_as_a_new_leader(&mut self) -> Result<Option<(Vec<Record>, SequenceNumber)>, String> {
        let genesis = self.formatter.genesis;
        let (Ok(listing), Ok(checkpoints)) = (self.folder.list(), self.checkpoints_of(genesis)) else {
            return Ok(None);
        };
        // If the newest checkpoint is damaged, the one before it must do.
        let older = checkpoints.iter().rev().nth(1).filter(|_| !self.journal_begins());
        let from = older.map_or(Position::START, |id| id.position());
        let mut tailer = Tailer::new(from, Some(genesis));
        let mut records = Vec::new();
        loop {
            let asks = tailer.asks();
            let decided = tailer.decided().map_err(|error| format!("audit: {error}"))?;
            if asks.is_empty() && decided.is_empty() {
                break;
            }
            records.extend(decided);
            for ask in asks {
                match ask {
                    Ask::List => drop(tailer.listed(&listing.segments)),
                    Ask::Length(segment) => match self.any_length(segment) {
                        Ok(Length::Unknown) | Err(_) => return Ok(None),
                        Ok(length) => tailer.length(segment, length),
                    },
                    Ask::Read { segment, offset, bytes } => match self.any_replica(segment, offset, bytes) {
                        Ok(bytes) => tailer.bytes(segment, offset, &bytes),
                        Err(_) => return Ok(None),
                    },
                    Ask::Recover(_) => return Ok(None),
                }
            }
        }
        let takeover = tailer.takeover().map_err(|error| format!("audit: {error}"))?;
        let Some(takeover) = takeover else { return Ok(None) };
        let named = takeover.base.map_or(SequenceNumber(0), |base| base.position.sequence);
        let end = takeover.copies.last().map_or(named, |record| record.position.sequence);
        let known = records.last().map_or(SequenceNumber(0), |record: &Record| record.position.sequence);
        records.extend(takeover.copies.into_iter().filter(|record| record.position.sequence > known));
        Ok(Some((records, end)))
    }
}
