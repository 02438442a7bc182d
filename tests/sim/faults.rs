//! What goes wrong, and how it is mended at the end.

use crate::client::Client;
use crate::coverage::Met;
use crate::world::{Action, Host, MS, SECOND, SESSION, World};
use alluxio::journal::folder::SegmentId;
use alluxio::master::role::FencingMode;

impl World {
    /// One fault, and when the next one comes.
    pub fn fault(&mut self) {
        if self.healing {
            return;
        }
        self.coverage.met(Met::Fault);
        if let Some(stage) = self.options.stage
            && self.rng.chance(3, 4)
        {
            return self.play_stage(stage);
        }
        let host = self.rng.index(self.hosts.len());
        let host = if self.rng.chance(2, 3) { self.leader().unwrap_or(host) } else { host };
        let kinds = if self.options.busy { 16 } else { 35 };
        match self.rng.range(0, kinds) {
            0 => {
                let with_guardian = self.rng.chance(1, 2);
                self.kill(host, with_guardian);
            }
            1 | 2 => self.kill_under_load(host),
            3 | 4 => self.pause(host),
            5 => self.doom_at_roll(),
            6 => self.stop(host),
            7 | 8 => self.stop_under_load(host),
            9 | 10 => self.usurp(host),
            11 | 12 => self.duel(host),
            13 => self.worker_dies(),
            14 => self.worker_pauses(),
            15 => self.hurt_replica(),
            16 | 17 => self.cut_off(host),
            18 => self.delete_latch(host),
            19 | 20 => self.store_away(),
            21 => self.worker_evicts(),
            22 => self.hurt_replica(),
            23 => self.restart_all(),
            24 => self.recover_by_hand(),
            25 | 26 => {
                self.doom_next();
                self.kill_under_load(host);
            }
            27 => self.lose_zookeeper(),
            28 => self.flap(),
            29 => self.step_wall_clock(host),
            30 | 31 => self.stand_still(host),
            // While masters have different leases, nobody may do that: docs/journal.md, known limits.
            32 | 33 if self.options.mixed_leases || self.has_lone_claim() => self.pause(host),
            32 => self.delete_epoch_node(),
            33 => self.restore_zookeeper(host),
            _ if self.rng.chance(1, 3) => self.format_under_masters(),
            _ => self.pause(host),
        }
        let most = if self.options.busy { 5 * SECOND } else { 3 * SECOND };
        let pause = self.rng.range(100 * MS, most);
        self.after(pause, Action::Fault);
    }

    pub fn leader(&self) -> Option<usize> {
        self.hosts.iter().position(|host| host.process.as_ref().is_some_and(|process| process.gate.is_serving()))
    }

    /// SIGSTOP for a while. A silent client's session ends.
    fn pause(&mut self, host: usize) {
        let time =
            if self.rng.chance(1, 2) { self.rng.range(MS, 3 * SECOND) } else { self.rng.range(SECOND, 12 * SECOND) };
        self.pause_for(host, time);
    }

    /// See `pause`.
    pub fn pause_for(&mut self, host: usize, time: u64) {
        self.note(|| format!("host {host} is paused for {} ms", time / MS));
        self.hosts[host].pauses += 1;
        self.hosts[host].paused_until = self.hosts[host].paused_until.max(self.now + time);
        if time > SESSION
            && let Some(process) = self.hosts[host].process.as_ref()
        {
            let session = process.session;
            self.after(SESSION, Action::EndSession(session));
        }
    }

    fn stop(&mut self, host: usize) {
        self.stop_after(host, 0);
    }

    /// Its ZooKeeper server lost the others: it goes on answering reads, and sessions seem alive until they end.
    fn cut_off(&mut self, host: usize) {
        let time = self.rng.range(100 * MS, 10 * SECOND);
        self.cut_off_for(host, time);
    }

    /// See `cut_off`.
    pub fn cut_off_for(&mut self, host: usize, time: u64) {
        self.note(|| format!("host {host} is cut off from ZooKeeper for {} ms", time / MS));
        if self.hosts[host].cut_off_until <= self.now {
            self.hosts[host].frozen = self.election.newest();
        }
        self.hosts[host].cut_off_until = self.now + time;
        if time > SESSION
            && let Some(process) = self.hosts[host].process.as_ref()
        {
            let session = process.session;
            self.after(SESSION, Action::EndSession(session));
        }
    }

    /// By hand, or by a tool.
    pub fn delete_latch(&mut self, host: usize) {
        let own = self.hosts[host].process.as_ref().map(|process| process.incarnation.clone());
        let newest = alluxio::election::StateNumber::NEWEST;
        let session = self.election.open_session();
        let participants = self.election.participants(session, newest).unwrap_or_default();
        let node = participants.into_iter().find(|p| own.as_ref().is_some_and(|own| p.node.contains(own)));
        if let Some(node) = node {
            self.note(|| format!("the latch node of host {host} is deleted by hand"));
            self.election.delete_node(&node.node);
        }
        self.election.end_session(session);
    }

    /// The NameNode is away, or the DataNodes, too; mostly not for long.
    fn store_away(&mut self) {
        self.coverage.met(Met::StoreOutage);
        let long = self.rng.chance(1, 8);
        let time = if long { self.rng.range(10 * SECOND, 70 * SECOND) } else { self.rng.range(100 * MS, 5 * SECOND) };
        let wholly = self.rng.chance(1, 2);
        self.note(|| format!("the store is away for {} ms, wholly {wholly}", time / MS));
        self.folder.set_outage(true);
        self.store_away_until = self.store_away_until.max(self.now + time);
        if wholly {
            self.datanodes_away_until = self.datanodes_away_until.max(self.now + time);
        }
    }

    /// One of the last segments.
    fn some_segment(&mut self) -> Option<SegmentId> {
        let segments = self.folder.list().ok()?.segments;
        let back = self.rng.index(2).min(segments.len().checked_sub(1)?);
        segments.iter().rev().nth(back).copied()
    }

    /// A DataNode restarts, or (never all of them) loses a replica.
    fn hurt_replica(&mut self) {
        let Some(segment) = self.some_segment() else { return };
        let replica = self.rng.index(self.options.replicas);
        let lost = self.lost_replicas.iter().filter(|(of, other)| *of == segment && *other != replica).count();
        if lost + 1 < self.options.replicas && self.rng.chance(1, 2) {
            self.note(|| format!("replica {replica} of {segment} is lost"));
            self.coverage.met(Met::ReplicaLost);
            self.lost_replicas.insert((segment, replica));
            self.folder.lose_replica(segment, replica);
        } else {
            self.note(|| format!("replica {replica} of {segment} restarts"));
            self.folder.restart_replica(segment, replica);
            self.break_pipeline(segment);
        }
    }

    /// All DataNodes of a segment restart: none shows it before it is recovered (F11).
    fn restart_all(&mut self) {
        let Some(segment) = self.some_segment() else { return };
        self.note(|| format!("all replicas of {segment} restart"));
        self.coverage.met(Met::AllRestarted);
        for replica in 0..self.options.replicas {
            self.folder.restart_replica(segment, replica);
        }
        self.break_pipeline(segment);
    }

    /// Whoever writes the segment learns that it cannot go on, at once or with the next heartbeat.
    fn break_pipeline(&mut self, segment: SegmentId) {
        let delay = if self.rng.chance(1, 2) { self.rng.range(50, 5 * MS) } else { self.rng.range(MS, 20 * SECOND) };
        self.after(delay, Action::PipelineBroken(segment));
    }

    /// Somebody cuts the writer of a segment off, whoever that is.
    fn recover_by_hand(&mut self) {
        let Some(segment) = self.some_segment() else { return };
        self.note(|| format!("{segment} is recovered by hand"));
        self.coverage.met(Met::RecoveredByHand);
        self.recover_to_anything(segment);
        self.break_pipeline(segment);
    }

    fn lose_zookeeper(&mut self) {
        let long = self.rng.chance(1, 4);
        let time = if long { self.rng.range(5 * SECOND, 20 * SECOND) } else { self.rng.range(100 * MS, 4 * SECOND) };
        self.zookeeper_outage(time, false);
    }

    /// ZooKeeper, or the way to it, comes and goes.
    fn flap(&mut self) {
        for _ in 0..4 {
            let host = self.rng.index(self.hosts.len());
            let time = self.rng.range(50 * MS, 1500 * MS);
            if self.rng.chance(1, 2) { self.cut_off_for(host, time) } else { self.zookeeper_outage(time / 2, false) }
        }
    }

    /// It comes back with old data, and a leader does not hear of it at once.
    fn restore_zookeeper(&mut self, host: usize) {
        let most = if self.rng.chance(2, 3) { 200 * MS } else { 3 * SECOND };
        let time = self.rng.range(MS, most);
        let host = self.leader().unwrap_or(host);
        self.passed_over_for(host, time + 3 * SECOND);
        self.zookeeper_outage(time, true);
    }

    /// By an hour, forward or back, or right again.
    fn step_wall_clock(&mut self, host: usize) {
        self.coverage.met(Met::WallStep);
        let hour = 3_600_000;
        self.hosts[host].wall_off = [-hour, 0, hour][self.rng.index(3)];
    }

    /// The machine is suspended, and its boot clock with it. Only one mode is made for that.
    fn stand_still(&mut self, host: usize) {
        if self.options.mode != FencingMode::Confirm {
            return self.pause(host);
        }
        self.coverage.met(Met::StoodStill);
        let time = self.rng.range(SECOND, 12 * SECOND);
        let before = self.hosts[host].paused_until.max(self.now);
        self.pause_for(host, time);
        // A pause within another one stops no clock twice.
        self.hosts[host].stood_still += self.drifted(host, self.hosts[host].paused_until - before);
    }

    /// All faults end; whoever is dead starts.
    pub fn heal(&mut self) {
        self.note(|| "all faults end".into());
        self.healing = true;
        self.folder.set_outage(false);
        self.store_away_until = 0;
        self.datanodes_away_until = 0;
        self.zookeeper_away_until = 0;
        self.workers_go_on();
        for host in 0..self.hosts.len() {
            self.hosts[host].cut_off_until = 0;
            self.after(MS, Action::Start(host));
        }
    }

    /// The store comes back when its time has come.
    pub fn mend_store(&mut self) {
        if self.store_away_until != 0 && self.now >= self.store_away_until {
            self.store_away_until = 0;
            self.folder.set_outage(false);
        }
    }

    /// Whether nobody waits for an answer, and a primary has nothing open with the UFS.
    pub fn is_idle(&self) -> bool {
        let open = |host: &Host| {
            let primary = host.process.as_ref().filter(|process| process.gate.is_serving());
            primary.is_some_and(|process| !process.core.state.intents().is_empty())
        };
        !self.clients.iter().any(Client::is_waiting) && !self.hosts.iter().any(open)
    }

    /// For messages: how far everybody is.
    pub fn open(&self) -> String {
        let of = |(number, host): (usize, &Host)| {
            let process = host.process.as_ref()?;
            let intents: Vec<_> = process.core.state.intents().values().collect();
            Some(format!(
                "host {number} serves {} at {}, has {intents:?}, works on {:?}",
                process.gate.is_serving(),
                process.driver.decided(),
                process.effects.keys()
            ))
        };
        self.hosts.iter().enumerate().filter_map(of).collect::<Vec<_>>().join("; ")
            + &format!("; idle {}, settled {}, quiet {}", self.is_idle(), self.workers_are_settled(), self.is_quiet())
    }

    /// For messages.
    pub fn segments(&self) -> Vec<SegmentId> {
        self.folder.list().map(|listing| listing.segments).unwrap_or_default()
    }
}
