//! Pure. Whether this master may answer: joins the latch, waits, claims an epoch, renews the lease, releases.
//!
//! The rules are F1 to F4 of `docs/journal.md`. Calls to the election go out, their replies and the clock come in.
//! The lease counts from the *sending* of a successful conditional write, on the boot clock; nothing else renews it.

use crate::election::{EpochNode, LatchCall, OwnNode, Participant, Versioned};
use crate::journal::chain::Position;
use crate::journal::witness::Witness;
use crate::types::mutant::{self, Mutant};
use crate::types::time::Boot;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a deposed leader is kept from answering (`alluxio.master.journal.fencing.mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FencingMode {
    /// By its clock: a successor waits until the lease has ended.
    Lease,
    /// By ZooKeeper: every answer follows a renewal sent after its flush; a successor waits for nothing.
    Confirm,
}

/// What does not change while the process lives.
#[derive(Debug, Clone)]
pub struct RoleSettings {
    /// See there.
    pub mode: FencingMode,
    /// L: how long a renewal counts. Others wait 1.1 times as long.
    pub lease: Duration,
    /// Our RPC address, `host:port`.
    pub address: String,
    /// Random id of this process.
    pub incarnation: String,
}

/// What the driver must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleEvent {
    /// The epoch is ours; the journal may be taken over.
    Claimed {
        /// Which.
        epoch: u64,
        /// What the node said before: the last answered record, and the newest segment of the epoch before.
        before: EpochNode,
    },
    /// Somebody else may lead: nothing may be answered any more.
    Fenced(String),
    /// We gave the role up and wrote so.
    Released,
    /// We cannot take part in the election.
    Unfit(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not in the latch: not caught up yet, or between sessions.
    Outside,
    Standby,
    Claiming,
    Leading,
    Releasing,
    Over,
}

/// Calls of one kind never overlap; those that write the epoch node are one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Join,
    Observe,
    Create,
    Write,
    Publish,
    Probe,
}

/// Epochs that are given up in a row, their first segment not created, before others who wait get their chance.
const EPOCHS_GIVEN_UP_MAX: u32 = 4;
/// Pause between two tries of a call that failed, and between two probes.
const RETRY: Duration = Duration::from_millis(250);

/// Whether a leader looks who else is in the latch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    NotWanted,
    Wanted,
    /// Since it was wanted, `participants` were seen.
    Done,
}

/// See the module text.
#[derive(Debug, Clone)]
pub struct Role {
    pub(super) settings: RoleSettings,
    pub(super) phase: Phase,
    /// The driver is caught up and wishes to take part.
    pub(super) entered: bool,
    pub(super) own: Option<OwnNode>,
    /// The epoch node as it was seen, and when it was seen so first.
    pub(super) seen: Option<(Option<Versioned<EpochNode>>, Boot)>,
    /// Another state of the node may have been between the last observation and the next: what stands still is to be seen
    /// anew. A ZooKeeper that is restored can show again what it showed before.
    pub(super) seen_anew: bool,
    /// The highest version of the epoch node that was ever seen.
    pub(super) version_seen: i32,
    pub(super) participants: Vec<Participant>,
    /// The leader's process was seen to be gone, at the version of the node that was seen last.
    pub(super) gone: bool,
    /// What the next write to our epoch node says, and the version it expects.
    pub(super) node: EpochNode,
    pub(super) version: i32,
    /// What the node said before our claim.
    pub(super) before: EpochNode,
    /// When the last write that succeeded was sent.
    pub(super) confirmed: Option<Boot>,
    /// Number of writes sent, and of the last that succeeded.
    pub(super) sent: u64,
    pub(super) confirmed_number: u64,
    /// Segments in the last write that succeeded.
    pub(super) registered: u32,
    /// Segments in the write under way.
    pub(super) registering: u32,
    /// The write under way is a claim.
    pub(super) claim_sent: bool,
    pub(super) epochs_given_up: u32,
    pub(super) renew_wanted: bool,
    pub(super) observe_wanted: bool,
    pub(super) look: Look,
    /// A standby looks at the election then even if nothing told it of a change.
    pub(super) observe_due: Boot,
    pub(super) publish_wanted: bool,
    /// When our address was published last.
    pub(super) published_at: Option<Boot>,
    /// The outcome of the last write is not known: the node is read before the next one.
    pub(super) unsure: bool,
    /// The observation under way was asked for before that write.
    pub(super) observation_is_old: bool,
    pub(super) under_way: BTreeMap<Kind, Boot>,
    pub(super) not_before: BTreeMap<Kind, Boot>,
    pub(super) events: Vec<RoleEvent>,
}

impl Role {
    /// A role that takes no part yet.
    pub fn new(settings: RoleSettings) -> Role {
        Role {
            settings,
            phase: Phase::Outside,
            entered: false,
            own: None,
            seen: None,
            seen_anew: false,
            version_seen: 0,
            participants: Vec::new(),
            gone: false,
            node: EpochNode::default(),
            version: 0,
            before: EpochNode::default(),
            confirmed: None,
            sent: 0,
            confirmed_number: 0,
            registered: 0,
            registering: 0,
            claim_sent: false,
            epochs_given_up: 0,
            renew_wanted: false,
            observe_wanted: true,
            look: Look::NotWanted,
            observe_due: Boot::default(),
            publish_wanted: false,
            published_at: None,
            unsure: false,
            observation_is_old: false,
            under_way: BTreeMap::new(),
            not_before: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// Takes part in the election from now on.
    pub fn enter(&mut self) {
        self.entered = true;
    }

    /// Something about the election may have changed.
    pub fn changed(&mut self) {
        self.observe_wanted = true;
    }

    /// What happened since the last call.
    pub fn events(&mut self) -> Vec<RoleEvent> {
        std::mem::take(&mut self.events)
    }

    /// The claimed epoch, while we lead.
    pub fn epoch(&self) -> Option<u64> {
        matches!(self.phase, Phase::Leading | Phase::Releasing).then_some(self.node.epoch)
    }

    /// The epoch node as it was seen last.
    pub fn seen(&self) -> Option<&EpochNode> {
        self.seen.as_ref().and_then(|(node, _)| node.as_ref()).map(|node| &node.value)
    }

    /// To be kept with what is ready to be answered now, for `may_answer`.
    pub fn stamp(&self) -> u64 {
        self.sent
    }

    /// Whether what became ready under `stamp` may be answered at this reading of the clock (F4).
    pub fn may_answer(&self, stamp: u64, now: Boot) -> bool {
        match self.settings.mode {
            _ if !matches!(self.phase, Phase::Leading | Phase::Releasing) => false,
            FencingMode::Lease => self.lease_until().is_some_and(|until| now < until),
            FencingMode::Confirm if mutant::is(Mutant::ConfirmedBefore) => self.confirmed_number >= stamp,
            FencingMode::Confirm => self.confirmed_number > stamp,
        }
    }

    /// When the lease ends, in the mode that goes by the clock; none in the other.
    pub fn lease_until(&self) -> Option<Boot> {
        let leads = self.settings.mode == FencingMode::Lease && matches!(self.phase, Phase::Leading | Phase::Releasing);
        self.confirmed.filter(|_| leads).map(|sent| sent + self.settings.lease)
    }

    /// How many segments of our epoch are registered in the epoch node.
    pub fn registered(&self) -> u32 {
        self.registered
    }

    /// Has the next renewal say how many segments of the history `genesis` exist and what was answered last; at once if
    /// there is a new segment.
    pub fn register(&mut self, segments: u32, genesis: u64, durable: Position) {
        self.renew_wanted |= segments > self.own_segments();
        if segments == 0 {
            return;
        }
        let is_another = !Witness::of(&self.node).may_tell_of(genesis);
        (self.node.segments, self.node.segments_epoch, self.node.genesis) = (segments, 0, genesis);
        // The node may know of an answer whose mark the chain had not yet.
        if is_another || durable.sequence.0 >= self.node.durable_sequence {
            self.node.durable_sequence = durable.sequence.0;
            self.node.durable_hash = durable.hash;
        }
    }

    fn own_segments(&self) -> u32 {
        if self.node.segments_epoch == 0 { self.node.segments } else { 0 }
    }

    /// Answers are ready: in the mode that confirms each one, a renewal is sent as soon as may be.
    pub fn renew_for_answers(&mut self) {
        self.renew_wanted |= self.settings.mode == FencingMode::Confirm;
    }

    /// Whether a failed flush may be followed by another segment: nobody has taken over yet, as far as we know.
    pub fn may_go_on(&self, now: Boot) -> bool {
        self.settings.mode == FencingMode::Confirm || self.lease_until().is_some_and(|until| now < until)
    }

    /// Has our address published.
    pub fn publish(&mut self) {
        self.publish_wanted = true;
    }

    /// Whether others who wait may do better than this master, which has just failed to begin another epoch. One that is
    /// alone tries on.
    pub fn should_give_way(&self) -> bool {
        self.epochs_given_up + 1 >= EPOCHS_GIVEN_UP_MAX && self.participants.len() > 1
    }

    /// Whether others wait who may do better than this leader, as seen since this was wanted. To be asked again and
    /// again while it cannot go on.
    pub fn others_wait(&mut self, wanted: bool) -> bool {
        match (wanted, self.look) {
            (false, _) => self.look = Look::NotWanted,
            (true, Look::NotWanted) => self.look = Look::Wanted,
            (true, Look::Wanted) => {}
            (true, Look::Done) => return self.participants.len() > 1,
        }
        false
    }

    /// Gives the claimed epoch up and claims the next one, because the first segment may be another's (F6).
    pub fn claim_next(&mut self, highest_epoch: u64, now: Boot) {
        // What could not be created just now can hardly be created at once: no storm of epochs.
        let pause = RETRY * 2u32.pow(self.epochs_given_up.min(5));
        self.epochs_given_up += 1;
        self.not_before.insert(Kind::Write, now + pause);
        self.node.epoch = self.node.epoch.max(counted(highest_epoch)) + 1;
        self.registered = 0;
        self.phase = Phase::Claiming;
        // Who waits by now is not known since the first claim.
        self.observe_wanted = true;
    }

    /// Begins to give the role up. The caller answers nothing from now on (F3).
    pub fn release(&mut self) {
        match self.phase {
            Phase::Leading => self.phase = Phase::Releasing,
            // Between two epochs, and the next one is not claimed yet.
            Phase::Claiming
                if self.confirmed.is_some() && !self.unsure && !self.under_way.contains_key(&Kind::Write) =>
            {
                self.not_before.remove(&Kind::Write);
                self.phase = Phase::Releasing;
            }
            // The outcome of the claim, or of the release, comes first.
            Phase::Claiming | Phase::Releasing => {}
            Phase::Outside | Phase::Standby | Phase::Over => self.end(RoleEvent::Released),
        }
    }

    /// What is to be done now. `highest_epoch`: of the journal.
    pub fn calls(&mut self, now: Boot, highest_epoch: u64) -> Vec<LatchCall> {
        let mut calls = Vec::new();
        let highest_epoch = counted(highest_epoch);
        match self.phase {
            Phase::Outside => {
                if self.entered && self.begin(Kind::Join, now) {
                    calls.push(LatchCall::Join);
                }
            }
            Phase::Over => {}
            Phase::Standby => self.standby_calls(now, highest_epoch, &mut calls),
            Phase::Claiming | Phase::Leading | Phase::Releasing if self.unsure => self.observe(now, &mut calls),
            Phase::Claiming => {
                if self.epochs_given_up > 0 && self.observe_wanted {
                    self.observe(now, &mut calls);
                }
                if let Some(own) = self.own.clone().filter(|_| self.begin(Kind::Write, now)) {
                    calls.push(self.claim_call(own, Vec::new()));
                }
            }
            Phase::Leading => self.leading_calls(now, &mut calls),
            Phase::Releasing => {
                if self.begin(Kind::Write, now) {
                    let node = EpochNode { released: true, ..self.node.clone() };
                    calls.push(LatchCall::Release { version: self.version, node });
                }
            }
        }
        calls
    }

    /// When `calls`, which had nothing more to say at `now`, may have something new without an event.
    pub fn wake_at(&self, now: Boot) -> Option<Boot> {
        let due = match self.phase {
            Phase::Standby => {
                let waits = [self.settings.lease / 2, self.wait()];
                let seen = self.seen.iter().flat_map(|(_, since)| waits.map(|wait| *since + wait));
                seen.chain([self.observe_due]).filter(|at| *at > now).min()
            }
            Phase::Leading => Some(self.renew_due()),
            _ => None,
        };
        let retries = self.not_before.iter().filter(|(kind, _)| !self.under_way.contains_key(kind));
        due.into_iter().chain(retries.map(|(_, at)| *at)).filter(|at| *at > now).min()
    }

    /// W: how long an epoch node must stand still. Its owner may live by another mode or a longer lease than we do. Without
    /// a node, or with an old one, only a listing tells which segments there are: it may lag by a lease, in any mode.
    fn wait(&self) -> Duration {
        let theirs = self.seen().filter(|_| !mutant::is(Mutant::OwnLeaseOnly)).map_or(0, |node| node.lease_ms);
        let lease = Duration::from_millis(theirs.max(self.lease_ms()));
        if mutant::is(Mutant::ClaimAtOnce) { Duration::ZERO } else { lease + lease / 10 }
    }

    /// The lease as the epoch node says it: 0 where no answer rests on a clock.
    fn lease_ms(&self) -> u64 {
        if self.settings.mode == FencingMode::Lease { self.settings.lease.as_millis() as u64 } else { 0 }
    }

    fn renew_due(&self) -> Boot {
        self.confirmed.map_or(Boot::default(), |sent| sent + self.settings.lease / 4)
    }

    /// Marks a call as under way if it may be made now.
    fn begin(&mut self, kind: Kind, now: Boot) -> bool {
        if self.under_way.contains_key(&kind) || self.not_before.get(&kind).is_some_and(|at| now < *at) {
            return false;
        }
        self.not_before.remove(&kind);
        self.under_way.insert(kind, now);
        true
    }

    /// Marks a call as over and gives when it was sent.
    pub(super) fn done(&mut self, kind: Kind, now: Boot, failed: bool) -> Option<Boot> {
        if failed {
            self.not_before.insert(kind, now + RETRY);
        }
        self.under_way.remove(&kind)
    }

    pub(super) fn end(&mut self, event: RoleEvent) {
        if self.phase != Phase::Over {
            self.phase = Phase::Over;
            self.events.push(event);
        }
    }

    fn observe(&mut self, now: Boot, calls: &mut Vec<LatchCall>) {
        if self.begin(Kind::Observe, now) {
            self.observe_wanted = false;
            calls.push(LatchCall::Observe);
        }
    }

    fn standby_calls(&mut self, now: Boot, highest_epoch: u64, calls: &mut Vec<LatchCall>) {
        if self.observe_wanted || now >= self.observe_due {
            self.observe(now, calls);
        }
        let (Some(own), Some((seen, since))) = (self.own.clone(), self.seen.clone()) else { return };
        let first = self.participants.first().is_some_and(|participant| participant.node == own.0);
        let Some(seen) = seen else {
            // Counts as a version seen at the moment it is made; the wait begins then (F2), in any mode: see `wait`.
            if first && self.begin(Kind::Create, now) {
                let lease_ms = self.settings.lease.as_millis() as u64;
                let made = EpochNode { epoch: highest_epoch, lease_ms, ..EpochNode::default() };
                calls.push(LatchCall::CreateEpoch(made));
            }
            return;
        };
        // What comes out of an old copy of ZooKeeper's data may say released, though somebody has claimed since.
        let is_current = seen.version >= self.version_seen && seen.value.epoch >= highest_epoch;
        let is_released = seen.value.released && (is_current || mutant::is(Mutant::OldRelease));
        let least = if is_current { Duration::ZERO } else { self.settings.lease };
        let ahead = if first { Some(Vec::new()) } else { self.dead_ahead(&own, &seen) };
        let blind = mutant::is(Mutant::SuspicionIsEnough) && !first && ahead.is_some();
        let stands_still = is_released || blind || now.since(since) >= self.wait().max(least);
        if let Some(ahead) = ahead.filter(|_| stands_still) {
            if self.begin(Kind::Write, now) {
                self.phase = Phase::Claiming;
                self.version = seen.version;
                self.before = seen.value;
                self.node = EpochNode {
                    epoch: self.before.epoch.max(highest_epoch) + 1,
                    owner: self.settings.incarnation.clone(),
                    address: self.settings.address.clone(),
                    latch: own.0.clone(),
                    lease_ms: self.lease_ms(),
                    // Until we have made a segment, the next leader must know of those before.
                    segments: if mutant::is(Mutant::HiddenSegments) { 0 } else { self.before.segments },
                    segments_epoch: self.before.segments_of(),
                    released: false,
                    ..self.before.clone()
                };
                calls.push(self.claim_call(own, ahead));
            }
        } else if !first && !is_released && now.since(since) >= self.settings.lease / 2 {
            let behind_leader = self.participants.first().is_some_and(|p| p.node == seen.value.latch);
            if behind_leader && self.begin(Kind::Probe, now) {
                calls.push(LatchCall::Probe(seen));
            }
        }
    }

    /// The leader's latch node, if only that is before ours and its process is gone from its address: the evidence that
    /// allows a claim before ZooKeeper ends the session. The lease is waited for all the same (H3).
    fn dead_ahead(&self, own: &OwnNode, seen: &Versioned<EpochNode>) -> Option<Vec<String>> {
        let [leader, next, ..] = self.participants.as_slice() else { return None };
        let only_leader = leader.node == seen.value.latch && next.node == own.0;
        (only_leader && self.gone).then(|| vec![leader.node.clone()])
    }

    fn claim_call(&mut self, own: OwnNode, ahead: Vec<String>) -> LatchCall {
        self.sent += 1;
        self.claim_sent = true;
        self.registering = self.own_segments();
        LatchCall::Claim { own, ahead, version: self.version, node: self.node.clone() }
    }

    fn leading_calls(&mut self, now: Boot, calls: &mut Vec<LatchCall>) {
        let due = self.renew_wanted || now >= self.renew_due();
        if let Some(own) = self.own.clone().filter(|_| due && self.begin(Kind::Write, now)) {
            self.renew_wanted = false;
            self.sent += 1;
            self.registering = self.own_segments();
            calls.push(LatchCall::Renew { own, version: self.version, node: self.node.clone() });
        }
        if self.look == Look::Wanted || (self.look == Look::Done && now >= self.observe_due) {
            self.observe(now, calls);
        }
        // Again after each lease: somebody may have deleted it by hand.
        let again = self.published_at.is_some_and(|at| now >= at + self.settings.lease);
        if (self.publish_wanted || again) && self.begin(Kind::Publish, now) {
            calls.push(LatchCall::Publish);
        }
    }
}

/// The highest epoch of the journal, as far as it counts.
fn counted(highest_epoch: u64) -> u64 {
    if mutant::is(Mutant::EpochFromNode) { 0 } else { highest_epoch }
}

#[cfg(test)]
#[path = "role_tests.rs"]
mod tests;
