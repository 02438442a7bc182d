//! Workers that commit blocks, report, obey and die, and who writes files of one block through them.
//!
//! A worker has a session with each master, as ours do: it names its blocks, then tells what has changed. What it has
//! committed it reports only when the primary has said so. What is asserted: a block of a file is known to every later
//! primary, with the workers that hold it; nothing that a file needs is ordered removed.

use crate::client::caller;
use crate::coverage::Met;
use crate::world::{Action, MS, SECOND, Ticket, World};
use alluxio::journal::chain::Position;
use alluxio::master::event::Event;
use alluxio::master::ops::{
    Answer, CommitBlock, CompleteFile, CreateFile, Delete, NewBlock, NewCopy, Operation, Request, WriteType, inode_at,
};
use alluxio::master::role::FencingMode;
use alluxio::master::state::InodeKind;
use alluxio::master::worker_call::{
    Command, Heartbeat, LeaseRule, LostStorage, Place, PlacedBlocks, Registration, TierBytes, WorkerAnswer, WorkerCall,
    WorkerInfo, WorkerState,
};
use alluxio::types::{AlluxioPath, BlockId, ErrorKind, FsError, OperationId, TtlAction, WorkerAddress, WorkerId};
use std::collections::{BTreeMap, BTreeSet};

/// Tickets of workers begin here, one for each session; those of writers further up.
pub const SESSIONS: usize = 2_000_000;
const WRITERS: usize = 3_000_000;
/// Sessions of a worker, at most.
const HOSTS: usize = 8;
/// A call without a reply is given up.
const PATIENCE: u64 = SECOND;
/// Bytes of each block.
const LENGTH: i64 = 5;

/// Paths of writers, which clients do not name.
pub fn is_of_writer(path: &AlluxioPath) -> bool {
    path.as_str().starts_with("/w")
}

#[derive(Default)]
pub struct Workers {
    workers: Vec<Worker>,
    writers: Vec<Writer>,
    /// Committed blocks of files whose delete nobody has asked for, by the file.
    needed: BTreeMap<BlockId, AlluxioPath>,
    /// Those among them whose file was completed.
    complete: BTreeSet<BlockId>,
    /// Gone with the memory of a machine.
    destroyed: BTreeSet<BlockId>,
    calls: u64,
}

struct Worker {
    /// Counts its processes.
    life: u64,
    down: bool,
    /// Until then it does nothing, and masters may take it for lost.
    paused_until: u64,
    blocks: BTreeSet<BlockId>,
    /// One for each host.
    sessions: Vec<Session>,
}

#[derive(Clone, Default)]
struct Session {
    phase: Phase,
    /// Number of the call under way.
    call: u64,
    waits: bool,
    /// The process of the master with which it registered last.
    life: u64,
    /// What the master knows, once it has answered.
    reported: BTreeSet<BlockId>,
    sending: BTreeSet<BlockId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Unknown,
    Named(WorkerId),
    Begun(WorkerId),
    Told(WorkerId),
    Live(WorkerId),
}

struct Writer {
    file: u64,
    step: Step,
    attempt: u64,
    operation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    NewBlock,
    /// By this worker in that life of it.
    Commit(BlockId, usize, u64),
    Complete(BlockId),
    /// Asked once and then given up.
    Delete,
    Rest,
}

fn place() -> Place {
    Place { tier_alias: "MEM".into(), medium_type: "MEM".into() }
}

fn placed(blocks: impl IntoIterator<Item = BlockId>) -> PlacedBlocks {
    let blocks: Vec<_> = blocks.into_iter().collect();
    if blocks.is_empty() { Vec::new() } else { vec![(place(), blocks)] }
}

impl World {
    pub fn add_workers(&mut self, workers: usize, writers: usize) {
        for index in 0..workers {
            let sessions = vec![Session::default(); self.hosts.len()];
            self.cluster.workers.push(Worker {
                life: 0,
                down: false,
                paused_until: 0,
                blocks: BTreeSet::new(),
                sessions,
            });
            for host in 0..self.hosts.len() {
                self.after(2 * SECOND, Action::WorkerTurn { worker: index, host });
            }
        }
        for index in 0..writers {
            self.cluster.writers.push(Writer { file: 0, step: Step::Rest, attempt: 0, operation: 0 });
            self.after(3 * SECOND, Action::WriterTurn(index));
        }
    }

    // ---- Workers.

    /// A worker says the next thing to a master.
    pub fn worker_turn(&mut self, worker: usize, host: usize) {
        let pause = self.rng.range(20 * MS, 200 * MS);
        self.after(pause, Action::WorkerTurn { worker, host });
        self.cluster.calls += 1;
        let number = self.cluster.calls;
        let fresh = WorkerId(self.rng.range(1, 1 << 40) as i64);
        let now = self.now;
        let Worker { down, paused_until, blocks, sessions, .. } = &mut self.cluster.workers[worker];
        let session = &mut sessions[host];
        if *down || *paused_until > now || session.waits {
            return;
        }
        let address = WorkerAddress { host: format!("worker{worker}"), ..WorkerAddress::default() };
        session.sending.clone_from(blocks);
        let call = match session.phase {
            Phase::Unknown => WorkerCall::GetId { address, fresh },
            Phase::Named(id) => WorkerCall::Begin(Box::new(Registration {
                worker: id,
                lease: LeaseRule::NotNeeded,
                capacity_bytes: TierBytes::new(),
                used_bytes: TierBytes::new(),
                lost_storage: LostStorage::new(),
                build: (String::new(), String::new()),
                vcpus: 1,
            })),
            Phase::Begun(worker) => WorkerCall::Holds { worker, blocks: placed(blocks.iter().copied()) },
            Phase::Told(worker) => WorkerCall::End { worker },
            Phase::Live(worker) => WorkerCall::Heartbeat(Box::new(Heartbeat {
                worker,
                capacity_bytes: TierBytes::new(),
                used_bytes: TierBytes::new(),
                lost_storage: LostStorage::new(),
                removed: session.reported.difference(blocks).copied().collect(),
                added: placed(blocks.difference(&session.reported).copied()),
            })),
        };
        (session.call, session.waits) = (number, true);
        let life = self.hosts[host].lives;
        if matches!(session.phase, Phase::Named(_)) {
            session.life = life;
        }
        let delay = self.rng.range(50, 3 * MS);
        self.after(delay, Action::WorkerCall { worker, host, life, number, call });
        self.after(PATIENCE, Action::WorkerHear { worker, host, number, answer: Err(no_reply()) });
    }

    /// Its call arrives, unless it has been given up.
    pub fn worker_call(
        &mut self,
        worker: usize,
        host: usize,
        life: u64,
        number: u64,
        call: WorkerCall,
    ) -> Result<(), String> {
        if self.cluster.workers[worker].sessions[host].call != number {
            return Ok(());
        }
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::WorkerCall { worker, host, life, number, call });
            return Ok(());
        }
        let ticket = (SESSIONS + worker * HOSTS + host, number, 0);
        self.deliver(host, life, Event::Worker(ticket, call))
    }

    pub fn worker_hears(
        &mut self,
        worker: usize,
        host: usize,
        number: u64,
        answer: Result<Answer, FsError>,
    ) -> Result<(), String> {
        let Worker { blocks, sessions, .. } = &mut self.cluster.workers[worker];
        let session = &mut sessions[host];
        if session.call != number || !session.waits {
            return Ok(());
        }
        session.waits = false;
        let before = session.phase;
        let Ok(Answer::Worker(answer)) = answer else {
            session.phase = Phase::Unknown;
            return Ok(());
        };
        session.phase = match (before, &answer) {
            (Phase::Unknown, WorkerAnswer::Id(id)) => Phase::Named(*id),
            (Phase::Named(id), WorkerAnswer::Taken) => Phase::Begun(id),
            (Phase::Begun(id), WorkerAnswer::Taken) => Phase::Told(id),
            (Phase::Told(id), WorkerAnswer::Taken) => Phase::Live(id),
            (Phase::Live(_), WorkerAnswer::Command(Command::Register)) => Phase::Unknown,
            (Phase::Live(id), WorkerAnswer::Command(_)) => Phase::Live(id),
            other => return Err(format!("worker {worker} was told {other:?}")),
        };
        // What is held is sent by Holds and by heartbeats.
        if matches!(before, Phase::Begun(_) | Phase::Live(_)) {
            session.reported.clone_from(&session.sending);
        }
        let WorkerAnswer::Command(Command::Free(dropped)) = answer else { return Ok(()) };
        for block in dropped {
            blocks.remove(&block);
            if let Some(path) = self.cluster.needed.get(&block) {
                return Err(format!("host {host} orders worker {worker} to drop block {block}, which {path} needs"));
            }
            self.coverage.met(Met::Dropped);
        }
        Ok(())
    }

    /// A worker dies, and comes back after a while, with its blocks or, when its machine is gone, without.
    pub fn worker_dies(&mut self) {
        let index = self.rng.index(self.cluster.workers.len());
        let forgets = self.rng.chance(1, 3);
        self.note(|| format!("worker {index} dies, its blocks {}", if forgets { "with it" } else { "stay" }));
        let worker = &mut self.cluster.workers[index];
        worker.down = true;
        worker.life += 1;
        worker.sessions.iter_mut().for_each(|session| *session = Session::default());
        if forgets {
            for block in std::mem::take(&mut worker.blocks) {
                self.cluster.needed.remove(&block);
                self.cluster.complete.remove(&block);
                self.cluster.destroyed.insert(block);
            }
        }
        self.coverage.met(Met::WorkerDeath);
        let delay = self.rng.range(100 * MS, 12 * SECOND);
        self.after(delay, Action::WorkerStart(index));
    }

    /// A worker is stopped for a while: some masters take it for lost.
    pub fn worker_pauses(&mut self) {
        let index = self.rng.index(self.cluster.workers.len());
        let time = self.rng.range(SECOND, 14 * SECOND);
        self.note(|| format!("worker {index} is paused for {} ms", time / MS));
        self.coverage.met(Met::WorkerPause);
        self.cluster.workers[index].paused_until = self.now + time;
    }

    /// A worker needs room, and gives up a block: its copy is gone.
    pub fn worker_evicts(&mut self) {
        let index = self.rng.index(self.cluster.workers.len());
        let worker = &mut self.cluster.workers[index];
        let Some(block) = worker.blocks.iter().copied().find(|block| self.cluster.complete.contains(block)) else {
            return;
        };
        worker.blocks.remove(&block);
        self.cluster.needed.remove(&block);
        self.cluster.complete.remove(&block);
        self.cluster.destroyed.insert(block);
        self.coverage.met(Met::Evicted);
    }

    /// All go on.
    pub fn workers_go_on(&mut self) {
        let now = self.now;
        self.cluster.workers.iter_mut().for_each(|worker| worker.paused_until = now);
    }

    pub fn worker_starts(&mut self, worker: usize) {
        self.cluster.workers[worker].down = false;
    }

    // ---- Writers.

    fn writer_path(&self, index: usize) -> AlluxioPath {
        AlluxioPath::parse(&format!("/w{index}-{}", self.cluster.writers[index].file)).unwrap()
    }

    /// A writer begins its next step, or tries it again.
    pub fn writer_turn(&mut self, index: usize) {
        if self.cluster.writers[index].step == Step::Rest {
            if self.healing {
                return;
            }
            self.next_step(index, Step::Create);
            self.cluster.writers[index].file += 1;
        }
        let path = self.writer_path(index);
        let host = self.rng.index(self.hosts.len());
        let host = self.leader().filter(|_| !self.rng.chance(1, 5)).unwrap_or(host);
        let mut id = true;
        let operation = match self.cluster.writers[index].step {
            Step::Create => Operation::CreateFile(new_file(path)),
            Step::NewBlock => Operation::NewBlock(NewBlock { path }),
            Step::Commit(block, worker, life) => {
                let worker = &self.cluster.workers[worker];
                if worker.down || worker.life != life {
                    // What it had written is gone with it.
                    self.next_step(index, Step::Rest);
                    return self.after(MS, Action::WriterTurn(index));
                }
                let Phase::Live(worker) = worker.sessions[host].phase else {
                    return self.after(50 * MS, Action::WriterTurn(index));
                };
                id = false;
                let copy = Some(NewCopy { worker, place: place(), used_on_tier: LENGTH });
                Operation::CommitBlock(CommitBlock { block, length: LENGTH, copy })
            }
            Step::Complete(_) => Operation::CompleteFile(CompleteFile::of(path)),
            Step::Delete => {
                self.cluster.needed.retain(|_, file| *file != path);
                Operation::Delete(Delete::of(path))
            }
            Step::Rest => return,
        };
        let writer = &mut self.cluster.writers[index];
        writer.attempt += 1;
        let operation_id = id.then_some(OperationId { high: (WRITERS + index) as u64, low: writer.operation });
        let ticket = (WRITERS + index, writer.operation, writer.attempt);
        let request = Request { caller: caller(), operation_id, operation };
        let life = self.hosts[host].lives;
        let delay = self.rng.range(50, 2 * MS);
        self.after(delay, Action::WriterCall { host, life, ticket, request });
        let patience = self.rng.range(200 * MS, 3 * SECOND);
        self.after(patience, Action::ActorHear { ticket, answer: Err(no_reply()) });
    }

    pub fn writer_call(&mut self, host: usize, life: u64, ticket: Ticket, request: Request) -> Result<(), String> {
        if self.writer_of(ticket).is_none() {
            return Ok(());
        }
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now + 1;
            self.after(later, Action::WriterCall { host, life, ticket, request });
            return Ok(());
        }
        self.deliver(host, life, Event::Submit(vec![(ticket, request)]))
    }

    /// The writer that still waits for that try.
    fn writer_of(&self, ticket: Ticket) -> Option<usize> {
        let index = ticket.0.checked_sub(WRITERS)?;
        let writer = &self.cluster.writers[index];
        ((writer.operation, writer.attempt) == (ticket.1, ticket.2)).then_some(index)
    }

    /// An answer to a worker or a writer is on its way, or lost.
    pub fn reply_to_actor(&mut self, ticket: Ticket, answer: Result<Answer, FsError>) {
        if self.rng.chance(1, 60) && !self.healing {
            return;
        }
        let delay = self.rng.range(50, 3 * MS);
        self.after(delay, Action::ActorHear { ticket, answer });
    }

    pub fn actor_hears(&mut self, ticket: Ticket, answer: Result<Answer, FsError>) -> Result<(), String> {
        if ticket.0 < WRITERS {
            let session = ticket.0 - SESSIONS;
            return self.worker_hears(session / HOSTS, session % HOSTS, ticket.1, answer);
        }
        let Some(index) = self.writer_of(ticket) else { return Ok(()) };
        let path = self.writer_path(index);
        let step = self.cluster.writers[index].step;
        self.note(|| format!("writer {index} heard of {path} {step:?}: {answer:?}"));
        match (step, answer) {
            (Step::Delete, _) => self.next_step(index, Step::Rest),
            (_, Err(error)) if error.kind == ErrorKind::Unavailable => {}
            // A master that does not know the worker yet, or no more: it is told soon.
            (Step::Commit(..), Err(error)) if error.message.starts_with("No worker with") => {}
            (Step::Create, Ok(_)) => self.next_step(index, Step::NewBlock),
            (Step::NewBlock, Ok(Answer::NewBlock(block))) => {
                let worker = self.rng.index(self.cluster.workers.len());
                let life = self.cluster.workers[worker].life;
                self.next_step(index, Step::Commit(block, worker, life));
            }
            (Step::Commit(block, worker, life), Ok(_)) => {
                let worker = &mut self.cluster.workers[worker];
                if worker.life == life {
                    worker.blocks.insert(block);
                    self.cluster.needed.insert(block, path);
                    self.next_step(index, Step::Complete(block));
                } else {
                    self.next_step(index, Step::Rest);
                }
            }
            (Step::Complete(block), Ok(_)) => {
                self.coverage.met(Met::FileWritten);
                if self.cluster.needed.contains_key(&block) {
                    self.cluster.complete.insert(block);
                }
                let step = if self.rng.chance(1, 2) { Step::Delete } else { Step::Rest };
                self.next_step(index, step);
            }
            (step, answer) => return Err(format!("{step:?} of {path} was answered {answer:?}")),
        }
        let pause = self.rng.range(10 * MS, 200 * MS);
        self.after(pause, Action::WriterTurn(index));
        Ok(())
    }

    fn next_step(&mut self, index: usize, step: Step) {
        let writer = &mut self.cluster.writers[index];
        writer.step = step;
        writer.operation += 1;
        writer.attempt = 0;
    }

    /// Another history began: there are no files.
    pub fn forget_files(&mut self) {
        self.cluster.needed.clear();
        self.cluster.complete.clear();
        for index in 0..self.cluster.writers.len() {
            self.next_step(index, Step::Rest);
            self.after(SECOND, Action::WriterTurn(index));
        }
    }

    // ---- What must hold.

    /// A new primary knows the blocks that were acknowledged, and the copies of which it was told as a standby.
    pub fn check_takeover(&mut self, host: usize, epoch: u64, taken_over: Position) -> Result<(), String> {
        // A node that was deleted or restored tells less than there was.
        let claimed = self.epoch_node().map_or(0, |node| node.value.epoch);
        let newest = self.segments().last().map_or(0, |segment| segment.epoch).max(claimed);
        if newest > epoch {
            // One that goes by ZooKeeper and was paused may begin to serve too late: it gets no answer confirmed.
            return match self.options.mode {
                FencingMode::Confirm => Ok(()),
                FencingMode::Lease => Err(format!("host {host} serves {epoch} in epoch {newest}")),
            };
        }
        if self.follows_old_history(host) {
            return Ok(());
        }
        self.check_taken_over(host, taken_over)?;
        let Some(process) = self.hosts[host].process.as_ref() else { return Ok(()) };
        let state = &process.core.state;
        for (block, path) in &self.cluster.needed {
            if state.blocks().length(*block) != Some(LENGTH) {
                return Err(format!("host {host} leads and does not know block {block} of {path}"));
            }
            let inode = inode_at(state, path);
            let is_complete = inode.is_some_and(|inode| matches!(inode.kind, InodeKind::File { completed: true, .. }));
            if self.cluster.complete.contains(block) && !is_complete {
                return Err(format!("host {host} leads and does not know that {path} is complete"));
            }
            for (index, worker) in self.cluster.workers.iter().enumerate() {
                let Session { phase, reported, life, .. } = &worker.sessions[host];
                let Phase::Live(id) = *phase else { continue };
                if *life != self.hosts[host].lives {
                    // It has not noticed yet that this is another process.
                    continue;
                }
                let held = worker.blocks.contains(block) && reported.contains(block);
                let copies = process.core.workers.locations(*block);
                // One that has been silent for too long is lost for it, and will be told so.
                let is_lost = |info: WorkerInfo| info.id == id && info.state == WorkerState::Lost;
                let is_known = copies.iter().any(|copy| copy.worker == id);
                if held && !is_known && !process.core.workers.infos().any(is_lost) {
                    return Err(format!("host {host} leads and does not know that worker {index} has block {block}"));
                }
            }
        }
        Ok(())
    }

    /// Whether all that workers have is known to the primary, and no writer is at work.
    pub fn workers_are_settled(&self) -> bool {
        let Some(host) = self.leader() else { return false };
        let is_settled = |worker: &Worker| {
            let session = &worker.sessions[host];
            !worker.down && matches!(session.phase, Phase::Live(_)) && session.reported == worker.blocks
        };
        let rests = |writer: &Writer| writer.step == Step::Rest;
        self.cluster.workers.iter().all(is_settled) && self.cluster.writers.iter().all(rests)
    }

    /// In the end each file has its copy, and the primary knows where.
    pub fn check_copies(&self) -> Result<(), String> {
        let leader = self.leader().ok_or("nobody leads in the end")?;
        let core = &self.hosts[leader].process.as_ref().expect("it leads").core;
        let inodes = core.state.inodes();
        let root = inode_at(&core.state, &AlluxioPath::root()).ok_or("there is no root")?;
        for inode in inodes.children(root.id).filter(|inode| inodes.name(inode).starts_with('w')) {
            let InodeKind::File { completed: true, .. } = inode.kind else { continue };
            let (block, name) = (BlockId::of(inode.id.container(), 0), inodes.name(&inode));
            let is_gone = self.cluster.destroyed.contains(&block);
            let holders = self.cluster.workers.iter().filter(|worker| worker.blocks.contains(&block)).count();
            let known = core.workers.locations(block).len();
            if holders == 0 && !is_gone || holders != known {
                return Err(format!("{holders} workers have block {block} of /{name}, the primary knows {known}"));
            }
        }
        Ok(())
    }
}

fn new_file(path: AlluxioPath) -> CreateFile {
    CreateFile {
        path,
        recursive: false,
        overwrite: false,
        mode: 0o644,
        block_size_bytes: 1 << 26,
        write_type: WriteType::MustCache,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        replication_min: 0,
        replication_max: -1,
        replication_durable: 1,
        persistence_wait_ms: 0,
        xattr: Default::default(),
    }
}

fn no_reply() -> FsError {
    FsError::new(ErrorKind::Unavailable, "no reply")
}
