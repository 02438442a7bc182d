//! What stands between clients and a driver, and goes to the UFS: what the product's coordinator does on tokio, with the
//! same decisions and the same steps. Here: what an operation needs, who waits for whom, and looks at the UFS. Changes of
//! it are in `effects.rs`.
//!
//! A call to the UFS is two actions: it takes effect, and its reply arrives; either may be late, or never come.

use crate::client::{Asked, caller};
use crate::coverage::Met;
use crate::effects::{DEADLINE, now, own};
use crate::world::{Action, MS, SECOND, Ticket, World};
use alluxio::master::event::Event;
use alluxio::master::ops::{
    Attempt, Caller, Lookup, Operation, Preparation, Query, Request, UfsOperation, WriteType, is_not_yet, prepare,
    prepare_query,
};
use alluxio::master::ufs::{AbsentPaths, LookStep, LookTask, Shown, UfsTask, facts_of, named};
use alluxio::types::time::Boot;
use alluxio::types::{AlluxioPath, ErrorKind, FsError};
use alluxio::ufs::Ufs;
use std::collections::{BTreeMap, BTreeSet};

/// Of files in the UFS, which says nothing about it.
const BLOCK_SIZE: u64 = 1 << 26;

/// What the coordinator of one process knows of looks.
#[derive(Default)]
pub struct Looks {
    under_way: BTreeMap<usize, Looking>,
    /// What each client has had looked at for what it asks now.
    looked: BTreeMap<Ticket, BTreeSet<Lookup>>,
    absent: AbsentPaths,
}

/// A look, and for whom it is.
struct Looking {
    ticket: Ticket,
    attempt: Attempt,
    lookup: Lookup,
    task: LookTask,
}

impl World {
    /// What a client asks for reaches its master, or goes on there.
    pub fn coordinate(&mut self, host: usize, life: u64, ticket: Ticket, attempt: Attempt) -> Result<(), String> {
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::Coordinate { host, life, ticket, attempt });
            return Ok(());
        }
        let asked = self.still_asked(ticket);
        let Some(process) = self.process(host, life) else { return Ok(()) };
        match asked {
            None => {
                // The client closed its connection.
                process.looks.looked.remove(&ticket);
                Ok(())
            }
            Some(Asked::Change(request)) if !process.gate.is_serving() => self.submit(host, life, ticket, request),
            Some(Asked::Change(request)) => self.prepare_change(host, life, ticket, attempt, request),
            Some(Asked::Read(..)) if !process.gate.is_serving() => {
                self.unavailable(ticket);
                Ok(())
            }
            Some(Asked::Read(query, load)) => {
                let clock = self.clock(host);
                let process = self.process(host, life).expect("just seen");
                let (core, looks) = (&process.core, &process.looks);
                let known = |lookup: &Lookup| looks.know(ticket, lookup, clock);
                let settings = crate::ops_settings();
                let lookups = prepare_query(&core.state, &settings, &query, load, &known);
                match lookups.into_iter().next() {
                    Some(lookup) => self.begin_look(host, life, ticket, attempt, lookup),
                    None => self.evaluate(host, life, ticket, &query),
                }
            }
        }
    }

    fn prepare_change(
        &mut self,
        host: usize,
        life: u64,
        ticket: Ticket,
        attempt: Attempt,
        request: Request,
    ) -> Result<(), String> {
        let (wall, clock) = (self.wall(host), self.clock(host));
        let process = self.process(host, life).expect("just seen");
        let (core, looks) = (&process.core, &process.looks);
        let known = |lookup: &Lookup| looks.know(ticket, lookup, clock);
        let settings = crate::ops_settings();
        let preparation = prepare(&core.state, &settings, &request, wall, attempt, &known);
        self.note(|| format!("host {host} prepares {ticket:?} {:?}: {preparation:?}", request.operation));
        match preparation {
            Preparation::Submit => self.submit(host, life, ticket, request),
            Preparation::Look(lookups) => {
                let first = lookups.into_iter().next().expect("there is something to look at");
                self.begin_look(host, life, ticket, attempt, first)
            }
            Preparation::Persist { parents } => {
                let first = parents.into_iter().next().expect("there is something to make");
                let paths = vec![first.path.clone()];
                self.coverage.met(Met::MadeForOthers);
                let operation = Operation::Ufs(UfsOperation::Persist(first));
                self.change_ufs(host, life, (ticket, request), paths, operation, true)
            }
            Preparation::Begin => {
                let operation = request.operation.clone();
                let paths = paths_of(&operation);
                self.change_ufs(host, life, (ticket, request), paths, operation, false)
            }
            Preparation::Wait => {
                self.again_soon(host, life, ticket, attempt);
                Ok(())
            }
            Preparation::Replace(_) | Preparation::Set(_) | Preparation::InParts | Preparation::CheckRights(_) => {
                Err(format!("nobody asked for {preparation:?}"))
            }
        }
    }

    /// A change of the UFS, once it has the paths for itself.
    fn change_ufs(
        &mut self,
        host: usize,
        life: u64,
        client: (Ticket, Request),
        paths: Vec<AlluxioPath>,
        operation: Operation,
        is_preparation: bool,
    ) -> Result<(), String> {
        let process = self.process(host, life).expect("just seen");
        let looked_at = process.looks.under_way.values().map(|look| look.lookup.path());
        let mut taken = process.effects.values().flat_map(|effect| &effect.paths).chain(looked_at);
        if taken.any(|taken| paths.iter().any(|path| meet(path, taken))) {
            self.again_soon(host, life, client.0, Attempt::Refused);
            return Ok(());
        }
        let (task, step) = UfsTask::begin(operation);
        let effect = self.begin_effect(host, life, Some(client), paths, task);
        self.process(host, life).and_then(|p| p.effects.get_mut(&effect)).expect("just begun").is_preparation =
            is_preparation;
        self.step_effect(host, life, effect, step)
    }

    fn submit(&mut self, host: usize, life: u64, ticket: Ticket, request: Request) -> Result<(), String> {
        self.owe(host, ticket);
        self.deliver(host, life, Event::Submit(vec![(ticket, request)]))
    }

    /// Something stands in the way, or the state has moved: it is prepared anew.
    pub fn again_soon(&mut self, host: usize, life: u64, ticket: Ticket, attempt: Attempt) {
        let pause = self.rng.range(100, 20 * MS);
        self.after(pause, Action::Coordinate { host, life, ticket, attempt });
    }

    pub fn unavailable(&mut self, ticket: Ticket) {
        self.reply(ticket, Err(FsError::new(ErrorKind::Unavailable, "not now")));
    }

    // ---- Looks.

    fn begin_look(
        &mut self,
        host: usize,
        life: u64,
        ticket: Ticket,
        attempt: Attempt,
        lookup: Lookup,
    ) -> Result<(), String> {
        let (number, wall) = (self.next_number(), self.wall(host));
        let process = self.process(host, life).expect("just seen");
        let mut taken = process.effects.values().flat_map(|effect| &effect.paths);
        // Who comes while another looks waits, and then sees what that one has found.
        let is_looked_at = process.looks.under_way.values().any(|look| look.lookup == lookup);
        if is_looked_at || taken.any(|path| meet(path, lookup.path())) {
            self.again_soon(host, life, ticket, attempt);
            return Ok(());
        }
        let (task, step) = LookTask::begin(&lookup, &process.core.state, &crate::ops_settings(), wall);
        process.looks.looked.entry(ticket).or_default().insert(lookup.clone());
        process.looks.under_way.insert(number, Looking { ticket, attempt, lookup, task });
        self.coverage.met(Met::Look);
        self.step_look(host, life, number, step)
    }

    fn step_look(&mut self, host: usize, life: u64, look: usize, step: LookStep) -> Result<(), String> {
        self.note(|| format!("host {host} look {look} goes on with {step:?}"));
        match step {
            LookStep::Done => {
                let ended = self.process(host, life).and_then(|process| process.looks.under_way.remove(&look));
                ended.map_or(Ok(()), |ended| self.coordinate(host, life, ended.ticket, ended.attempt))
            }
            LookStep::Load(load) => {
                let operation = Operation::Ufs(UfsOperation::Load(load));
                let request = Request { caller: Caller::default(), operation_id: None, operation };
                self.deliver(host, life, Event::Submit(vec![(own(look), request)]))
            }
            call => {
                let slow = self.rng.chance(1, 8) && !self.healing;
                let delay = if slow { self.rng.range(MS, DEADLINE) } else { self.rng.range(100, 3 * MS) };
                self.after(delay, Action::Look { host, life, look, call });
                Ok(())
            }
        }
    }

    /// The UFS shows what it has at this moment.
    pub fn look(&mut self, host: usize, life: u64, look: usize, call: LookStep) {
        let shown =
            match &call {
                LookStep::Status { uri, .. } => now(self.ufs.status(uri))
                    .map(|status| Shown::Status(status.map(|status| facts_of(status, BLOCK_SIZE)))),
                LookStep::List(uri) => now(self.ufs.list(uri))
                    .map(|listed| Shown::Names(named(listed, |status| facts_of(status, BLOCK_SIZE)))),
                LookStep::Load(_) | LookStep::Done => unreachable!("no call"),
            };
        let shown = match shown {
            Err(error) if error.kind == alluxio::ufs::UfsErrorKind::NotFound => Shown::Status(None),
            shown => shown.expect("a UFS in memory does not fail"),
        };
        let lost = self.rng.chance(1, 40) && !self.healing;
        let late = self.rng.chance(1, 8) && !self.healing;
        let delay = if late { self.rng.range(MS, DEADLINE) } else { self.rng.range(100, MS) };
        let (delay, shown) = if lost { (DEADLINE, None) } else { (delay, Some(shown)) };
        self.after(delay, Action::LookShown { host, life, look, call, shown });
    }

    /// The coordinator is shown something, or waits no longer.
    pub fn look_shown(
        &mut self,
        host: usize,
        life: u64,
        look: usize,
        call: LookStep,
        shown: Option<Shown>,
    ) -> Result<(), String> {
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::LookShown { host, life, look, call, shown });
            return Ok(());
        }
        let clock = self.clock(host);
        let Some(process) = self.process(host, life) else { return Ok(()) };
        let Some(shown) = shown else { return self.end_look(host, life, look) };
        match (call, &shown) {
            (LookStep::Status { path, .. }, Shown::Status(None)) => process.looks.absent.add(path, clock),
            _ => self.coverage.met(Met::LookFound),
        }
        self.go_on_looking(host, life, look, shown)
    }

    fn go_on_looking(&mut self, host: usize, life: u64, look: usize, shown: Shown) -> Result<(), String> {
        let Some(process) = self.process(host, life) else { return Ok(()) };
        let Some(looking) = process.looks.under_way.get_mut(&look) else { return Ok(()) };
        let step = looking.task.step(shown, &process.core.state, &crate::ops_settings());
        self.step_look(host, life, look, step.map_err(|error| error.to_string())?)
    }

    /// The answer to what a look has loaded. Whether it was one.
    pub fn look_answered(
        &mut self,
        host: usize,
        life: u64,
        look: usize,
        answer: &Result<alluxio::master::ops::Answer, FsError>,
    ) -> Option<Result<(), String>> {
        self.process(host, life)?.looks.under_way.get(&look)?;
        Some(match answer {
            Ok(_) => {
                self.coverage.met(Met::Load);
                self.go_on_looking(host, life, look, Shown::Loaded)
            }
            // Something else is happening there.
            Err(error) if is_not_yet(error) => {
                self.coverage.met(Met::LoadKeptOut);
                self.go_on_looking(host, life, look, Shown::Loaded)
            }
            Err(error) if error.kind == ErrorKind::Unavailable => self.end_look(host, life, look),
            Err(error) => Err(format!("what was seen could not be loaded: {error:?}")),
        })
    }

    /// A look failed. What stays in Alluxio is made all the same.
    fn end_look(&mut self, host: usize, life: u64, look: usize) -> Result<(), String> {
        let Some(process) = self.process(host, life) else { return Ok(()) };
        let Some(Looking { ticket, attempt, .. }) = process.looks.under_way.remove(&look) else { return Ok(()) };
        if let Some(Asked::Change(request)) = self.still_asked(ticket)
            && is_made_in_alluxio(&request.operation)
        {
            return self.coordinate(host, life, ticket, attempt);
        }
        self.unavailable(ticket);
        Ok(())
    }

    /// A number for what a coordinator does.
    pub fn next_number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    fn evaluate(&mut self, host: usize, life: u64, ticket: Ticket, query: &Query) -> Result<(), String> {
        let settings = crate::ops_settings();
        let Some(process) = self.process(host, life) else { return Ok(()) };
        process.looks.looked.remove(&ticket);
        let evaluated = process.core.evaluate(&caller(), query, &settings);
        // Between evaluating and reading the clock the thread may be paused.
        let delay = if self.rng.chance(1, 20) { self.rng.range(0, 3 * SECOND) } else { self.rng.range(0, MS) };
        self.after(delay, Action::Gate { host, life, ticket, evaluated });
        Ok(())
    }
}

impl Looks {
    fn know(&self, ticket: Ticket, lookup: &Lookup, clock: Boot) -> bool {
        let is_absent = |path, found| self.absent.contains(path, found, clock);
        self.looked.get(&ticket).is_some_and(|looked| looked.contains(lookup))
            || matches!(lookup, Lookup::Path { path, found } if is_absent(path, *found))
    }
}

fn meet(a: &AlluxioPath, b: &AlluxioPath) -> bool {
    a.is_prefix_of(b) || b.is_prefix_of(a)
}

fn is_made_in_alluxio(operation: &Operation) -> bool {
    match operation {
        Operation::CreateFile(op) => op.write_type == WriteType::MustCache,
        Operation::CreateDirectory(op) => op.write_type == WriteType::MustCache,
        _ => false,
    }
}

fn paths_of(operation: &Operation) -> Vec<AlluxioPath> {
    match operation {
        Operation::CreateDirectory(op) => vec![op.path.clone()],
        Operation::Delete(op) => vec![op.path.clone()],
        Operation::Rename(op) => vec![op.source.clone(), op.target.clone()],
        _ => Vec::new(),
    }
}
