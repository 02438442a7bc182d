//! Pure. How a standby becomes primary: follow, read anew after the claim, create, flush what it took over (F5 to F8).

use super::driver::{Driver, Phase};
use super::event::{Core, Effect, Exit};
use super::ops;
use crate::election::EpochNode;
use crate::journal::chain::Record;
use crate::journal::entry_codec;
use crate::journal::folder::SegmentId;
use crate::journal::witness::Witness;
use crate::journal::writer::{Writer, WriterStart};
use crate::types::mutant::{self, Mutant};
use crate::types::time::{Boot, Millis};

impl<T> Driver<T> {
    /// Applies what is decided; takes part in the election once caught up; takes over once all is read anew.
    pub(super) fn follow(&mut self, core: &mut Core, now: Boot) {
        if let Some(found) = self.follower.tailer.cluster_id().filter(|found| *found != self.settings.cluster_id) {
            let text = format!(
                "the segments in the journal folder are of the cluster {found}, but FORMAT names {:?}: it was \
                 replaced or is damaged. If the segments belong here, write cluster_id={found} into FORMAT",
                self.settings.cluster_id
            );
            return self.exit(Exit::Unfit(text));
        }
        let records = match self.follower.tailer.decided() {
            Ok(records) => records,
            Err(error) => return self.cannot_follow(error, now),
        };
        for record in &records {
            if let Err(exit) = self.apply(core, record) {
                return self.exit(exit);
            }
        }
        let reading = if let Phase::Reading { epoch } = self.phase { Some(epoch) } else { None };
        if let Some(epoch) = reading {
            match self.follower.tailer.takeover() {
                Err(error) => return self.cannot_follow(error, now),
                Ok(Some(takeover))
                    if self.follower.tailer.highest_epoch() >= epoch && !mutant::is(Mutant::EpochFromNode) =>
                {
                    // A node that was deleted or restored let us claim an epoch that would be passed over.
                    self.phase = Phase::Creating { epoch, takeover };
                    return self.role.claim_next(self.follower.tailer.highest_epoch(), now);
                }
                Ok(Some(takeover)) => {
                    if !self.follower.tailer.witness().may_tell_of(takeover.genesis) {
                        let text = "the epoch node tells of a history before the last format, as after a format that did \
                                    not end, or one that was restored from a copy; the journal counts";
                        self.effects.push(Effect::Warn(text.into()));
                    }
                    let start = WriterStart {
                        cluster_id: self.settings.cluster_id.clone(),
                        genesis: takeover.genesis,
                        epoch,
                        base: takeover.base,
                        copies: takeover.copies.clone(),
                    };
                    self.writer = Some(Writer::new(start, self.settings.limits));
                    if !mutant::is(Mutant::NoRecovery) {
                        self.follower.recover_all(takeover.open.clone(), now);
                    }
                    self.phase = Phase::Creating { epoch, takeover };
                    return;
                }
                Ok(None) => {}
            }
        } else if self.follower.tailer.is_settled().unwrap_or(false) || self.follower.is_blocked() {
            self.role.enter();
        }
        let newest = self.role.seen().and_then(|node| Witness::of(node).newest());
        let newer = newest.is_some_and(|newest| self.follower.tailer.highest_segment() < Some(newest));
        self.follower.ask(reading.is_none(), newer, now, &mut self.effects);
    }

    /// The epoch is ours: everything is read anew.
    pub(super) fn begin_reading(&mut self, epoch: u64, before: &EpochNode) {
        self.writer = None;
        self.follower.tailer.expect(Witness::of(before));
        if !mutant::is(Mutant::ReadBeforeClaim) {
            self.follower.tailer.begin_round(true);
        }
        self.phase = Phase::Reading { epoch };
    }

    /// The first segment exists and is ours: only now the state goes beyond what is decided.
    pub(super) fn created(
        &mut self,
        core: &mut Core,
        segment: SegmentId,
        room: Result<u64, String>,
        now: Boot,
        wall: Millis,
    ) {
        // One that is stopped meanwhile claims no more.
        let Some(writer) = self
            .writer
            .as_mut()
            .filter(|_| !matches!(self.phase, Phase::Closing { .. } | Phase::Releasing { .. } | Phase::Over))
        else {
            return;
        };
        if let Err(reason) = &room {
            self.effects.push(Effect::Warn(format!("cannot create segment={segment} reason={reason}")));
        }
        let reason = room.as_ref().err().cloned();
        let created = writer.created(segment, room.ok(), now);
        if created == Ok(false) {
            return;
        }
        if created.is_err() {
            self.writer = None;
            if self.role.should_give_way() {
                let reason = reason.unwrap_or_default();
                return self.exit(Exit::Fenced(format!("cannot begin an epoch, others may: {reason}")));
            }
            return self.role.claim_next(self.follower.tailer.highest_epoch(), now);
        }
        let Phase::Creating { epoch, takeover } = &self.phase else { return };
        let (epoch, copies, genesis) = (*epoch, takeover.copies.clone(), takeover.genesis);
        for record in &copies {
            if record.position.sequence > self.follower.tailer.applied().sequence
                && let Err(exit) = self.apply(core, record)
            {
                return self.exit(exit);
            }
        }
        let writer = self.writer.as_mut().expect("creating");
        let (owner, group) = (&self.settings.root_owner, &self.settings.root_group);
        let (cluster_id, first_container) = (self.settings.cluster_id.clone(), ops::first_container(genesis));
        let entries = ops::bootstrap(&core.state, owner, group, wall, cluster_id, first_container);
        if !entries.is_empty() {
            for entry in &entries {
                core.change(entry, writer.last().sequence.next());
            }
            writer.append(entry_codec::encode_entries(&entries).into(), 0);
        }
        self.phase = Phase::Flushing { epoch, until: writer.last() };
    }

    fn apply(&mut self, core: &mut Core, record: &Record) -> Result<(), Exit> {
        let corrupt = |reason: String| Exit::Corrupt(record.position, reason);
        let entries = entry_codec::decode_entries(&record.entries).map_err(|error| corrupt(error.to_string()))?;
        for entry in &entries {
            core.state.apply(entry).map_err(|error| corrupt(error.to_string()))?;
        }
        self.checkpoints.count(entries.len(), record.entries.len());
        self.checkpoints.counted_up_to(record.position.sequence);
        Ok(())
    }
}
