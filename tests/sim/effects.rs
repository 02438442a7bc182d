//! Changes of the UFS: the steps of the product's tasks, and what becomes of each call.
//!
//! A call to the UFS is two or three actions: it takes effect within its deadline, though its master may be dead by
//! then, and its reply arrives, late, or never.

use crate::client::caller;
use crate::coverage::Met;
use crate::world::{Action, MS, Process, SECOND, Ticket, World};
use alluxio::master::event::{Evaluated, Event};
use alluxio::master::ops::{Answer, Attempt, Operation, Request, UfsOperation, is_not_yet};
use alluxio::master::ufs::{Step, Told, UfsCall, UfsTask, failure};
use alluxio::types::{AlluxioPath, ErrorKind, InodeId, SequenceNumber};
use alluxio::ufs::{MemoryUfs, Ufs, UfsDeletion, UfsOwnership};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// URI of the root of the namespace.
pub const ROOT: &str = "memory://m/top";
/// Tickets of the coordinator begin here; those of clients are below.
pub const OWN: usize = 1_000_000;
/// A change of the UFS is made only when the lease lasts longer, and takes effect within it.
pub const DEADLINE: u64 = SECOND;

/// Something that the coordinator of one process does.
pub struct Running {
    /// Who is answered; nobody after a takeover.
    client: Option<(Ticket, Request)>,
    pub paths: Vec<AlluxioPath>,
    task: UfsTask,
    /// It makes what the request of the client needs, which is prepared anew afterwards.
    pub is_preparation: bool,
    began: u64,
    /// A call that waits for the word that the lease is valid, and how often its process had been paused by then.
    unconfirmed: Option<(UfsCall, u64)>,
    /// What was submitted last.
    submitted: Option<UfsOperation>,
}

/// The storage in memory answers at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a UFS in memory never waits"),
    }
}

pub fn own(effect: usize) -> Ticket {
    (OWN + effect, 0, 0)
}

impl World {
    pub fn begin_effect(
        &mut self,
        host: usize,
        life: u64,
        client: Option<(Ticket, Request)>,
        paths: Vec<AlluxioPath>,
        task: UfsTask,
    ) -> usize {
        self.coverage.met(Met::Effect);
        let number = self.next_number();
        let effect =
            Running { client, paths, task, is_preparation: false, began: self.now, unconfirmed: None, submitted: None };
        self.process(host, life).expect("it was asked").effects.insert(number, effect);
        number
    }

    /// A new primary settles what it finds.
    pub fn settle_all(&mut self, host: usize, life: u64) {
        let Some(process) = self.process(host, life) else { return };
        // One that was held up as it began to serve may have made intents of its own by now.
        let is_own = |path: &AlluxioPath| process.effects.values().any(|running| running.paths.contains(path));
        let intents = process.core.state.intents().iter().filter(|(_, intent)| !is_own(&intent.path));
        let open: Vec<InodeId> = intents.map(|(inode, _)| *inode).collect();
        for inode in open {
            self.after(2 * DEADLINE, Action::Settle { host, life, inode });
        }
    }

    pub fn settle(&mut self, host: usize, life: u64, inode: InodeId) -> Result<(), String> {
        let settings = crate::ops_settings();
        let Some(process) = self.process(host, life) else { return Ok(()) };
        let state = &process.core.state;
        let Some(intent) = state.intents().get(&inode) else { return Err("somebody else settled an intent".into()) };
        let paths = std::iter::once(intent.path.clone()).chain(intent.new_path.clone()).collect();
        let is_make = intent.make.is_some();
        let (task, step) = UfsTask::settle(inode, state, &settings);
        self.coverage.met(Met::Settled);
        if is_make {
            self.coverage.met(Met::SettledMake);
        }
        let effect = self.begin_effect(host, life, None, paths, task);
        self.step_effect(host, life, effect, step)
    }

    pub fn step_effect(&mut self, host: usize, life: u64, effect: usize, step: Step) -> Result<(), String> {
        self.note(|| format!("host {host} effect {effect} goes on with {step:?}"));
        match step {
            Step::Submit(operation) => self.submit_own(host, life, effect, operation),
            Step::Call(call) => self.check_lease(host, life, effect, call),
            Step::Again(call) => {
                let pause = self.rng.range(10 * MS, 200 * MS);
                self.after(pause, Action::UfsAgain { host, life, effect, call });
                Ok(())
            }
            Step::Done(result) => {
                self.check_ufs()?;
                let Some(process) = self.process(host, life) else { return Ok(()) };
                let Some(ended) = process.effects.remove(&effect) else { return Ok(()) };
                match (ended.client, result) {
                    (Some((ticket, _)), Ok(())) if ended.is_preparation => {
                        self.coordinate(host, life, ticket, Attempt::Refused)
                    }
                    (Some((ticket, _)), Err(error)) if is_not_yet(&error) => {
                        self.again_soon(host, life, ticket, Attempt::Refused);
                        Ok(())
                    }
                    (Some((ticket, _)), result) => {
                        self.reply(ticket, result.map(|()| Answer::Done));
                        Ok(())
                    }
                    (None, _) => Ok(()),
                }
            }
        }
    }

    pub fn submit_own(&mut self, host: usize, life: u64, effect: usize, operation: UfsOperation) -> Result<(), String> {
        let Some(running) = self.process(host, life).and_then(|process| process.effects.get_mut(&effect)) else {
            return Ok(());
        };
        running.submitted = Some(operation.clone());
        let id = running.client.as_ref().and_then(|(_, request)| request.operation_id);
        let begins = matches!(operation, UfsOperation::Begin(_)) && !running.is_preparation;
        let operation_id = id.filter(|_| begins);
        let request = Request { caller: caller(), operation_id, operation: Operation::Ufs(operation) };
        self.deliver(host, life, Event::Submit(vec![(own(effect), request)]))
    }

    /// A change is sent only under a lease that outlasts it.
    pub fn check_lease(&mut self, host: usize, life: u64, effect: usize, call: UfsCall) -> Result<(), String> {
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::UfsAgain { host, life, effect, call });
            return Ok(());
        }
        let (clock, pauses) = (self.clock(host), self.hosts[host].pauses);
        let Some(process) = self.process(host, life) else { return Ok(()) };
        if !call.is_change() {
            self.send(host, life, effect, call);
            return Ok(());
        }
        match process.gate.lease_left(clock) {
            Some(left) if left.as_micros() as u64 > DEADLINE => self.send(host, life, effect, call),
            Some(_) => self.after(20 * MS, Action::UfsAgain { host, life, effect, call }),
            None => {
                if let Some(effect) = process.effects.get_mut(&effect) {
                    effect.unconfirmed = Some((call, pauses));
                }
                let evaluated = Evaluated { answer: Ok(Answer::Done), wait_for: SequenceNumber(0) };
                self.deliver(host, life, Event::Hold(own(effect), evaluated))?;
            }
        }
        Ok(())
    }

    fn send(&mut self, host: usize, life: u64, effect: usize, call: UfsCall) {
        if call.is_change() && !self.healing {
            // Stopped or dead just after it was sent: the call goes on alone.
            match self.rng.range(0, 12) {
                0..2 => {
                    let moment = self.rng.range(1, 30 * MS);
                    self.after(moment, Action::Kill { host, life });
                }
                2 => {
                    let time = self.rng.range(SECOND, 8 * SECOND);
                    self.pause_for(host, time);
                }
                _ => {}
            }
        }
        let slow = self.rng.chance(1, 5) && !self.healing;
        let delay = if slow { self.rng.range(MS, DEADLINE - 100 * MS) } else { self.rng.range(100, 5 * MS) };
        let lost = self.rng.chance(1, 20) && !self.healing;
        self.after(delay, Action::Ufs { host, life, effect, call, lost });
    }

    /// The calls under way take effect now.
    pub fn land_ufs_calls(&mut self) -> Result<(), String> {
        for action in self.take_ufs_calls() {
            let Action::Ufs { host, life, effect, call, lost } = action else { continue };
            self.call_ufs(host, life, effect, &call, lost)?;
        }
        Ok(())
    }

    /// A call takes effect, whether its master lives or not.
    pub fn call_ufs(
        &mut self,
        host: usize,
        life: u64,
        effect: usize,
        call: &UfsCall,
        lost: bool,
    ) -> Result<(), String> {
        let refused = self.rng.chance(1, 40) && !self.healing;
        if let UfsCall::DeleteTree(uri) = call
            && let Some(process) = self.process(host, life)
            && let Some(since) = process.effects.get(&effect).map(|running| running.began)
        {
            self.check_delete(host, uri, since)?;
        }
        let told = match refused && call.is_change() {
            true => Told::Refused("it does not want to".into()),
            // Nobody will know that it never came there.
            false if lost && self.rng.chance(1, 3) => Told::Unknown("lost on the way".into()),
            false => perform(&self.ufs, call),
        };
        if let (UfsCall::Rename { from, to }, Told::Done) = (call, &told) {
            self.moved(from, to);
        }
        let (told, delay) = if lost { (Told::Unknown("no reply".into()), DEADLINE) } else { (told, 200) };
        self.after(delay, Action::UfsTold { host, life, effect, told });
        Ok(())
    }

    /// The coordinator is told what came of a call, or of what it has submitted.
    pub fn tell_effect(&mut self, host: usize, life: u64, effect: usize, told: Told) -> Result<(), String> {
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::UfsTold { host, life, effect, told });
            return Ok(());
        }
        self.note(|| format!("host {host} effect {effect} is told {told:?}"));
        if let Told::Answer(answer) = &told
            && let Some(outcome) = self.look_answered(host, life, effect, answer)
        {
            return outcome;
        }
        let pauses = self.hosts[host].pauses;
        let Some(process) = self.process(host, life) else { return Ok(()) };
        let Some(running) = process.effects.get_mut(&effect) else { return Ok(()) };
        if let Told::Answer(answer) = &told {
            if let Some((call, before)) = running.unconfirmed.take() {
                // A known limit is not met: who is paused between the word and the call makes the call late.
                if answer.is_ok() && before != pauses {
                    return self.check_lease(host, life, effect, call);
                }
                if answer.is_ok() {
                    self.send(host, life, effect, call);
                }
                return Ok(());
            }
            let is_busy =
                answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Unavailable && !is_not_yet(error));
            if is_busy {
                return self.refused_own(host, life, effect);
            }
        }
        let step = running.task.step(told, &process.core.state, &crate::ops_settings());
        self.step_effect(host, life, effect, step)
    }

    /// What the coordinator submitted was not taken: the end of an intent is submitted again, all else is given up.
    fn refused_own(&mut self, host: usize, life: u64, effect: usize) -> Result<(), String> {
        let process = self.process(host, life).expect("just seen");
        let submitted = process.effects.get(&effect).and_then(|running| running.submitted.clone());
        if let Some(operation @ (UfsOperation::Commit(_) | UfsOperation::Settle { .. })) = submitted
            && process.gate.is_serving()
        {
            self.after(20 * MS, Action::UfsSubmit { host, life, effect, operation });
            return Ok(());
        }
        let client = process.effects.remove(&effect).and_then(|effect| effect.client);
        if let Some((ticket, _)) = client {
            self.unavailable(ticket);
        }
        Ok(())
    }

    /// What a primary that leads for certain takes for persisted is in the UFS.
    pub fn check_ufs(&mut self) -> Result<(), String> {
        let ufs = self.ufs.clone();
        for (number, host) in self.hosts.iter().enumerate() {
            let clock = self.clock(number);
            let leads = |process: &&Process| {
                let left = process.gate.lease_left(clock);
                // Without a clock nobody knows whether it leads; with one it does until its lease ends.
                process.gate.is_serving() && left.is_some_and(|left| left > Duration::ZERO)
            };
            let Some(process) = host.process.as_ref().filter(leads) else { continue };
            let state = &process.core.state;
            for inode in state.inodes().iter().filter(|inode| inode.persistence.text() == "PERSISTED") {
                let Some(path) = state.path_of(inode.id).filter(|path| !path.is_root()) else { continue };
                if state.intents().values().any(|intent| intent.path.is_prefix_of(&path)) {
                    continue;
                }
                if now(ufs.status(&format!("{ROOT}{path}"))).map_err(|error| error.to_string())?.is_none() {
                    return Err(format!("host {number} takes {path} for persisted, and the UFS does not have it"));
                }
            }
        }
        Ok(())
    }
}

fn perform(ufs: &MemoryUfs, call: &UfsCall) -> Told {
    let told = match call {
        UfsCall::Make { uri, owner, group, mode } => {
            let ownership = UfsOwnership { owner: owner.clone(), group: group.clone(), mode: *mode };
            now(ufs.mkdir(uri, &ownership)).map(|()| Told::Done)
        }
        UfsCall::Rename { from, to } => now(ufs.rename(from, to)).map(|()| Told::Done),
        UfsCall::Resume { from, to } => now(ufs.resume_rename(from, to)).map(|()| Told::Done),
        UfsCall::DeleteFile(uri) => now(ufs.delete(uri, UfsDeletion::File)).map(|()| Told::Done),
        UfsCall::DeleteTree(uri) => now(ufs.delete(uri, UfsDeletion::Tree)).map(|()| Told::Done),
        UfsCall::Look(uri) => now(ufs.status(uri)).map(|found| if found.is_some() { Told::Done } else { Told::Absent }),
        UfsCall::List(uri) => {
            now(ufs.list(uri)).map(|listed| Told::Names(listed.into_iter().map(|status| status.name).collect()))
        }
    };
    told.unwrap_or_else(|error| failure(call, &error))
}
