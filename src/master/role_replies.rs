//! Pure. What the role learns from the replies of the election.

use super::role::{Kind, Look, Phase, Role, RoleEvent};
use crate::election::{CallFailed, EpochNode, LatchReply, Observation, OwnNode, Presence, Versioned};
use crate::types::mutant::{self, Mutant};
use crate::types::time::Boot;

impl Role {
    /// Takes the reply to a call.
    pub fn reply(&mut self, reply: LatchReply, now: Boot) {
        match reply {
            LatchReply::Joined(result) => self.joined(result, now),
            LatchReply::Observed(result) => self.observed(result, now),
            LatchReply::Created(result) => {
                self.done(Kind::Create, now, result.is_err());
                self.observe_wanted = true;
            }
            LatchReply::Renewed(result) | LatchReply::Claimed(result) => self.written(result, now),
            LatchReply::Released(result) => self.released(result, now),
            LatchReply::Published(result) => {
                self.done(Kind::Publish, now, result.is_err());
                self.publish_wanted = result.is_err();
                self.published_at = Some(now);
            }
            LatchReply::Probed { version, owner } => {
                self.done(Kind::Probe, now, true);
                let seen = self.seen.as_ref().and_then(|(node, _)| node.as_ref());
                match owner {
                    _ if seen.is_none_or(|node| node.version != version) => {}
                    Presence::There => self.gone = false,
                    Presence::Gone => self.gone = true,
                    // As while the process that was started instead loads the journal: who was gone stays so.
                    Presence::Unknown => {}
                }
            }
        }
    }

    /// Whether this master takes part in the election: it has caught up once.
    pub(super) fn has_entered(&self) -> bool {
        self.entered
    }

    /// How many standbys are before this one in the latch.
    pub(super) fn standbys_before(&self) -> u64 {
        let is_own = |node: &str| self.own.as_ref().is_some_and(|own| own.0 == node);
        let before = self.participants.iter().take_while(|participant| !is_own(&participant.node)).count();
        before.saturating_sub(1) as u64
    }

    fn joined(&mut self, result: Result<OwnNode, CallFailed>, now: Boot) {
        self.done(Kind::Join, now, result.is_err());
        match result {
            Ok(own) if self.phase == Phase::Outside => {
                self.own = Some(own);
                self.phase = Phase::Standby;
                self.observe_wanted = true;
            }
            Err(CallFailed::Fatal(reason)) => self.end(RoleEvent::Unfit(reason)),
            Ok(_) | Err(_) => {}
        }
    }

    fn observed(&mut self, result: Result<Observation, CallFailed>, now: Boot) {
        self.done(Kind::Observe, now, result.is_err());
        // What it would have told of an interruption is lost.
        self.seen_anew |= self.observation_is_old || result.is_err();
        if std::mem::take(&mut self.observation_is_old) {
            return;
        }
        let observation = match result {
            Ok(observation) => observation,
            Err(CallFailed::SessionExpired) => return self.lost("the ZooKeeper session expired"),
            Err(_) => {
                self.observe_wanted = true;
                return;
            }
        };
        self.observe_due = now + self.settings.lease / 2;
        let anew =
            (std::mem::take(&mut self.seen_anew) || observation.interrupted) && !mutant::is(Mutant::StillAcrossBreaks);
        if anew || self.seen.as_ref().is_none_or(|(node, _)| *node != observation.epoch) {
            self.seen = Some((observation.epoch.clone(), now));
            self.gone = false;
            let version = observation.epoch.as_ref().map_or(0, |node| node.version);
            self.version_seen = self.version_seen.max(version);
        }
        self.participants = observation.participants;
        if self.look == Look::Wanted {
            self.look = Look::Done;
        }
        if self.unsure {
            self.resolve_unsure(observation.epoch);
            if mutant::is(Mutant::LeaseFromRead) && self.phase == Phase::Leading {
                self.confirmed = Some(now);
            }
        } else if self.phase == Phase::Standby
            && !self.participants.iter().any(|p| Some(&p.node) == self.own.as_ref().map(|o| &o.0))
        {
            self.lost("our latch node is gone");
        }
    }

    /// After a write of unknown outcome: goes on from the version that the node has, if it is ours. This is no lease.
    fn resolve_unsure(&mut self, seen: Option<Versioned<EpochNode>>) {
        self.unsure = false;
        let owned = seen.filter(|n| n.value.owner == self.settings.incarnation);
        let is_owned = owned.is_some();
        let ours = owned.filter(|n| n.value.epoch == self.node.epoch);
        match (self.phase, ours) {
            (Phase::Claiming, Some(node)) => {
                self.version = node.version;
                self.begin_leading();
            }
            // Between two epochs it is not known what became of the last renewal of the one that was given up.
            (Phase::Claiming, None) if is_owned => self.step_back("the epoch node could not be written for certain"),
            (Phase::Claiming, None) => self.step_back("the epoch node belongs to another master"),
            (Phase::Releasing, Some(node)) if node.value.released => self.end(RoleEvent::Released),
            (Phase::Releasing, None) => self.end(RoleEvent::Released),
            (_, Some(node)) => self.version = node.version,
            (_, None) => self.end(RoleEvent::Fenced("the epoch node belongs to another master".into())),
        }
        self.renew_wanted = true;
    }

    fn written(&mut self, result: Result<i32, CallFailed>, now: Boot) {
        let sent = self.done(Kind::Write, now, false);
        let claimed = std::mem::take(&mut self.claim_sent);
        match result {
            Ok(version) => {
                self.version = version;
                self.confirmed = if mutant::is(Mutant::LeaseFromReply) { Some(now) } else { sent };
                self.confirmed_number = self.sent;
                self.registered = self.registering;
                if self.phase == Phase::Claiming && claimed {
                    self.begin_leading();
                }
            }
            Err(CallFailed::Unknown(_)) => self.become_unsure(),
            Err(CallFailed::Refused(reason)) if self.phase == Phase::Claiming => self.step_back(&reason),
            Err(CallFailed::Refused(_)) if mutant::is(Mutant::RefusedCounts) => self.confirmed = sent,
            Err(CallFailed::Refused(reason)) => self.lost(&reason),
            Err(CallFailed::SessionExpired) => self.lost("the ZooKeeper session expired"),
            Err(CallFailed::Fatal(reason)) => self.end(RoleEvent::Unfit(reason)),
        }
    }

    fn begin_leading(&mut self) {
        self.phase = Phase::Leading;
        self.events.push(RoleEvent::Claimed { epoch: self.node.epoch, before: self.before.clone() });
    }

    /// A claim that failed. Whoever had claimed an epoch before it has lost that too.
    fn step_back(&mut self, reason: &str) {
        if self.confirmed.is_some() {
            return self.end(RoleEvent::Fenced(format!("the next epoch was not claimed: {reason}")));
        }
        self.phase = Phase::Standby;
        self.observe_wanted = true;
    }

    /// Our latch node, or our epoch, is gone.
    fn lost(&mut self, reason: &str) {
        match self.phase {
            Phase::Leading => self.end(RoleEvent::Fenced(reason.to_owned())),
            Phase::Releasing => self.end(RoleEvent::Released),
            Phase::Claiming if self.confirmed.is_some() => self.end(RoleEvent::Fenced(reason.to_owned())),
            Phase::Standby | Phase::Claiming => {
                self.phase = Phase::Outside;
                self.own = None;
                self.unsure = false;
            }
            Phase::Outside | Phase::Over => {}
        }
    }

    fn released(&mut self, result: Result<(), CallFailed>, now: Boot) {
        self.done(Kind::Write, now, false);
        match result {
            Ok(()) | Err(CallFailed::SessionExpired | CallFailed::Fatal(_)) => self.end(RoleEvent::Released),
            // Another version: a renewal of ours of unknown outcome, or another owner. Reading tells.
            Err(CallFailed::Refused(_) | CallFailed::Unknown(_)) => self.become_unsure(),
        }
    }

    fn become_unsure(&mut self) {
        self.unsure = true;
        self.observation_is_old = self.under_way.contains_key(&Kind::Observe);
        self.not_before.remove(&Kind::Observe);
    }
}
