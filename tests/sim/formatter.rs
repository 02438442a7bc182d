//! `alluxio format`: the first one, and one under masters that live but have lost their places in the latch. Its steps
//! are those of `src/tools/format.rs`; it may die at each of them.

use crate::coverage::Met;
use crate::effects;
use crate::model::{Call, Op, Seen};
use crate::world::{Action, CLUSTER, MS, SECOND, World};
use alluxio::election::{Contender, EpochNode, OwnNode, SessionId, StateNumber, Versioned};
use alluxio::journal::chain::SegmentHeader;
use alluxio::journal::codec;
use alluxio::journal::folder::{Format, SegmentId};
use alluxio::types::SequenceNumber;
use alluxio::ufs::{Ufs, UfsDeletion, UfsOwnership};

/// The one who formats.
#[derive(Debug, Default)]
pub struct Formatter {
    /// That of the history that counts.
    pub genesis: u64,
    /// Since when.
    pub since: u64,
    until: u64,
    session: Option<(SessionId, OwnNode)>,
    seen: Option<(Versioned<EpochNode>, u64)>,
    claimed: Option<Claimed>,
}

#[derive(Debug, Clone)]
struct Claimed {
    version: i32,
    node: EpochNode,
    at: u64,
    segment: Option<SegmentId>,
}

impl World {
    /// What the first `alluxio format` leaves: FORMAT, a closed first segment, a released epoch node.
    pub fn format_first(&mut self) {
        let format = Format { layout: 1, feature_level: 1, cluster_id: CLUSTER.into() };
        self.folder.write_format(&format).unwrap();
        self.formatter.genesis = self.rng.next();
        let segment = SegmentId { epoch: 1, index: 0 };
        assert!(self.write_genesis(segment, self.formatter.genesis, false));
        let session = self.election.open_session();
        let genesis = self.formatter.genesis;
        let node = EpochNode { epoch: 1, released: true, segments: 1, genesis, ..EpochNode::default() };
        self.election.create_epoch(session, &node).unwrap();
        self.election.end_session(session);
        let ownership = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o755 };
        effects::now(self.ufs.mkdir(effects::ROOT, &ownership)).unwrap();
    }

    /// All masters lose their sessions without noticing, and somebody formats.
    pub fn format_under_masters(&mut self) {
        if self.formatter.until != 0 {
            return;
        }
        self.note(|| "somebody formats, and no master can tell".into());
        for host in 0..self.hosts.len() {
            let time = self.rng.range(8 * SECOND, 11 * SECOND);
            if self.rng.chance(1, 2) { self.cut_off_for(host, time) } else { self.pause_for(host, time) }
        }
        self.formatter.until = self.now + 15 * SECOND;
        self.after(SECOND, Action::Format);
    }

    /// The next step of the one who formats.
    pub fn format_turn(&mut self) -> Result<(), String> {
        if self.healing || self.now > self.formatter.until || self.rng.chance(1, 400) {
            self.formatter_ends();
            return Ok(());
        }
        let pause = self.rng.range(MS, 100 * MS);
        let Some(claimed) = self.formatter.claimed.clone() else {
            if self.formatter_claims().is_none() {
                self.formatter_ends();
                self.formatter.seen = None;
            }
            self.after(pause, Action::Format);
            return Ok(());
        };
        match claimed.segment {
            None => {
                let segment = SegmentId { epoch: claimed.node.epoch, index: 0 };
                let (genesis, is_torn) = (self.rng.next(), self.rng.chance(1, 5));
                if !self.write_genesis(segment, genesis, is_torn) {
                    // Dead before it was flushed: the old journal stands.
                    self.formatter_ends();
                    return Ok(());
                }
                self.begin_history(genesis, claimed.at)?;
                self.formatter.claimed = Some(Claimed { segment: Some(segment), ..claimed });
                self.after(pause, Action::Format);
            }
            Some(segment) => {
                let session = self.election.open_session();
                let node = EpochNode {
                    epoch: claimed.node.epoch,
                    owner: claimed.node.owner,
                    latch: claimed.node.latch,
                    released: true,
                    segments: 1,
                    genesis: self.formatter.genesis,
                    ..EpochNode::default()
                };
                let released = self.election.release(session, claimed.version, &node);
                self.election.end_session(session);
                // It may die before.
                if released.is_ok() && self.rng.chance(1, 2) {
                    self.delete_before(segment);
                }
                self.formatter_ends();
            }
        }
        Ok(())
    }

    /// Joins, refuses while others are there, waits as F2 and claims. None: refused, or its session is gone.
    fn formatter_claims(&mut self) -> Option<()> {
        let contender = Contender::new(CLUSTER, "f0f0f0f0f0f0").unwrap();
        if self.formatter.session.is_none() {
            let session = self.election.open_session();
            let own = self.election.join(session, &contender, "format:there").ok()?;
            self.formatter.session = Some((session, own));
        }
        let (session, own) = self.formatter.session.clone()?;
        let others = self.election.participants(session, StateNumber::NEWEST).ok()?;
        if others.iter().any(|participant| participant.node != own.0) {
            return None;
        }
        let node = self.election.read_epoch(session, StateNumber::NEWEST).ok()??;
        let (seen, since) = self.formatter.seen.clone().filter(|(seen, _)| *seen == node).unwrap_or((node, self.now));
        self.formatter.seen = Some((seen.clone(), since));
        let lease = seen.value.lease_ms.max(2_000) * MS;
        let highest = self.folder.list().ok()?.segments.last().map_or(0, |segment| segment.epoch);
        let is_released = seen.value.released && seen.value.epoch >= highest;
        if is_released || self.now >= since + lease + lease / 10 {
            let node = EpochNode {
                epoch: seen.value.epoch.max(highest) + 1,
                owner: "f0f0f0f0f0f0".into(),
                latch: own.0.clone(),
                segments: seen.value.segments,
                segments_epoch: seen.value.segments_of(),
                genesis: seen.value.genesis,
                durable_sequence: seen.value.durable_sequence,
                durable_hash: seen.value.durable_hash,
                ..EpochNode::default()
            };
            let version = self.election.claim(session, &own, &[], seen.version, &node).ok()?;
            self.note(|| format!("format claims epoch {}", node.epoch));
            self.formatter.claimed = Some(Claimed { version, node, at: self.now, segment: None });
        }
        Some(())
    }

    fn formatter_ends(&mut self) {
        if let Some((session, _)) = self.formatter.session.take() {
            self.election.end_session(session);
        }
    }

    /// The first segment of a history, whole or torn. Whether it is whole. (One that is whole on some DataNodes only
    /// leaves two histories to choose from until somebody formats again: docs/journal.md, known limits.)
    fn write_genesis(&mut self, segment: SegmentId, genesis: u64, is_torn: bool) -> bool {
        let through = SequenceNumber(0);
        let header = SegmentHeader { cluster_id: CLUSTER.into(), genesis, segment, base: None, through };
        let mut bytes = Vec::new();
        codec::encode_header(&mut bytes, &header);
        let Ok(file) = self.folder.create(segment) else { return false };
        let append = self.folder.begin_append(file, &bytes);
        if is_torn {
            let bytes = self.rng.index(bytes.len());
            self.folder.land_part(append, 0, bytes);
            return false;
        }
        (0..self.options.replicas).all(|replica| self.folder.land(append, replica)) && self.folder.close(file).is_ok()
    }

    /// From now on another history counts: all that was before is as if it had been deleted in one step.
    fn begin_history(&mut self, genesis: u64, asked: u64) -> Result<(), String> {
        self.coverage.met(Met::Formatted);
        self.note(|| "another history begins".into());
        self.formatter.genesis = genesis;
        self.formatter.since = self.now;
        self.told = crate::audit::Told::default();
        // To clients it is a delete of everything.
        let op = Op::Delete { path: "/", recursive: true };
        self.history.push(Call { op, asked, heard: self.now, seen: Seen::Done, inode: None });
        self.options.operations += 1;
        self.forget_files();
        self.forget_formers();
        // What a dead master had sent to the UFS comes there before all is deleted.
        self.land_ufs_calls()?;
        let ownership = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o755 };
        effects::now(self.ufs.delete(effects::ROOT, UfsDeletion::Tree)).unwrap();
        effects::now(self.ufs.mkdir(effects::ROOT, &ownership)).unwrap();
        Ok(())
    }

    /// Whether a master has not noticed yet that another history began.
    pub fn follows_old_history(&self, host: usize) -> bool {
        let genesis = self.hosts[host].process.as_ref().and_then(|process| process.driver.genesis());
        genesis.is_some_and(|genesis| genesis != self.formatter.genesis)
    }

    fn delete_before(&mut self, first: SegmentId) {
        let Ok(listing) = self.folder.list() else { return };
        for checkpoint in listing.checkpoints {
            let _ = self.folder.delete_checkpoint(checkpoint);
        }
        for segment in listing.segments.into_iter().filter(|segment| *segment < first) {
            let _ = self.delete_segment(segment);
        }
    }
}
