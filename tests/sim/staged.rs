//! Chains of faults that chance hardly ever puts together. Some seeds are theirs alone, so that they leave the others as
//! they are.

use crate::client::caller;
use crate::coverage::Met;
use crate::model::Op;
use crate::rng::Rng;
use crate::world::{Action, MS, Options, SECOND, World};
use alluxio::election::StateNumber;
use alluxio::master::ops::Query;
use alluxio::master::role::FencingMode;
use alluxio::types::{AlluxioPath, SequenceNumber};

/// Such a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Leaders die in a flush that reaches no DataNode, just after they have answered what was flushed before.
    DeathInFlush,
    /// ZooKeeper is restored to what one standby has seen all the while, and the leader does not hear of it.
    RestoredAsSeen,
}

/// How long clients then do much, and until the next one begins.
const BUSY: u64 = 2 * SECOND;
const CALM: u64 = 6 * SECOND;
/// How long clients wait otherwise.
pub const IDLE: u64 = 4 * SECOND;
/// One seed in so many.
const ONE_IN: u64 = 17;

/// Of `DeathInFlush`: whether a client only looks.
pub fn is_reader(client: usize) -> bool {
    client < 3
}

/// What is under way with that one name at the leader.
#[derive(Debug, Default)]
pub struct Flush {
    /// The newest record when the flush began.
    newest: SequenceNumber,
    /// Whether it changes the name.
    changes: bool,
    /// Whether what came meanwhile changes it again.
    again: bool,
}

impl Stage {
    /// What the seed is for.
    pub fn of(seed: u64) -> Option<Stage> {
        match seed % (2 * ONE_IN) {
            13 => Some(Stage::DeathInFlush),
            30 => Some(Stage::RestoredAsSeen),
            _ => None,
        }
    }

    /// Some make and delete one name, the others look at it.
    pub fn contend(rng: &mut Rng, client: usize) -> Op {
        match rng.index(2) {
            _ if is_reader(client) => Op::Stat("/a"),
            0 => Op::Mkdir("/a"),
            _ => Op::Delete { path: "/a", recursive: false },
        }
    }

    /// The world that it needs.
    pub fn fit(self, options: &mut Options) {
        options.stage = Some(self);
        options.masters = 2;
        options.mode = FencingMode::Lease;
        options.mixed_leases = false;
        options.busy = true;
        options.clients = if self == Stage::DeathInFlush { 10 } else { 6 };
        options.names = &["/a"];
        if self == Stage::DeathInFlush {
            options.operations = 800;
        }
    }
}

impl World {
    /// The chain of this world begins.
    pub fn play_stage(&mut self, stage: Stage) {
        self.after(CALM, Action::Fault);
        match stage {
            Stage::DeathInFlush => {
                self.slow_until = self.now + BUSY;
                self.doom.in_flush = true;
            }
            Stage::RestoredAsSeen => self.blindfold(),
        }
    }

    /// A flush begins. Whether it is the one that its leader dies in: who looks at the name must wait for it, though the
    /// flush before it has changed the name, too.
    pub fn dies_in_flush(&mut self, host: usize, life: u64) -> bool {
        if self.options.stage != Some(Stage::DeathInFlush) {
            return false;
        }
        let (changed, newest) = self.changes(host, life);
        let before = std::mem::replace(&mut self.doom.flush, Flush { newest, changes: false, again: false });
        self.doom.flush.changes = changed > before.newest;
        if !before.again || !self.is_slow() || !std::mem::take(&mut self.doom.in_flush) {
            return false;
        }
        self.note(|| format!("host {host} dies in this flush"));
        self.coverage.met(Met::DeathInFlush);
        let delay = self.rng.range(50 * MS, 200 * MS);
        self.after(delay, Action::Kill { host, life });
        self.readers_look();
        true
    }

    /// Of `DeathInFlush`: before and after a death, those look who change nothing.
    pub fn readers_look(&mut self) {
        if self.options.stage != Some(Stage::DeathInFlush) || self.healing {
            return;
        }
        for client in (0..self.clients.len()).filter(|client| is_reader(*client)) {
            let delay = self.rng.range(MS, 40 * MS);
            self.after(delay, Action::ClientTurn { client });
        }
    }

    /// A flush has come to its end.
    pub fn flush_ends(&mut self, host: usize, life: u64) {
        if self.options.stage != Some(Stage::DeathInFlush) {
            return;
        }
        let (changed, _) = self.changes(host, life);
        self.doom.flush.again = self.doom.flush.changes && changed > self.doom.flush.newest;
    }

    /// The newest record that is not answered and changes the name, and the newest of all.
    fn changes(&mut self, host: usize, life: u64) -> (SequenceNumber, SequenceNumber) {
        let Some(process) = self.process(host, life) else { return Default::default() };
        let query = Query::GetStatus { path: AlluxioPath::parse("/a").unwrap() };
        let shown = process.core.evaluate(&caller(), &query, &crate::ops_settings());
        (shown.wait_for, process.core.in_flight.newest())
    }

    /// A standby is shown what it has seen, while the leader renews its lease.
    fn blindfold(&mut self) {
        let Some(leader) = self.leader() else { return };
        let time = self.rng.range(1400 * MS, 2100 * MS);
        let at = self.election.newest();
        for host in (0..self.hosts.len()).filter(|host| *host != leader) {
            self.cut_off_for(host, time);
        }
        self.rest_until = self.now + time;
        self.after(time, Action::RestoreAsSeen { leader, at });
    }

    /// See `blindfold`: the standby sees again.
    pub fn restore_as_seen(&mut self, leader: usize, at: StateNumber) {
        if self.healing || self.leader() != Some(leader) {
            return;
        }
        self.coverage.met(Met::RestoredAsSeen);
        self.slow_until = self.now + BUSY;
        self.passed_over_for(leader, 3 * SECOND);
        let time = self.rng.range(MS, 100 * MS);
        self.zookeeper_goes(time);
        self.after(time, Action::ZookeeperAsSeen { at });
    }
}
