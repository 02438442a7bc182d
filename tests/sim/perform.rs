//! What the world does with the effects of a driver, and with every other action.

use crate::client::{Asked, asked};
use crate::coverage::Met;
use crate::effects::OWN;
use crate::epilogue::Alone;
use crate::workers::SESSIONS;
use crate::world::{Action, MS, SECOND, Ticket, World};
use alluxio::election::LatchCall;
use alluxio::journal::chain_error::ChainError;
use alluxio::journal::tailer::Ask;
use alluxio::journal::writer::WriterEffect;
use alluxio::master::event::{Effect, Event, Exit};
use alluxio::master::gate::Verdict;
use alluxio::master::ops::{Attempt, is_not_yet};
use alluxio::types::FsError;

/// How long a call to the election or the store may take.
pub const DEADLINE: u64 = SECOND;

impl World {
    /// Does one action.
    pub fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Deliver(host, life, event) => self.deliver(host, life, event)?,
            Action::Wake(host, life) => {
                // One that was overtaken by an earlier one is over.
                let now = self.now;
                if let Some(process) = self.process(host, life)
                    && process.wake.take_if(|due| *due <= now).is_some()
                {
                    self.deliver(host, life, Event::Tick)?;
                }
            }
            Action::Latch { host, life, session, call, lost } => self.latch_effect(host, life, session, call, lost),
            Action::Ask { host, life, ask } => self.store_effect(host, life, ask),
            Action::Create { host, life, segment, lost } => self.create_effect(host, life, segment, lost),
            Action::Land { append, replica, bytes } => self.land(append, replica, bytes),
            Action::Acknowledge { host, life, segment, append, flight } => {
                self.acknowledge(host, life, segment, append, flight);
            }
            Action::FlushDeadline { host, life, segment, flight } => self.flush_deadline(host, life, segment, flight),
            Action::Recover { host, life, segment } => {
                let done = self.recover_to_anything(segment);
                let lost = self.rng.chance(1, 20) && !self.healing;
                self.tell_later(host, life, Event::Recovered(segment, done && !lost));
            }
            Action::Checkpoint { host, life, id, content } => {
                self.check_checkpoint(id, &content)?;
                let outcome = self.folder.write_checkpoint(id, content).map(|_| id).map_err(|error| error.to_string());
                self.tell_later(host, life, Event::Checkpointed(outcome));
            }
            Action::ListCheckpoints { host, life, genesis, look } => self.list_checkpoints(host, life, genesis, look),
            Action::CollectAtOnce => self.collect_at_once(),
            Action::Collect { host, life, genesis } => self.collect(host, life, genesis),
            Action::Delete { host, life, files } => self.delete(host, life, files),
            Action::GuardianRelease { incarnation } => self.guardian_release(&incarnation),
            Action::Kill { host, life } => {
                if self.process(host, life).is_some() {
                    self.kill(host, true);
                }
            }
            Action::EndSession(session) => self.session_ends(session),
            Action::Start(host) => {
                if self.folder.list().is_err() {
                    self.after(200 * MS, Action::Start(host));
                } else {
                    self.start(host)?;
                }
            }
            Action::ClientTurn { client } => self.ask(client),
            Action::Gate { host, life, ticket, evaluated } => {
                if self.is_paused(host) {
                    let later = self.hosts[host].paused_until - self.now + 1;
                    self.after(later, Action::Gate { host, life, ticket, evaluated });
                    return Ok(());
                }
                let clock = self.clock(host);
                let Some(process) = self.process(host, life) else { return Ok(()) };
                match process.gate.check(evaluated.wait_for, clock) {
                    Verdict::Pass => self.reply(ticket, evaluated.answer),
                    Verdict::Closed => self.unavailable(ticket),
                    Verdict::Hold => {
                        self.coverage.met(Met::HeldRead);
                        self.owe(host, ticket);
                        self.deliver(host, life, Event::Hold(ticket, evaluated))?;
                    }
                }
            }
            Action::Hear { ticket, answer } => self.hear(ticket, answer)?,
            Action::Impatient { ticket } => self.impatient(ticket),
            Action::Coordinate { host, life, ticket, attempt } => self.coordinate(host, life, ticket, attempt)?,
            Action::Look { host, life, look, call } => self.look(host, life, look, call),
            Action::LookShown { host, life, look, call, shown } => self.look_shown(host, life, look, call, shown)?,
            Action::Outsider => self.outsider_turn(),
            Action::SettleAll { host, life } => self.settle_all(host, life),
            Action::Settle { host, life, inode } => self.settle(host, life, inode)?,
            Action::Ufs { host, life, effect, call, lost } => self.call_ufs(host, life, effect, &call, lost)?,
            Action::UfsTold { host, life, effect, told } => self.tell_effect(host, life, effect, told)?,
            Action::UfsSubmit { host, life, effect, operation } => self.submit_own(host, life, effect, operation)?,
            Action::UfsAgain { host, life, effect, call } => self.check_lease(host, life, effect, call)?,
            Action::WorkerTurn { worker, host } => self.worker_turn(worker, host),
            Action::WorkerCall { worker, host, life, number, call } => {
                self.worker_call(worker, host, life, number, call)?;
            }
            Action::WorkerHear { worker, host, number, answer } => self.worker_hears(worker, host, number, answer)?,
            Action::WorkerStart(worker) => self.worker_starts(worker),
            Action::WriterTurn(writer) => self.writer_turn(writer),
            Action::WriterCall { host, life, ticket, request } => self.writer_call(host, life, ticket, request)?,
            Action::ActorHear { ticket, answer } => self.actor_hears(ticket, answer)?,
            Action::Fault => self.fault(),
            Action::DeleteLatch { host } => self.delete_latch(host),
            Action::Resume { host, life, effects } => self.resume(host, life, effects)?,
            Action::ZookeeperBack { restored } => self.zookeeper_back(restored),
            Action::RestoreAsSeen { leader, at } => self.restore_as_seen(leader, at),
            Action::ZookeeperAsSeen { at } => self.zookeeper_as_seen(at),
            Action::Format => self.format_turn()?,
            Action::PipelineBroken(segment) => self.pipeline_is_broken(segment),
        }
        Ok(())
    }

    /// Gives an event to a driver and begins what it wants done.
    pub fn deliver(&mut self, host: usize, life: u64, event: Event<Ticket>) -> Result<(), String> {
        if self.process(host, life).is_none() {
            return Ok(());
        }
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + self.rng.range(1, MS);
            self.after(later, Action::Deliver(host, life, event));
            return Ok(());
        }
        if matches!(event, Event::Stop) {
            self.told_to_stop(host);
        }
        let (clock, wall) = (self.clock(host), self.wall(host));
        let process = self.process(host, life).expect("just seen");
        let before = process.driver.decided();
        let effects = process.driver.step(&mut process.core, event, clock, wall);
        let (decided, exact) = (process.driver.decided(), process.driver.is_at_decided());
        let wake = process.driver.wake_at(clock);
        let is_old = self.follows_old_history(host);
        self.perform_all(host, life, effects)?;
        if decided != before && !is_old {
            self.note(|| format!("host {host} is told {decided}"));
            self.tell(&format!("host {host}"), decided)?;
            if exact && self.process(host, life).is_some() {
                self.compare(host, decided)?;
            }
        }
        self.wake_up(host, life, wake);
        Ok(())
    }

    fn wake_up(&mut self, host: usize, life: u64, wake: Option<alluxio::types::time::Boot>) {
        let Some(at) = wake else { return };
        let delay = self.until(host, at) + 1;
        let due = self.now + delay;
        let Some(process) = self.process(host, life) else { return };
        if process.wake.is_none_or(|before| due < before) {
            process.wake = Some(due);
            self.after(delay, Action::Wake(host, life));
        }
    }

    /// Does one thing that a driver wants done.
    pub fn perform(&mut self, host: usize, life: u64, effect: Effect<Ticket>) -> Result<(), String> {
        match effect {
            Effect::Answer(ticket, answer) if ticket.0 >= SESSIONS => self.reply_to_actor(ticket, answer),
            Effect::Answer(ticket, answer) if ticket.0 >= OWN => {
                let told = alluxio::master::ufs::Told::Answer(answer);
                self.after(1, Action::UfsTold { host, life, effect: ticket.0 - OWN, told });
            }
            Effect::Answer(ticket, Err(error)) if is_not_yet(&error) => {
                self.paid(host, ticket);
                self.again_soon(host, life, ticket, Attempt::Refused);
            }
            Effect::Answer(ticket, answer) => {
                self.paid(host, ticket);
                if matches!(&answer, Err(error) if error.message.starts_with("The journal does not keep up")) {
                    self.coverage.met(Met::Full);
                }
                self.reply(ticket, answer);
                if self.rng.chance(1, 12) {
                    self.audit()?;
                }
            }
            Effect::Latch(LatchCall::Probe(node)) => self.probe(host, life, &node),
            Effect::Latch(call) => self.call_latch(host, life, call),
            Effect::Tail(ask) => {
                let late = self.rng.chance(1, 100) && !self.healing;
                let slow = late || matches!(ask, Ask::Recover(_));
                let delay = self.rng.range(100, 3 * MS);
                let delay = if slow { self.rng.range(100 * MS, 3 * SECOND) } else { delay };
                self.after(delay, Action::Ask { host, life, ask });
            }
            Effect::Write(WriterEffect::Create(segment)) => self.ask_to_create(host, life, segment),
            Effect::Write(WriterEffect::Append { segment, bytes }) => self.append(host, life, segment, &bytes),
            Effect::Write(WriterEffect::Close(segment)) => {
                let file = self.process(host, life).and_then(|process| process.files.get(&segment).copied());
                let refused = self.rng.chance(1, 40) && !self.healing;
                if file.is_some_and(|file| refused || self.folder.close(file).is_err()) {
                    self.coverage.met(Met::NotClosed);
                    self.tell_later(host, life, Event::NotClosed(segment));
                }
            }
            Effect::Recover(segment) => {
                let delay = self.rng.range(100 * MS, 5 * SECOND);
                self.after(delay, Action::Recover { host, life, segment });
            }
            Effect::ListCheckpoints(genesis, look) => {
                let delay = self.rng.range(MS, 50 * MS);
                self.after(delay, Action::ListCheckpoints { host, life, genesis, look });
            }
            Effect::Collect(genesis) => {
                let delay = self.rng.range(MS, 50 * MS);
                self.after(delay, Action::Collect { host, life, genesis });
            }
            Effect::Checkpoint(id, genesis, state) => {
                let content: Vec<u8> = state.to_checkpoint(&crate::checkpoint_origin(id, genesis)).concat();
                let delay = self.rng.range(10 * MS, SECOND);
                self.after(delay, Action::Checkpoint { host, life, id, content: content.into() });
            }
            Effect::Serving { epoch, taken_over } => {
                self.coverage.met(Met::Takeover);
                self.after(1, Action::SettleAll { host, life });
                self.readers_look();
                self.note(|| format!("host {host} serves epoch {epoch} after {taken_over}"));
                if let Some(alone) = self.alone.as_mut() {
                    alone.serves_from = Some(taken_over);
                    return Ok(());
                }
                if self.is_late {
                    // It began in time, and does not know how late it is.
                    return Ok(());
                }
                self.check_takeover(host, epoch, taken_over)?;
                self.audit()?;
            }
            Effect::Warn(text) => self.note(|| format!("host {host} warns: {text}")),
            Effect::Exit(exit) => self.exited(host, &exit)?,
        }
        Ok(())
    }

    fn exited(&mut self, host: usize, exit: &Exit) -> Result<(), String> {
        self.note(|| format!("host {host} exits: {exit}"));
        match exit {
            // It released by itself: its guardian finds nothing to do.
            Exit::Stopped => {
                self.owes_nobody(host)?;
                self.kill(host, false);
            }
            Exit::Fenced(_) => {
                let reloads = exit.to_string().contains("newer checkpoint");
                self.coverage.met(if reloads { Met::Reloaded } else { Met::Fenced });
                self.kill(host, true);
            }
            Exit::Chain(ChainError::Foreign { ours, .. }) if *ours != self.formatter.genesis => {
                self.coverage.met(Met::ForeignHistory);
                self.kill(host, true);
            }
            exit if self.alone.is_some() => {
                self.alone = Some(Alone { gave_up: Some(exit.clone()), serves_from: None });
                self.kill(host, true);
            }
            Exit::Chain(_) | Exit::Corrupt(..) | Exit::Unfit(_) => return Err(format!("host {host} gives up: {exit}")),
        }
        Ok(())
    }

    pub fn reply(&mut self, ticket: Ticket, answer: Result<alluxio::master::ops::Answer, FsError>) {
        let lost = self.rng.chance(1, 100) && !self.healing;
        let delay = if self.rng.chance(1, 50) { self.rng.range(MS, 3 * SECOND) } else { self.rng.range(50, 2 * MS) };
        if !lost {
            self.after(delay, Action::Hear { ticket, answer });
        }
    }

    /// The driver hears of something soon.
    pub fn tell_later(&mut self, host: usize, life: u64, event: Event<Ticket>) {
        let delay = self.rng.range(50, MS);
        self.after(delay, Action::Deliver(host, life, event));
    }

    /// What the client wants with that try, if it still waits for it.
    pub fn still_asked(&self, ticket: Ticket) -> Option<Asked> {
        asked(&self.clients[ticket.0]).filter(|_| self.clients[ticket.0].waits_for(ticket))
    }
}
