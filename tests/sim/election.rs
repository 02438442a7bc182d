//! Calls to the election: they take effect, and their replies arrive; either may be late, lost, or come after the
//! caller's death. ZooKeeper may be away, cut a server off that goes on answering reads, lag, or come back with old data.

use crate::coverage::Met;
use crate::perform::DEADLINE;
use crate::world::{Action, Host, MS, SECOND, SESSION, World};
use alluxio::election::{
    CallFailed, Contender, EpochNode, LatchCall, LatchError, LatchReply, Observation, Presence, SessionId, StateNumber,
    Versioned,
};
use alluxio::master::event::Event;
use alluxio::master::role::FencingMode;

impl World {
    /// A call leaves for the election.
    pub fn call_latch(&mut self, host: usize, life: u64, call: LatchCall) {
        let Some(process) = self.process(host, life) else { return };
        let mut session = process.session;
        if call == LatchCall::Join && !self.election.is_live(session) {
            session = self.election.open_session();
            self.process(host, life).expect("just seen").session = session;
        }
        let writes = matches!(call, LatchCall::Renew { .. } | LatchCall::Claim { .. } | LatchCall::Release { .. });
        if writes && self.rng.chance(1, 120) && !self.healing {
            // Stopped just after it was sent: the reply waits, the effect does not.
            let time = self.rng.range(SECOND, 8 * SECOND);
            self.pause_for(host, time);
        }
        if self.zookeeper_is_away() {
            let failed = failed_reply(&call, CallFailed::Unknown("ZooKeeper is away".into()));
            return self.after(DEADLINE, Action::Deliver(host, life, Event::Latch(failed)));
        }
        let cut_off = self.hosts[host].cut_off_until > self.now;
        let delay = self.rng.range(200, 5 * MS);
        let slow = self.rng.chance(1, if self.hosts[host].late_until > self.now { 6 } else { 40 }) && !self.healing;
        let delay = if slow { self.rng.range(MS, 4 * SECOND) } else { delay };
        if cut_off && call != LatchCall::Observe {
            // Written through a follower that lost its leader: it may get through later, the reply never does.
            if self.rng.chance(1, 4) {
                let late = self.rng.range(DEADLINE, 5 * SECOND);
                self.after(late, Action::Latch { host, life, session, call: call.clone(), lost: true });
            }
            let failed = failed_reply(&call, CallFailed::Unknown("cut off".into()));
            self.after(DEADLINE, Action::Deliver(host, life, Event::Latch(failed)));
            return;
        }
        let lost = self.rng.chance(1, 60) && !self.healing;
        if lost || delay > DEADLINE {
            let failed = failed_reply(&call, CallFailed::Unknown("no reply".into()));
            self.after(DEADLINE, Action::Deliver(host, life, Event::Latch(failed)));
        }
        self.after(delay, Action::Latch { host, life, session, call, lost: lost || delay > DEADLINE });
    }

    /// It takes effect, and its reply is on its way.
    pub fn latch_effect(&mut self, host: usize, life: u64, session: SessionId, call: LatchCall, lost: bool) {
        if self.zookeeper_is_away() {
            if !lost {
                let failed = failed_reply(&call, CallFailed::Unknown("ZooKeeper is away".into()));
                self.after(DEADLINE, Action::Deliver(host, life, Event::Latch(failed)));
            }
            return;
        }
        let told = call.clone();
        let reply = self.execute_latch(host, life, session, call);
        if told != LatchCall::Observe {
            self.note(|| format!("host {host} calls {told:?}: {reply:?}, lost {lost}"));
        }
        if let Some(reply) = reply.filter(|_| !lost) {
            let release = matches!(reply, LatchReply::Released(_));
            let often = release || self.hosts[host].late_until > self.now;
            let late = self.rng.chance(1, if often { 3 } else { 12 }) && !self.healing;
            let delay = if late { self.rng.range(MS, DEADLINE - 10 * MS) } else { self.rng.range(50, MS) };
            self.after(delay, Action::Deliver(host, life, Event::Latch(reply)));
        }
    }

    /// Watches: whoever is connected hears that something changed, soon or not so soon.
    pub fn tell_watchers(&mut self) {
        let newest = self.election.newest();
        if newest == self.watched || self.zookeeper_is_away() {
            return;
        }
        self.watched = newest;
        for host in 0..self.hosts.len() {
            if self.hosts[host].process.is_some() && self.hosts[host].cut_off_until <= self.now {
                let late = self.rng.chance(1, 30);
                let delay = if late { self.rng.range(MS, SECOND) } else { self.rng.range(100, 3 * MS) };
                let life = self.hosts[host].lives;
                self.after(delay, Action::Deliver(host, life, Event::ElectionChanged));
            }
        }
    }

    fn execute_latch(&mut self, host: usize, life: u64, session: SessionId, call: LatchCall) -> Option<LatchReply> {
        let address = crate::address(host);
        let interrupted = told_interrupted(&mut self.hosts[host], &call);
        let frozen = Some(self.hosts[host].frozen).filter(|_| self.hosts[host].cut_off_until > self.now);
        let election = &mut self.election;
        Some(match call {
            LatchCall::Join => {
                let incarnation = self.hosts[host].process.as_ref().filter(|_| self.hosts[host].lives == life)?;
                let contender = Contender::new(crate::world::CLUSTER, &incarnation.incarnation).unwrap();
                LatchReply::Joined(election.join(session, &contender, &address).map_err(failure))
            }
            LatchCall::Observe => {
                let age = if self.rng.chance(1, 3) { self.rng.range(0, 30) } else { 0 };
                // A follower that is cut off shows what it knew, for as long as it is asked.
                let at = frozen.unwrap_or(StateNumber(election.newest().0.saturating_sub(age)));
                // Nor does such a follower know of the end of a session.
                let reader = if frozen.is_some() { election.open_session() } else { session };
                let participants = election.participants(reader, at);
                let observed = participants.and_then(|participants| {
                    let epoch = election.read_epoch(reader, at)?;
                    Ok(Observation { epoch, participants, interrupted })
                });
                LatchReply::Observed(observed.map_err(failure))
            }
            LatchCall::CreateEpoch(node) => LatchReply::Created(election.create_epoch(session, &node).map_err(failure)),
            LatchCall::Renew { own, version, node } => {
                LatchReply::Renewed(election.renew(session, &own, version, &node).map_err(failure))
            }
            LatchCall::Claim { own, ahead, version, node } => {
                LatchReply::Claimed(election.claim(session, &own, &ahead, version, &node).map_err(failure))
            }
            LatchCall::Release { version, node } => {
                let released = election.release(session, version, &node);
                if released.is_ok() {
                    self.released_at = election.newest();
                }
                LatchReply::Released(released.map_err(failure))
            }
            LatchCall::Publish => LatchReply::Published(election.publish(session, &address).map_err(failure)),
            LatchCall::Probe(_) => return None,
        })
    }

    /// Does the process that owned the epoch still serve there? A living leader may seem not to: a firewall was reset, the
    /// address reused.
    pub fn probe(&mut self, host: usize, life: u64, node: &Versioned<EpochNode>) {
        let Versioned { value: EpochNode { address, owner, .. }, version } = node;
        // One who formats has no address.
        let target = address.strip_prefix("host").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
        let there = target.map(|target| self.hosts[target].process.as_ref().map(|process| &process.incarnation));
        let is_dead = there.is_some_and(|there| there != Some(owner));
        // Who was started instead may listen and not answer yet.
        let is_loading = is_dead && there.flatten().is_some() && self.rng.chance(1, 2);
        let wrong = there.is_some() && !is_dead && self.rng.chance(1, 8) && !self.healing;
        if wrong {
            self.coverage.met(Met::WrongEvidence);
        }
        let owner = match (is_dead || wrong, is_loading || there.is_none()) {
            (_, true) => Presence::Unknown,
            (true, false) => Presence::Gone,
            (false, false) => Presence::There,
        };
        self.tell_later(host, life, Event::Latch(LatchReply::Probed { version: *version, owner }));
    }

    // ---- The service itself.

    fn zookeeper_is_away(&self) -> bool {
        self.zookeeper_away_until > self.now
    }

    /// A session ends, unless nobody is there to end it.
    pub fn session_ends(&mut self, session: SessionId) {
        if self.zookeeper_is_away() {
            // Who begins to lead the servers gives every session its whole time again.
            let later = self.zookeeper_away_until - self.now + SESSION;
            self.after(later, Action::EndSession(session));
        } else {
            self.election.end_session(session);
        }
    }

    /// No server answers for a while; it may come back with what it had some time ago.
    pub fn zookeeper_outage(&mut self, time: u64, restored: bool) {
        self.coverage.met(Met::ZookeeperAway);
        self.note(|| format!("ZooKeeper is away for {} ms, restored {restored}", time / MS));
        self.zookeeper_goes(time);
        let age = self.rng.range(1, 200);
        let restored = restored.then(|| StateNumber(self.election.newest().0.saturating_sub(age).max(2)));
        self.after(time, Action::ZookeeperBack { restored });
    }

    /// No server answers for a while.
    pub fn zookeeper_goes(&mut self, time: u64) {
        self.zookeeper_away_until = self.zookeeper_away_until.max(self.now + time);
        self.hosts.iter_mut().for_each(|host| host.interrupted = true);
    }

    /// See `zookeeper_outage`.
    pub fn zookeeper_back(&mut self, restored: Option<StateNumber>) {
        let Some(at) = restored.filter(|_| !self.healing && !self.has_lone_claim()) else { return };
        self.coverage.met(Met::ZookeeperRestored);
        // The worst is a copy of the time when nobody led.
        let at = if self.rng.chance(1, 2) { self.released_at.max(StateNumber(2)) } else { at };
        self.restore_election(at);
    }

    /// It comes back with this copy.
    pub fn zookeeper_as_seen(&mut self, at: StateNumber) {
        if !self.healing && !self.has_lone_claim() {
            self.restore_election(at);
        }
    }

    fn restore_election(&mut self, at: StateNumber) {
        let newest = self.election.newest();
        self.note(|| format!("ZooKeeper is restored from an old copy, {at:?} of {newest:?}"));
        self.election.restore(at);
        // Their servers' leader began anew, so these servers let their clients go: nobody is shown what was before.
        self.hosts.iter_mut().for_each(|host| host.cut_off_until = host.cut_off_until.min(self.now));
        self.only_listings_tell();
        self.doom.old_copy_until = self.now + 30 * SECOND;
        if self.options.mode == FencingMode::Confirm {
            // A master that starts then does not know that the node is old, and waits for nothing.
            self.doom.exact_until = self.doom.old_copy_until;
        }
    }

    /// Without the epoch node, nothing but a listing tells which segments there are: it may not be older than the wait for
    /// the lease (docs/journal.md, known limits).
    fn only_listings_tell(&mut self) {
        self.doom.lags_until = self.doom.lags_until.min(self.now + SECOND);
    }

    /// Whether an epoch is claimed that the journal does not know yet: its claimer may be paused, and nobody could tell
    /// that the epoch is taken if the node were lost.
    pub fn has_lone_claim(&mut self) -> bool {
        let claimed = self.epoch_node().map_or(0, |node| node.value.epoch);
        self.segments().last().is_none_or(|newest| newest.epoch < claimed)
    }

    /// Somebody deletes the epoch node.
    pub fn delete_epoch_node(&mut self) {
        self.coverage.met(Met::EpochDeleted);
        self.note(|| "the epoch node is deleted by hand".into());
        self.election.delete_epoch();
        self.only_listings_tell();
    }
}

fn failure(error: LatchError) -> CallFailed {
    match error {
        LatchError::Refused { reason, .. } => CallFailed::Refused(reason),
        LatchError::Unknown { reason, .. } => CallFailed::Unknown(reason),
        LatchError::SessionExpired => CallFailed::SessionExpired,
        error => CallFailed::Fatal(error.to_string()),
    }
}

fn failed_reply(call: &LatchCall, failed: CallFailed) -> LatchReply {
    match call {
        LatchCall::Join => LatchReply::Joined(Err(failed)),
        LatchCall::Observe => LatchReply::Observed(Err(failed)),
        LatchCall::CreateEpoch(_) => LatchReply::Created(Err(failed)),
        LatchCall::Renew { .. } => LatchReply::Renewed(Err(failed)),
        LatchCall::Claim { .. } => LatchReply::Claimed(Err(failed)),
        LatchCall::Release { .. } => LatchReply::Released(Err(failed)),
        LatchCall::Publish => LatchReply::Published(Err(failed)),
        LatchCall::Probe(node) => LatchReply::Probed { version: node.version, owner: Presence::Unknown },
    }
}

/// An observation tells of a break once.
fn told_interrupted(host: &mut Host, call: &LatchCall) -> bool {
    *call == LatchCall::Observe && std::mem::take(&mut host.interrupted)
}
