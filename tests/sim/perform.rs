//! What the world does with the effects of a driver, and with every other action.

use crate::client::{Asked, asked, caller};
use crate::effects::OWN;
use crate::workers::SESSIONS;
use crate::world::{Action, MS, SECOND, Ticket, World};
use alluxio::election::{
    CallFailed, Contender, LatchCall, LatchError, LatchReply, Observation, SessionId, StateNumber,
};
use alluxio::journal::folder::{AppendId, Length, SegmentId, StoreError};
use alluxio::journal::tailer::Ask;
use alluxio::journal::writer::WriterEffect;
use alluxio::master::event::{Effect, Event, Exit, Told};
use alluxio::master::gate::Verdict;
use alluxio::master::ops::{Attempt, is_not_yet};
use alluxio::types::{ErrorKind, FsError};
use bytes::Bytes;

/// How long a call to the election or the store may take.
const DEADLINE: u64 = SECOND;
/// How long a flush may take.
const FLUSH_DEADLINE: u64 = 2 * SECOND;

impl World {
    /// Does one action.
    pub fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Deliver(host, life, event) => self.deliver(host, life, event)?,
            Action::Wake(host, life) => {
                if let Some(process) = self.process(host, life)
                    && process.wake.take().is_some()
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
                self.tell_later(host, life, Event::Recovered(segment, done));
            }
            Action::Checkpoint { host, life, id, content } => {
                let outcome = self.folder.write_checkpoint(id, content).map(|_| id).map_err(|error| error.to_string());
                self.tell_later(host, life, Event::Checkpointed(outcome));
            }
            Action::GuardianRelease { incarnation } => self.guardian_release(&incarnation),
            Action::Kill { host, life } => {
                if self.process(host, life).is_some() {
                    self.kill(host, true);
                }
            }
            Action::EndSession(session) => self.election.end_session(session),
            Action::Start(host) => {
                if self.folder.list().is_err() {
                    self.after(200 * MS, Action::Start(host));
                } else {
                    self.start(host)?;
                }
            }
            Action::ClientTurn { client } => self.ask(client),
            Action::Arrive { host, life, ticket } => self.arrive(host, life, ticket)?,
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
                    Verdict::Closed => self.reply(ticket, Err(unavailable())),
                    Verdict::Hold => {
                        self.coverage.held_reads += 1;
                        self.owe(host, ticket);
                        self.deliver(host, life, Event::Hold(ticket, evaluated))?;
                    }
                }
            }
            Action::Hear { ticket, answer } => self.hear(ticket, answer)?,
            Action::Impatient { ticket } => self.impatient(ticket),
            Action::Coordinate { host, life, ticket } => {
                if let Some(Asked::Change(request)) = self.still_asked(ticket) {
                    self.ask_coordinator(host, life, ticket, request, Attempt::Refused)?;
                }
            }
            Action::SettleAll { host, life } => self.settle_all(host, life),
            Action::Settle { host, life, inode } => self.settle(host, life, inode)?,
            Action::Ufs { host, life, effect, call, lost } => self.call_ufs(host, life, effect, &call, lost),
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
        let (clock, wall) = (self.clock(host), self.wall());
        let process = self.process(host, life).expect("just seen");
        let before = process.driver.decided();
        let effects = process.driver.step(&mut process.core, event, clock, wall);
        let (decided, exact) = (process.driver.decided(), process.driver.is_at_decided());
        let wake = process.driver.wake_at(clock);
        for effect in effects {
            self.perform(host, life, effect)?;
        }
        if decided != before {
            self.tell(&format!("host {host}"), decided)?;
            if exact {
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
        if process.wake.is_none_or(|before| due < before || before < due.saturating_sub(SECOND)) {
            process.wake = Some(due);
            self.after(delay, Action::Wake(host, life));
        }
    }

    fn perform(&mut self, host: usize, life: u64, effect: Effect<Ticket>) -> Result<(), String> {
        match effect {
            Effect::Answer(ticket, answer) if ticket.0 >= SESSIONS => self.reply_to_actor(ticket, answer),
            Effect::Answer(ticket, answer) if ticket.0 >= OWN => {
                let told = alluxio::master::ufs::Told::Answer(answer);
                self.after(1, Action::UfsTold { host, life, effect: ticket.0 - OWN, told });
            }
            Effect::Answer(ticket, Err(error)) if is_not_yet(&error) => {
                self.paid(host, ticket);
                self.after(1, Action::Coordinate { host, life, ticket });
            }
            Effect::Answer(ticket, answer) => {
                self.paid(host, ticket);
                self.reply(ticket, answer);
            }
            Effect::Latch(LatchCall::Probe(address)) => {
                let target: usize = address.trim_start_matches("host").split(':').next().unwrap().parse().unwrap();
                let refused = self.hosts[target].process.is_none();
                let event = Event::Latch(LatchReply::Probed { address, refused });
                self.tell_later(host, life, event);
            }
            Effect::Latch(call) => self.call_latch(host, life, call),
            Effect::Tail(ask) => {
                let delay = self.rng.range(100, 3 * MS);
                let slow = matches!(ask, Ask::Recover(_));
                let delay = if slow { self.rng.range(100 * MS, 3 * SECOND) } else { delay };
                self.after(delay, Action::Ask { host, life, ask });
            }
            Effect::Write(WriterEffect::Create(segment)) => {
                let delay = self.rng.range(MS, 20 * MS);
                let lost = self.rng.chance(1, 40) && !self.healing;
                self.after(delay, Action::Create { host, life, segment, lost });
            }
            Effect::Write(WriterEffect::Append { segment, bytes }) => self.append(host, life, segment, &bytes),
            Effect::Write(WriterEffect::Close(segment)) => {
                let file = self.process(host, life).and_then(|process| process.files.get(&segment).copied());
                // A close that fails leaves the file to recovery.
                let _ = file.map(|file| self.folder.close(file));
            }
            Effect::Recover(segment) => {
                let delay = self.rng.range(100 * MS, 5 * SECOND);
                self.after(delay, Action::Recover { host, life, segment });
            }
            Effect::Checkpoint(id, genesis, state) => {
                let content: Vec<u8> = state.to_checkpoint(&crate::checkpoint_origin(id, genesis)).concat();
                let delay = self.rng.range(10 * MS, SECOND);
                self.after(delay, Action::Checkpoint { host, life, id, content: content.into() });
            }
            Effect::Serving { epoch, taken_over } => {
                self.coverage.takeovers += 1;
                self.after(1, Action::SettleAll { host, life });
                self.note(|| format!("host {host} serves epoch {epoch} after {taken_over}"));
                self.check_takeover(host, epoch)?;
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
                self.coverage.fenced += 1;
                self.kill(host, true);
            }
            Exit::Chain(_) | Exit::Corrupt(..) | Exit::Unfit(_) => return Err(format!("host {host} gives up: {exit}")),
        }
        Ok(())
    }

    pub fn reply(&mut self, ticket: Ticket, answer: Result<alluxio::master::ops::Answer, FsError>) {
        let lost = self.rng.chance(1, 100) && !self.healing;
        let delay = if self.rng.chance(1, 50) { self.rng.range(MS, SECOND) } else { self.rng.range(50, 2 * MS) };
        if !lost {
            self.after(delay, Action::Hear { ticket, answer });
        }
    }

    fn tell_later(&mut self, host: usize, life: u64, event: Event<Ticket>) {
        let delay = self.rng.range(50, MS);
        self.after(delay, Action::Deliver(host, life, event));
    }

    fn arrive(&mut self, host: usize, life: u64, ticket: Ticket) -> Result<(), String> {
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::Arrive { host, life, ticket });
            return Ok(());
        }
        let asked = self.still_asked(ticket);
        let (Some(asked), Some(process)) = (asked, self.process(host, life)) else { return Ok(()) };
        match asked {
            Asked::Change(request) => self.ask_coordinator(host, life, ticket, request, Attempt::First),
            Asked::Read(_) if !process.gate.is_serving() => {
                self.reply(ticket, Err(unavailable()));
                Ok(())
            }
            Asked::Read(query) => {
                let settings = crate::ops_settings();
                let evaluated = process.core.evaluate(&caller(), &query, &settings);
                // Between evaluating and reading the clock the thread may be paused.
                let delay = if self.rng.chance(1, 20) { self.rng.range(0, 3 * SECOND) } else { self.rng.range(0, MS) };
                self.after(delay, Action::Gate { host, life, ticket, evaluated });
                Ok(())
            }
        }
    }

    /// What the client wants with that try, if it still waits for it.
    fn still_asked(&self, ticket: Ticket) -> Option<Asked> {
        asked(&self.clients[ticket.0]).filter(|_| self.clients[ticket.0].waits_for(ticket))
    }

    // ---- The election.

    fn call_latch(&mut self, host: usize, life: u64, call: LatchCall) {
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
        let cut_off = self.hosts[host].cut_off_until > self.now;
        let delay = self.rng.range(200, 5 * MS);
        let slow = self.rng.chance(1, 40) && !self.healing;
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

    fn latch_effect(&mut self, host: usize, life: u64, session: SessionId, call: LatchCall, lost: bool) {
        let reply = self.execute_latch(host, life, session, call);
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
        if newest == self.watched {
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
        let election = &mut self.election;
        Some(match call {
            LatchCall::Join => {
                let incarnation = self.hosts[host].process.as_ref().filter(|_| self.hosts[host].lives == life)?;
                let contender = Contender::new(crate::world::CLUSTER, &incarnation.incarnation).unwrap();
                LatchReply::Joined(election.join(session, &contender, &address).map_err(failure))
            }
            LatchCall::Observe => {
                let age = if self.rng.chance(1, 3) { self.rng.range(0, 30) } else { 0 };
                let at = StateNumber(election.newest().0.saturating_sub(age));
                let participants = election.participants(session, at);
                let observed = participants.and_then(|participants| {
                    let epoch = election.read_epoch(session, at)?;
                    Ok(Observation { epoch, participants })
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
                LatchReply::Released(election.release(session, version, &node).map_err(failure))
            }
            LatchCall::Publish => LatchReply::Published(election.publish(session, &address).map_err(failure)),
            LatchCall::Probe(_) => return None,
        })
    }

    // ---- The folder.

    fn store_effect(&mut self, host: usize, life: u64, ask: Ask) {
        let told = match ask {
            Ask::List => self.folder.list().map(|listing| Told::Listed(listing.segments)),
            Ask::Length(segment) => self.any_length(segment).map(Told::Length),
            Ask::Read { segment, offset, bytes } => self.any_replica(segment, offset, bytes).map(Told::Bytes),
            Ask::Recover(segment) => Ok(Told::Recovered(self.recover_to_anything(segment))),
        };
        let told = told.unwrap_or_else(|error| Told::Failed(error.to_string()));
        if matches!(told, Told::Length(Length::Unknown)) {
            self.coverage.unknown_lengths += 1;
        }
        let lost = self.rng.chance(1, 200) && !self.healing;
        let event = Event::Tail(ask, if lost { Told::Failed("no reply".into()) } else { told });
        let delay = if self.rng.chance(1, 60) { self.rng.range(0, 2 * SECOND) } else { self.rng.range(50, MS) };
        self.after(delay, Action::Deliver(host, life, event));
    }

    fn any_length(&mut self, segment: SegmentId) -> Result<Length, StoreError> {
        let first = self.rng.index(self.options.replicas);
        for at in 0..self.options.replicas {
            match self.folder.visible(segment, (first + at) % self.options.replicas)? {
                Length::Unknown => {}
                length => return Ok(length),
            }
        }
        Ok(Length::Unknown)
    }

    fn any_replica(&mut self, segment: SegmentId, offset: u64, bytes: u64) -> Result<Bytes, StoreError> {
        let replicas = self.options.replicas;
        let mut result = self.folder.read(segment, 0, offset, bytes);
        for replica in 1..replicas {
            result = result.or_else(|_| self.folder.read(segment, replica, offset, bytes));
        }
        result
    }

    fn recover_to_anything(&mut self, segment: SegmentId) -> bool {
        match self.folder.recovery_range(segment) {
            Err(StoreError::NotFound { .. }) => true,
            Err(_) => false,
            Ok(None) => true,
            Ok(Some(range)) => {
                let length = self.rng.range(*range.start(), *range.end() + 1);
                self.folder.recover_to(segment, length).is_ok()
            }
        }
    }

    fn create_effect(&mut self, host: usize, life: u64, segment: SegmentId, lost: bool) {
        let created = self.folder.create(segment).map_err(|error| error.to_string());
        if let (Ok(file), Some(process)) = (&created, self.process(host, life)) {
            process.files.insert(segment, *file);
        }
        let room = if lost { Err("no reply".to_owned()) } else { created.map(|_| 60_000) };
        self.tell_later(host, life, Event::Created(segment, room));
    }

    fn append(&mut self, host: usize, life: u64, segment: SegmentId, bytes: &[u8]) {
        let process = self.process(host, life).expect("it just asked for it");
        process.flights += 1;
        let flight = process.flights;
        process.in_flight = Some(flight);
        let Some(file) = process.files.get(&segment).copied() else { return };
        let append = self.folder.begin_append(file, bytes);
        let mut slowest = if self.is_slow() { self.rng.range(MS, 300 * MS) } else { 0 };
        for replica in 0..self.options.replicas {
            let mut delay = slowest + self.rng.range(100, 2 * MS);
            if self.rng.chance(1, 40) && !self.healing {
                delay += self.rng.range(MS, 8 * SECOND);
            }
            // A header with its copies is the append whose tearing matters most, the more so if its writer dies.
            let torn = self.rng.chance(1, if bytes[0] == b'H' { 10 } else { 100 }) && !self.healing;
            let part = torn.then(|| self.rng.index(bytes.len()));
            self.after(delay, Action::Land { append, replica, bytes: part });
            slowest = delay;
            if torn {
                self.coverage.torn_tails += 1;
                if self.rng.chance(1, 2) {
                    // The rest comes later, to all that it had not reached.
                    let later = delay + self.rng.range(MS, 3 * SECOND);
                    for replica in replica..self.options.replicas {
                        self.after(later, Action::Land { append, replica, bytes: None });
                    }
                }
                if self.rng.chance(1, 2) {
                    let soon = self.rng.range(MS, 20 * MS);
                    self.after(delay + soon, Action::Kill { host, life });
                }
                break;
            }
        }
        let delay = slowest + self.rng.range(50, MS);
        self.after(delay, Action::Acknowledge { host, life, segment, append, flight });
        self.after(FLUSH_DEADLINE, Action::FlushDeadline { host, life, segment, flight });
    }

    fn land(&mut self, append: AppendId, replica: usize, bytes: Option<usize>) {
        match bytes {
            None => drop(self.folder.land(append, replica)),
            Some(bytes) => drop(self.folder.land_part(append, replica, bytes)),
        }
    }

    fn acknowledge(&mut self, host: usize, life: u64, segment: SegmentId, append: AppendId, flight: u64) {
        if !self.folder.acknowledged(append) || (self.rng.chance(1, 150) && !self.healing) {
            return;
        }
        let owner =
            self.hosts.iter().filter_map(|host| host.process.as_ref()).any(|p| p.driver.decided().sequence.0 > 0);
        let Some(process) = self.process(host, life) else {
            self.coverage.zombie_writes += u64::from(owner);
            return;
        };
        if process.in_flight != Some(flight) {
            return;
        }
        process.in_flight = None;
        self.tell_later(host, life, Event::Appended(segment, Ok(())));
    }

    fn flush_deadline(&mut self, host: usize, life: u64, segment: SegmentId, flight: u64) {
        let Some(process) = self.process(host, life) else { return };
        if process.in_flight == Some(flight) {
            process.in_flight = None;
            self.coverage.failed_flushes += 1;
            self.tell_later(host, life, Event::Appended(segment, Err("deadline".into())));
        }
    }
}

fn unavailable() -> FsError {
    FsError::new(ErrorKind::Unavailable, "This master is not the primary.")
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
        LatchCall::Probe(address) => LatchReply::Probed { address: address.clone(), refused: false },
    }
}
