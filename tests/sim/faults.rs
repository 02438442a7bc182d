//! What goes wrong, and how it is mended at the end.

use crate::client::Client;
use crate::world::{Action, Host, MS, SECOND, SESSION, World};
use alluxio::journal::folder::SegmentId;

impl World {
    /// One fault, and when the next one comes.
    pub fn fault(&mut self) {
        if self.healing {
            return;
        }
        self.coverage.faults += 1;
        let host = self.rng.index(self.hosts.len());
        let host = if self.rng.chance(2, 3) { self.leader().unwrap_or(host) } else { host };
        match self.rng.range(0, 17) {
            0 => {
                let with_guardian = self.rng.chance(1, 2);
                self.kill(host, with_guardian);
            }
            1 => self.kill_under_load(host),
            2..=4 => self.pause(host),
            5 => self.stop(host),
            12 => self.stop_under_load(host),
            13 | 14 => self.usurp(host),
            6 | 7 => self.cut_off(host),
            8 => self.delete_latch(host),
            9 => {
                let away = self.rng.range(100 * MS, 4 * SECOND);
                self.store_away(away);
            }
            15 | 16 => self.worker_dies(),
            _ => self.hurt_replica(),
        }
        let pause = self.rng.range(100 * MS, 4 * SECOND);
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
        self.hosts[host].paused_until = self.now + time;
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

    fn store_away(&mut self, time: u64) {
        self.note(|| format!("the store is away for {} ms", time / MS));
        self.folder.set_outage(true);
        self.store_away_until = self.store_away_until.max(self.now + time);
    }

    /// A DataNode restarts, or (never all of them) loses a replica.
    fn hurt_replica(&mut self) {
        let Ok(listing) = self.folder.list() else { return };
        let Some(segment) = listing.segments.last().copied() else { return };
        let replica = self.rng.index(self.options.replicas);
        if replica == 0 && self.options.replicas > 1 && self.rng.chance(1, 2) {
            self.note(|| format!("replica 0 of {segment} is lost"));
            self.folder.lose_replica(segment, 0);
        } else {
            self.note(|| format!("replica {replica} of {segment} restarts"));
            self.folder.restart_replica(segment, replica);
        }
    }

    /// All faults end; whoever is dead starts.
    pub fn heal(&mut self) {
        self.note(|| "all faults end".into());
        self.healing = true;
        self.folder.set_outage(false);
        for host in 0..self.hosts.len() {
            self.hosts[host].paused_until = self.hosts[host].paused_until.min(self.now + 1);
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

    /// For messages: who has something open with the UFS.
    pub fn open(&self) -> String {
        let of = |(number, host): (usize, &Host)| {
            let process = host.process.as_ref()?;
            let intents: Vec<_> = process.core.state.intents().values().collect();
            Some(format!(
                "host {number} serves {} has {intents:?}, works on {:?}",
                process.gate.is_serving(),
                process.effects.keys()
            ))
        };
        self.hosts.iter().enumerate().filter_map(of).collect::<Vec<_>>().join("; ")
    }

    /// For messages.
    pub fn segments(&self) -> Vec<SegmentId> {
        self.folder.list().map(|listing| listing.segments).unwrap_or_default()
    }
}
