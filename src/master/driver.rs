//! Pure. The loop of the master as one state machine: events and the clock in, effects out.
//!
//! It owns the role, the tailer and, while it leads, the writer. A batch of requests is decided, applied and queued
//! as one record; answers wait for their flush, then for the lease (F4). The simulator drives this same code.

use super::checkpoints::{CheckpointLimits, Checkpoints};
use super::counting;
use super::event::{Core, Effect, Event, Exit, Told};
use super::follower::Follower;
use super::gate::{Gate, Standing};
use super::ops::{self, Answer, Operation, Request, UfsOperation};
use super::role::{Role, RoleEvent, RoleSettings};
use super::stuck::Stuck;
use super::workers::{WorkerLimits, Workers};
use crate::journal::chain::Position;
use crate::journal::entry_codec;
use crate::journal::folder::SegmentId;
use crate::journal::tailer::{Tailer, Takeover};
use crate::journal::writer::{Writer, WriterEffect, WriterLimits};
use crate::types::mutant::{self, Mutant};
use crate::types::time::{Boot, Millis};
use crate::types::{ErrorKind, FsError, SequenceNumber};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long a leader that is stopped waits for its last flushes.
const DRAIN: Duration = Duration::from_secs(5);
/// How often a master that is to release looks whether the last change of a UFS has ended.
const CLOSING_LOOK: Duration = Duration::from_millis(5);
/// A leader that for so long has not come nearer to serving gives way if others are in the latch: they may reach the
/// journal. One that gets on with reading it does not: the others have as much to read.
const BEGIN_MAX: Duration = Duration::from_secs(60);
/// The same of one that serves, and cannot write. Until then it goes on answering questions.
// Compatible: 2.9 alluxio.master.journal.flush.timeout, after which a leader ends.
const FAIL_MAX: Duration = Duration::from_secs(5 * 60);
/// A record of this size is followed by another one.
const RECORD_BYTES: usize = 1 << 20;
/// What one request may change, in bytes of journal.
const RECORD_BYTES_MAX: usize = 16 << 20;
/// Flushes whose answers wait for the lease at most.
const READY_MAX: usize = 10_000;
/// Inodes and blocks freed by one record after a recursive delete.
const COLLECT_MAX: usize = 1000;

/// What does not change while the process lives.
#[derive(Debug, Clone)]
pub struct DriverSettings {
    /// The election.
    pub role: RoleSettings,
    /// The cluster of the folder.
    pub cluster_id: String,
    /// Sizes of the journal.
    pub limits: WriterLimits,
    /// What operations need to know.
    pub ops: ops::Settings,
    /// Owner of a new root.
    pub root_owner: String,
    /// Group of a new root.
    pub root_group: String,
    /// When a checkpoint is due.
    pub checkpoints: CheckpointLimits,
    /// When workers are lost, and how long a new primary waits for them.
    pub workers: WorkerLimits,
}

#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Applies what the leader writes.
    Following,
    /// Has claimed the epoch and reads the journal anew (F5).
    Reading { epoch: u64 },
    /// Creates its first segment.
    Creating { epoch: u64, takeover: Takeover },
    /// Flushes what it took over; serves when this record is answered for.
    Flushing { epoch: u64, until: Position },
    /// Primary.
    Serving { since: Boot },
    /// Answers what is under way, takes nothing new.
    Draining { until: Boot },
    /// All is answered; changes of a UFS under way may still come to their end.
    Closing { until: Boot },
    /// Gives the role up; answers nothing.
    Releasing { served: bool },
    /// Ends.
    Over,
}

/// Who waits, and what it is told.
type Held<T> = (T, Result<Answer, FsError>);

/// Flushed, and waiting for the lease.
#[derive(Debug)]
struct Ready<T> {
    stamp: u64,
    segments: u32,
    mark: Position,
    answers: Vec<Held<T>>,
}

/// See the module text.
#[derive(Debug)]
pub struct Driver<T> {
    pub(super) settings: DriverSettings,
    gate: Arc<Gate>,
    pub(super) phase: Phase,
    pub(super) role: Role,
    pub(super) writer: Option<Writer>,
    pub(super) follower: Follower,
    pub(super) checkpoints: Checkpoints<T>,
    /// Answers by the record that they wait for.
    waiting: BTreeMap<SequenceNumber, Vec<Held<T>>>,
    ready: VecDeque<Ready<T>>,
    stuck: Stuck,
    stopping: bool,
    pub(super) effects: Vec<Effect<T>>,
}

impl<T> Driver<T> {
    /// A standby whose state is at `position` of the history `genesis` (none: an empty state).
    pub fn new(settings: DriverSettings, gate: Arc<Gate>, position: Position, genesis: Option<u64>) -> Driver<T> {
        Driver {
            role: Role::new(settings.role.clone()),
            follower: Follower::new(Tailer::new(position, genesis)),
            checkpoints: Checkpoints::new(settings.checkpoints, position.sequence),
            settings,
            gate,
            phase: Phase::Following,
            writer: None,
            waiting: BTreeMap::new(),
            ready: VecDeque::new(),
            stuck: Stuck::default(),
            stopping: false,
            effects: Vec::new(),
        }
    }

    /// Takes one event and says what is to be done. `now` and `wall` are read after the event happened.
    pub fn step(&mut self, core: &mut Core, event: Event<T>, now: Boot, wall: Millis) -> Vec<Effect<T>> {
        match event {
            Event::Tick => {}
            Event::Submit(requests) => self.submit(core, requests, wall),
            Event::Worker(who, call) => self.worker_call(core, who, call, now, wall),
            Event::Hold(who, evaluated) => self.hold(who, evaluated.answer, evaluated.wait_for),
            Event::ElectionChanged => self.role.changed(),
            Event::Latch(reply) => self.role.reply(reply, now),
            Event::Tail(_, Told::Damaged(text)) => self.exit(Exit::Unfit(text)),
            Event::Tail(ask, told) => self.follower.told(ask, told, now),
            Event::Created(segment, room) => self.created(core, segment, room, now, wall),
            Event::Appended(segment, outcome) => self.appended(segment, outcome, now),
            // Standbys that cannot learn its length would follow no further.
            Event::NotClosed(segment) => self.follower.recover_also(segment, now),
            Event::Recovered(segment, done) => self.follower.recovered(segment, done, now),
            Event::Checkpoint(who) => self.checkpoint_asked(who, now),
            Event::CheckpointsListed(look, listed) => self.checkpoints_listed(core, look, listed, now),
            Event::Checkpointed(outcome) => self.checkpointed(outcome, now),
            Event::Collected => self.collected(),
            Event::FolderGone(reason) => self.exit(Exit::Unfit(reason)),
            Event::Overtaken(reason) => self.exit(Exit::Fenced(reason)),
            Event::Stop => self.stopping = true,
        }
        let notes = core.workers.pass(&self.settings.workers, now);
        self.effects.extend(notes.into_iter().map(Effect::Warn));
        self.advance(core, now);
        let mut effects = std::mem::take(&mut self.effects);
        // The store is to be at work already while the answers leave.
        effects.sort_by_key(|effect| !matches!(effect, Effect::Write(WriterEffect::Append { .. })));
        effects
    }

    /// When `step`, which was called at `now`, should be called with a tick if nothing else happens.
    pub fn wake_at(&self, now: Boot) -> Option<Boot> {
        let drain = match self.phase {
            Phase::Draining { until } => Some(until),
            Phase::Closing { .. } => Some(now + CLOSING_LOOK),
            _ => None,
        };
        let writer = self.writer.as_ref().and_then(|writer| writer.wake_at(now));
        let follower = self.follower.wake_at(self.is_following(), now);
        let drain = drain.filter(|at| *at > now);
        [self.role.wake_at(now), writer, follower, drain].into_iter().flatten().min()
    }

    /// The newest position that this master takes for permanent: of its state while it follows, of its answers while
    /// it leads.
    pub fn decided(&self) -> Position {
        let applied = self.follower.tailer.applied();
        self.writer.as_ref().filter(|_| !self.is_before_writing()).map_or(applied, Writer::mark_position)
    }

    /// Number of the history that is followed or led, once it is known.
    pub fn genesis(&self) -> Option<u64> {
        self.follower.tailer.genesis()
    }

    /// Whether the state is exactly at `decided`.
    pub fn is_at_decided(&self) -> bool {
        let ahead = self.writer.as_ref().is_some_and(|writer| writer.last() != writer.mark_position());
        !ahead || self.is_before_writing()
    }

    /// Whether the state holds only what the tailer told.
    fn is_before_writing(&self) -> bool {
        self.is_following() || matches!(self.phase, Phase::Creating { .. })
    }

    /// Whether this master reads the journal of another.
    pub(super) fn is_following(&self) -> bool {
        matches!(self.phase, Phase::Following | Phase::Reading { .. })
    }

    fn advance(&mut self, core: &mut Core, now: Boot) {
        if self.stopping {
            self.stop(core, now);
        }
        self.role_events();
        if self.is_following() {
            self.follow(core, now);
        }
        // Another may lead already: what is flushed from now on nobody was answered, and no mark may say so.
        if !matches!(self.phase, Phase::Releasing { served: false }) {
            self.answer(core, now);
            self.write(core, now);
        }
        self.keep(now);
        self.give_way(now);
        self.follower.recover(now, &mut self.effects);
        if !matches!(self.phase, Phase::Over) {
            let calls = self.role.calls(now, self.follower.tailer.highest_epoch());
            self.effects.extend(calls.into_iter().map(Effect::Latch));
        }
        let serving = matches!(self.phase, Phase::Serving { .. } | Phase::Draining { .. });
        let mark = self.writer.as_ref().map_or(SequenceNumber(0), Writer::mark);
        self.gate.set(serving, mark, self.role.lease_until());
        let last = self.writer.as_ref().filter(|_| !self.is_before_writing()).map(Writer::last);
        let standing = Standing {
            epoch: self.role.seen().map_or(0, |node| node.epoch).max(self.role.epoch().unwrap_or_default()),
            position: last.unwrap_or(self.follower.tailer.applied()).sequence,
            durable: self.decided().sequence,
        };
        self.gate.tell(standing, now);
    }

    fn role_events(&mut self) {
        for event in self.role.events() {
            match event {
                RoleEvent::Claimed { epoch, before } => self.begin_reading(epoch, &before),
                RoleEvent::Fenced(reason) => self.exit(Exit::Fenced(reason)),
                RoleEvent::Unfit(reason) => self.exit(Exit::Unfit(reason)),
                RoleEvent::Released => self.exit(Exit::Stopped),
            }
        }
    }

    /// Ends the process; nothing is answered any more.
    pub(super) fn exit(&mut self, why: Exit) {
        if !matches!(self.phase, Phase::Over) {
            self.phase = Phase::Over;
            self.waiting.clear();
            self.ready.clear();
            self.effects.push(Effect::Exit(why));
        }
    }

    /// Ends a leader that cannot do its work while others wait. One that is alone tries on.
    fn give_way(&mut self, now: Boot) {
        let patience = match self.phase {
            Phase::Reading { .. } | Phase::Creating { .. } | Phase::Flushing { .. } => Some(BEGIN_MAX),
            Phase::Serving { .. } if self.writer.as_ref().is_some_and(Writer::is_failing) => Some(FAIL_MAX),
            _ => None,
        };
        let too_long = self.stuck.is_longer_than(patience, self.follower.tailer.applied(), now);
        if self.role.others_wait(too_long) {
            let seconds = patience.unwrap_or_default().as_secs();
            self.exit(Exit::Fenced(format!("the journal could not be used for {seconds} s, others may use it")));
        }
    }

    fn stop(&mut self, core: &Core, now: Boot) {
        match self.phase {
            Phase::Serving { .. } if mutant::is(Mutant::ReleaseEarly) => self.role.release(),
            Phase::Serving { .. } => self.phase = Phase::Draining { until: now + DRAIN },
            Phase::Draining { until } => {
                let flushed = !self.writer.as_ref().is_some_and(Writer::has_unflushed);
                let idle = (flushed || mutant::is(Mutant::ReleaseUnflushed))
                    && (self.ready.is_empty() || mutant::is(Mutant::ReleaseUnanswered))
                    && core.state.intents().is_empty();
                if idle {
                    self.phase = Phase::Closing { until };
                    self.stop(core, now);
                } else if now >= until {
                    self.exit(Exit::Stopped);
                }
            }
            Phase::Closing { until } => {
                if self.gate.close() {
                    self.phase = Phase::Releasing { served: true };
                    self.role.release();
                } else if now >= until {
                    self.exit(Exit::Stopped);
                }
            }
            Phase::Over | Phase::Releasing { .. } => {}
            Phase::Following => self.role.release(),
            Phase::Reading { .. } | Phase::Creating { .. } | Phase::Flushing { .. } => {
                self.phase = Phase::Releasing { served: false };
                self.role.release();
            }
        }
    }

    /// Decides and applies requests; what they change is queued as one record, or several if it is much.
    fn submit(&mut self, core: &mut Core, requests: Vec<(T, Request)>, wall: Millis) {
        let mut entries = Vec::new();
        let mut answers = Vec::new();
        for (who, request) in requests {
            let answer = self.decide(core, &request, wall, &mut entries);
            match answer {
                // Nothing that is queued can make a request wait that was not even looked at.
                Err(error) if error.kind == ErrorKind::Unavailable => {
                    self.effects.push(Effect::Answer(who, Err(error)))
                }
                answer if leaves_unannounced(core, &answer) => {
                    self.effects.push(Effect::Answer(who, answer));
                }
                answer => answers.push((who, answer)),
            }
            if entries.len() >= RECORD_BYTES {
                self.queue(&mut entries, &mut answers);
            }
        }
        self.queue(&mut entries, &mut answers);
    }

    /// Decides one request, applies it, and adds its entries to those of the next record.
    fn decide(
        &mut self,
        core: &mut Core,
        request: &Request,
        wall: Millis,
        entries: &mut Vec<u8>,
    ) -> Result<Answer, FsError> {
        let unavailable = |text: &str| Err(FsError::new(ErrorKind::Unavailable, text));
        let ends_an_intent =
            matches!(request.operation, Operation::Ufs(UfsOperation::Commit(_) | UfsOperation::Settle { .. }));
        let takes = match self.phase {
            Phase::Serving { .. } => true,
            // What was begun comes to its end.
            Phase::Draining { .. } => ends_an_intent,
            _ => false,
        };
        let Some(writer) = self.writer.as_ref().filter(|_| takes) else {
            return unavailable("This master is not the primary.");
        };
        if writer.is_full() || self.ready.len() > READY_MAX {
            return unavailable("The journal does not keep up. Try again.");
        }
        let sequence = writer.last().sequence.next();
        let decision = ops::decide(&core.state, &core.workers, request, wall, &self.settings.ops)?;
        let dropped = usize::from(mutant::is(Mutant::DropEntry) && decision.entries.len() > 1);
        let encoded = entry_codec::encode_entries(&decision.entries[..decision.entries.len() - dropped]);
        if encoded.len() > RECORD_BYTES_MAX {
            let text = format!("The request changes too much at once ({} bytes of journal).", encoded.len());
            return Err(FsError::new(ErrorKind::ResourceExhausted, text));
        }
        counting::decided(core, &decision);
        decision.entries.iter().for_each(|entry| core.change(entry, sequence));
        core.follow(&request.operation, &decision.answer);
        self.checkpoints.count(decision.entries.len(), encoded.len());
        entries.extend(encoded);
        Ok(decision.answer)
    }

    /// Queues a record, and holds the answers that rest on it.
    fn queue(&mut self, entries: &mut Vec<u8>, answers: &mut Vec<Held<T>>) {
        let Some(writer) = self.writer.as_mut() else { return };
        if entries.is_empty() {
            writer.follow(answers.len());
        } else {
            let sequence = writer.append(std::mem::take(entries).into(), answers.len());
            self.checkpoints.counted_up_to(sequence);
        }
        // A refusal or a success without a change may rest on anything that is queued.
        let wait_for = writer.last().sequence;
        for (who, answer) in answers.drain(..) {
            let at_once = mutant::is(Mutant::RefuseAtOnce) && answer.is_err();
            self.hold(who, answer, if at_once { SequenceNumber(0) } else { wait_for });
        }
    }

    /// Keeps an answer until its record is flushed and the lease allows it.
    pub(super) fn hold(&mut self, who: T, answer: Result<Answer, FsError>, wait_for: SequenceNumber) {
        let early = mutant::is(Mutant::AnswerBeforeFlush);
        let writer =
            self.writer.as_ref().filter(|_| matches!(self.phase, Phase::Serving { .. } | Phase::Draining { .. }));
        let Some(flushed) = writer.and_then(Writer::flushed) else { return };
        if wait_for <= flushed.sequence || early {
            self.make_ready(flushed, vec![(who, answer)]);
        } else {
            self.waiting.entry(wait_for).or_default().push((who, answer));
        }
    }

    fn make_ready(&mut self, mark: Position, answers: Vec<Held<T>>) {
        let segments = self.writer.as_ref().map_or(0, Writer::flushed_segments);
        if !answers.is_empty() {
            self.role.renew_for_answers();
        }
        self.ready.push_back(Ready { stamp: self.role.stamp(), segments, mark, answers });
    }

    fn appended(&mut self, segment: SegmentId, outcome: Result<(), String>, now: Boot) {
        let Some(writer) = self.writer.as_mut() else { return };
        if !writer.appended(segment, outcome.is_ok(), now) {
            return;
        }
        if let Err(reason) = outcome {
            self.effects
                .push(Effect::Warn(format!("a segment is broken, rolling it segment={segment} reason={reason}")));
            // Standbys may have to read it, and only who writes knows that nobody writes to it any more.
            self.follower.recover_also(segment, now);
            if !self.role.may_go_on(now) {
                self.exit(Exit::Fenced(format!("a flush failed and the lease has ended: {reason}")));
            }
            return;
        }
        let flushed = writer.flushed().expect("just flushed");
        let still_waiting = self.waiting.split_off(&flushed.sequence.next());
        let answers = std::mem::replace(&mut self.waiting, still_waiting).into_values().flatten().collect();
        self.make_ready(flushed, answers);
    }

    /// Sends what may leave at this reading of the clock, and raises the mark (F4).
    fn answer(&mut self, core: &mut Core, now: Boot) {
        let Some(writer) = self.writer.as_mut() else { return };
        self.role.register(writer.created_segments(), writer.genesis(), writer.mark_position());
        while let Some(ready) = self.ready.front() {
            let read_at = if mutant::is(Mutant::CheckBeforeFlush) { writer.written_at() } else { now };
            let registered = ready.segments <= self.role.registered() || mutant::is(Mutant::ServeUnregistered);
            let allowed = self.role.may_answer(ready.stamp, read_at) && registered;
            let blind = mutant::is(Mutant::MarkWhenFlushed) || mutant::is(Mutant::NoLeaseCheck);
            if blind {
                writer.answered(ready.mark);
            }
            if !allowed && !mutant::is(Mutant::NoLeaseCheck) {
                return;
            }
            let ready = self.ready.pop_front().expect("just seen");
            writer.answered(ready.mark);
            core.in_flight.settle(ready.mark.sequence);
            self.effects.extend(ready.answers.into_iter().map(|(who, answer)| Effect::Answer(who, answer)));
            if let Phase::Flushing { epoch, until } = self.phase
                && ready.mark.sequence >= until.sequence
            {
                self.phase = Phase::Serving { since: now };
                if mutant::is(Mutant::ForgetCopies) {
                    core.workers = Workers::default();
                }
                core.workers.begin_to_serve(&self.settings.workers, now);
                self.role.publish();
                self.effects.push(Effect::Serving { epoch, taken_over: until });
            }
        }
    }

    fn write(&mut self, core: &mut Core, now: Boot) {
        let Some(writer) = self.writer.as_mut().filter(|_| !matches!(self.phase, Phase::Over)) else { return };
        if matches!(self.phase, Phase::Serving { .. }) && !writer.has_unflushed() {
            let entries = ops::collect(&core.state, COLLECT_MAX);
            if !entries.is_empty() {
                entries.iter().for_each(|entry| counting::entry(core, entry));
                entries.iter().for_each(|entry| core.change(entry, writer.last().sequence.next()));
                let encoded = entry_codec::encode_entries(&entries);
                self.checkpoints.count(entries.len(), encoded.len());
                self.checkpoints.counted_up_to(writer.append(encoded.into(), 0));
            }
        }
        self.effects.extend(writer.effects(now).into_iter().map(Effect::Write));
        self.role.register(writer.created_segments(), writer.genesis(), writer.mark_position());
    }
}

/// Broken on purpose: a directory is made in the UFS before the intent is durable.
fn leaves_unannounced(core: &Core, answer: &Result<Answer, FsError>) -> bool {
    let Ok(Answer::Begun(inode)) = answer else { return false };
    let makes = core.state.intents().get(inode).is_some_and(|intent| intent.make.is_some());
    makes && mutant::is(Mutant::UnannouncedMake)
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
