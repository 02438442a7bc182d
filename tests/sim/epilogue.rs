//! After a seed: one file of the journal is damaged, and a master that starts from nothing either names it before it
//! could serve, or did not need it and comes to the same state as before.

use crate::coverage::Met;
use crate::world::{SECOND, World};
use alluxio::election::StateNumber;
use alluxio::journal::chain::{Position, SegmentView};
use alluxio::journal::chain_error::ChainError;
use alluxio::journal::folder::{CheckpointId, Length, SegmentId};
use alluxio::master::event::Exit;
use alluxio::types::SequenceNumber;
use bytes::Bytes;
use std::fmt;

/// So long the master may take to serve or to end.
const PATIENCE: u64 = 40 * SECOND;

/// What came of the one master that is left.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Alone {
    pub gave_up: Option<Exit>,
    pub serves_from: Option<Position>,
}

/// What is done to a file.
enum Damage {
    /// A byte of a segment is another one.
    Flipped(SegmentId, u64),
    /// From there on, a segment is zeros.
    Zeroed(SegmentId, u64),
    /// A segment is gone.
    Gone(SegmentId),
    Checkpoint(CheckpointId),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Flipped(segment, offset) => write!(f, "another byte at {offset} of {segment}"),
            Damage::Zeroed(segment, offset) => write!(f, "zeros from byte {offset} of {segment}"),
            Damage::Gone(segment) => write!(f, "no {segment}"),
            Damage::Checkpoint(id) => write!(f, "a damaged checkpoint {id}"),
        }
    }
}

impl World {
    /// See the module text. All else is well by now.
    pub fn damage_and_start_again(&mut self) -> Result<(), String> {
        let decided = self.leader().and_then(|host| self.hosts[host].process.as_ref()).map(|p| p.driver.decided());
        let decided = decided.ok_or("nobody leads in the end")?;
        self.end_everything();
        let Some(damage) = self.damage() else { return Ok(()) };
        self.note(|| format!("all masters are dead, and there is {damage}"));
        // What was answered since the last renewal is known to nobody else.
        let durable = self.epoch_node().map_or(0, |node| node.value.durable_sequence);
        let lost = matches!(damage, Damage::Zeroed(..));
        let needed = if lost { SequenceNumber(durable) } else { decided.sequence };
        self.alone = Some(Alone::default());
        self.start(0)?;
        let until = self.now + PATIENCE;
        while self.alone == Some(Alone::default()) && self.now < until {
            let action = self.next().ok_or("nothing happens any more")?;
            self.act(action)?;
        }
        let Alone { gave_up, serves_from } = self.alone.take().expect("just set");
        match (gave_up, damage) {
            (Some(Exit::Chain(ChainError::Damaged(found))), Damage::Flipped(segment, _))
                if found.segment == segment =>
            {
                self.coverage.met(Met::DamageNamed);
                Ok(())
            }
            (Some(exit), Damage::Gone(segment)) if exit.to_string().contains(&segment.to_string()) => {
                self.coverage.met(Met::DamageNamed);
                Ok(())
            }
            (Some(Exit::Chain(_)), Damage::Zeroed(..)) => {
                self.coverage.met(Met::DamageNamed);
                Ok(())
            }
            (Some(exit), damage) => Err(format!("{damage}, but what is named is: {exit}")),
            (None, damage) => match serves_from {
                Some(from) if from.sequence < needed => {
                    Err(format!("with {damage} a master serves {from}, but {needed} was told"))
                }
                Some(from) => {
                    self.coverage.met(Met::DamagePassed);
                    self.tell("a master beside damage", from)
                }
                // It waits for the newest one, which the epoch node tells of.
                None if matches!(damage, Damage::Gone(_)) => Ok(()),
                None => Err(format!("with {damage} nobody serves, and nothing is named")),
            },
        }
    }

    fn end_everything(&mut self) {
        for host in 0..self.hosts.len() {
            self.hosts[host].lives += 1;
            let Some(process) = self.hosts[host].process.take() else { continue };
            self.guardian_release(&process.incarnation);
        }
        // All sessions end, also those of processes that died before.
        let reader = self.election.open_session();
        for participant in self.election.participants(reader, StateNumber::NEWEST).unwrap_or_default() {
            self.election.delete_node(&participant.node);
        }
        self.forget_actions();
    }

    /// Where it may have been torn: behind one of the records, or before the header.
    fn end_of_a_record(&mut self, segment: SegmentId, length: u64) -> Option<u64> {
        let bytes = self.any_replica(segment, 0, length).ok()?;
        let mut view = SegmentView::default();
        // What is not whole was never answered.
        let _ = view.extend(segment, &bytes);
        let ends: Vec<u64> = std::iter::once(0).chain(view.records.iter().map(|placed| placed.end)).collect();
        Some(ends[self.rng.index(ends.len())])
    }

    fn damage(&mut self) -> Option<Damage> {
        let listing = self.folder.list().ok()?;
        let of =
            if self.rng.chance(1, 4) { self.rng.index(listing.segments.len()) } else { listing.segments.len() - 1 };
        let segment = listing.segments[of];
        match self.rng.range(0, 6) {
            0 => {
                self.delete_segment(segment).ok()?;
                Some(Damage::Gone(segment))
            }
            1 if !listing.checkpoints.is_empty() => {
                let id = *listing.checkpoints.last()?;
                let mut content = self.folder.read_checkpoint(id).ok()?.to_vec();
                let at = self.rng.index(content.len());
                content[at] ^= 1 << self.rng.index(8);
                self.folder.delete_checkpoint(id).ok()?;
                self.folder.write_checkpoint(id, Bytes::from(content)).ok()?;
                Some(Damage::Checkpoint(id))
            }
            _ => {
                let Ok(Length::Open(length) | Length::Closed(length)) = self.any_length(segment) else { return None };
                let offset = self.rng.range(0, length.max(1));
                if self.rng.chance(1, 2) {
                    let offset = self.end_of_a_record(segment, length)?;
                    self.folder.damage(segment, offset, &vec![0; (length - offset) as usize]);
                    return Some(Damage::Zeroed(segment, offset));
                }
                let byte = self.any_replica(segment, offset, 1).ok()?[0] ^ (1 << self.rng.index(8));
                self.folder.damage(segment, offset, &[byte]);
                Some(Damage::Flipped(segment, offset))
            }
        }
    }
}
