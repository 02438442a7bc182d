//! A master with the embedded journal: the shipped log, openraft, machine and leader, around a state that is its position.

use super::executor::{Moment, Sim, random, spawn_in};
use super::wire::{C, Wire};
use super::world::{CheckpointContent, MasterRaft, TIMING, World, id_of};
use alluxio::journal::chain::Position;
use alluxio::journal::embedded::applied::Applied;
use alluxio::journal::embedded::channels::{LetterSender, QueueReceiver, QueueSender, Queues};
use alluxio::journal::embedded::checkpoint::{Checkpoints, MemoryCheckpoints};
use alluxio::journal::embedded::disk::LogDisk;
use alluxio::journal::embedded::leader::{Leader, LeaderEffect, LeaderEvent};
use alluxio::journal::embedded::machine::{Machine, PIPED_MAX, Piped};
use alluxio::journal::embedded::memory_disk::MemoryDisk;
use alluxio::journal::embedded::start;
use alluxio::journal::embedded::types::{EntryTerm, Member, MemberId, Record};
use bytes::Bytes;
use openraft::async_runtime::{Mpsc, MpscReceiver, MpscSender, OneshotSender, WatchReceiver};
use openraft::errors::ClientWriteError;
use openraft::impls::OneshotResponder;
use openraft::{AsyncRuntime, Instant, ServerState};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// Committed records after which a checkpoint is made, and entries that are kept behind it.
const CHECKPOINT_RECORDS: u64 = 40;
const KEPT_ENTRIES: u64 = 10;
const INBOX_MAX: usize = 1024;

/// What arrives at a master.
pub enum Inbox {
    Event(LeaderEvent<Moment>),
    Write(Bytes, LetterSender<Position>),
    Read(LetterSender<Position>),
    Transfer(MemberId),
}

/// A disk whose flushes take their time.
struct SlowDisk(MemoryDisk);

impl LogDisk for SlowDisk {
    async fn read(&mut self) -> io::Result<Vec<(u64, Bytes)>> {
        self.0.read().await
    }

    async fn create(&mut self, segment: u64) -> io::Result<()> {
        self.0.create(segment).await
    }

    async fn append(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.0.write(&bytes);
        let longest = if super::executor::chance(1, 30) { 60_000 } else { 2_500 };
        Sim::sleep(Duration::from_micros(random(100, longest))).await;
        self.0.sync();
        Ok(())
    }

    async fn cut(&mut self, segment: u64, bytes: u64) -> io::Result<()> {
        self.0.cut(segment, bytes).await
    }

    async fn delete(&mut self, segment: u64) -> io::Result<()> {
        self.0.delete(segment).await
    }
}

/// Lives until its process dies. The first process of a member may begin the cluster.
pub async fn live(world: World, host: usize, process: u64) {
    let (disk, checkpoints) = {
        let shared = world.lock();
        (SlowDisk(shared.nodes[host].disk.clone()), shared.nodes[host].checkpoints.clone())
    };
    let (pipe, piped) = Queues::channel(PIPED_MAX);
    let (inbox, events) = Queues::channel(INBOX_MAX);
    let machine = Machine::new(pipe, checkpoints.clone());
    let wire = Wire { world: world.clone(), from: host };
    let (raft, _writer) = match start::start(id_of(host), TIMING, disk, machine, wire).await {
        Ok(started) => started,
        Err(error) => return world.lock().violate(format!("member {host} cannot start: {error}")),
    };
    world.lock().nodes[host].begin(process, raft.clone(), inbox.clone());
    spawn_in(process, forward(piped, inbox.clone()));
    spawn_in(process, watch(raft.clone(), host, inbox.clone()));
    if host == 0 && !raft.is_initialized().await.unwrap_or(true) {
        let members: BTreeMap<MemberId, Member> = (0..3).map(|host| (id_of(host), Member::default())).collect();
        let _ = raft.initialize(members).await;
    }
    let (proposals, proposed) = Queues::channel(INBOX_MAX);
    spawn_in(process, propose(raft.clone(), proposed, inbox));
    let leader = Leader::new(Applied::default());
    let master = Master {
        world,
        host,
        process,
        raft,
        proposals,
        checkpoints,
        leader,
        waiting: BTreeMap::new(),
        since_checkpoint: 0,
    };
    master.run(events).await;
}

async fn forward(mut piped: QueueReceiver<Piped>, inbox: QueueSender<Inbox>) {
    while let Some(piped) = piped.recv().await {
        let event = match piped {
            Piped::Committed(entry) => LeaderEvent::Committed(entry),
            Piped::Installed(checkpoint) => {
                let position = CheckpointContent::decode(&checkpoint.content);
                let mut applied = Applied::default();
                applied.install(&checkpoint, position);
                LeaderEvent::Installed(applied)
            }
        };
        let _ = inbox.send(Inbox::Event(event)).await;
    }
}

/// Tells of leadership and of the lease.
async fn watch(raft: MasterRaft, host: usize, inbox: QueueSender<Inbox>) {
    let mut metrics = raft.metrics();
    let (mut led, mut lease) = (None, None);
    loop {
        let (term, acknowledged) = {
            let metrics = metrics.borrow_and_update();
            let leads = metrics.state == ServerState::Leader && metrics.current_leader == Some(id_of(host));
            (leads.then_some(metrics.current_term), metrics.last_quorum_acked.as_ref().map(|at| **at))
        };
        if term != led {
            led = term;
            let event = term.map_or(LeaderEvent::Deposed, LeaderEvent::Led);
            let _ = inbox.send(Inbox::Event(event)).await;
        }
        let until = acknowledged.filter(|_| term.is_some()).map(|at| at + TIMING.lease());
        if until > lease {
            lease = until;
            let _ = inbox.send(Inbox::Event(LeaderEvent::Lease(until.unwrap()))).await;
        }
        if metrics.changed().await.is_err() {
            return;
        }
    }
}

/// Proposes in order. Who is refused is told of.
async fn propose(raft: MasterRaft, mut proposed: QueueReceiver<Record>, inbox: QueueSender<Inbox>) {
    while let Some(record) = proposed.recv().await {
        let term = EntryTerm::new(record.term);
        let (responder, answer) = OneshotResponder::<C, _>::new_pair();
        if raft.write(record).with_leader(term).responder(responder).await.is_err() {
            return;
        }
        let inbox = inbox.clone();
        Sim::spawn(async move {
            if let Ok(Err(ClientWriteError::ForwardToLeader(_))) = answer.await {
                let _ = inbox.send(Inbox::Event(LeaderEvent::Refused)).await;
            }
        });
    }
}

struct Master {
    world: World,
    host: usize,
    process: u64,
    raft: MasterRaft,
    proposals: QueueSender<Record>,
    checkpoints: MemoryCheckpoints,
    leader: Leader<Moment>,
    /// Who waits for the answer to a change.
    waiting: BTreeMap<u64, LetterSender<Position>>,
    since_checkpoint: u64,
}

impl Master {
    async fn run(mut self, mut inbox: QueueReceiver<Inbox>) {
        while let Some(item) = inbox.recv().await {
            match item {
                Inbox::Event(event) => self.event(event).await,
                Inbox::Write(entries, answer) if self.leader.may_decide(Moment::now()) => {
                    let (position, effects) = self.leader.propose(entries);
                    self.waiting.insert(position.sequence.0, answer);
                    self.perform(effects).await;
                }
                Inbox::Write(..) => {}
                Inbox::Read(answer) => {
                    // What is committed is a state that it had; whether it still is the newest, the lease tells.
                    let position = self.leader.applied().position();
                    if self.leader.may_answer(Moment::now()) {
                        let _ = answer.send(position);
                    }
                }
                Inbox::Transfer(to) => drop(self.leader.transfer(to)),
            }
            if self.since_checkpoint >= CHECKPOINT_RECORDS {
                self.checkpoint().await;
            }
        }
    }

    async fn event(&mut self, event: LeaderEvent<Moment>) {
        if let LeaderEvent::Committed(entry) = &event {
            self.world.lock().history.fact(self.host, entry);
        }
        let before = self.leader.applied().position();
        let effects = self.leader.step(event, Moment::now());
        let position = self.leader.applied().position();
        if position != before {
            self.since_checkpoint += 1;
            self.world.lock().applied(self.host, position);
        }
        self.perform(effects).await;
    }

    async fn perform(&mut self, effects: Vec<LeaderEffect>) {
        for effect in effects {
            match effect {
                LeaderEffect::Propose(record) => drop(self.proposals.send(record).await),
                LeaderEffect::Serve => {
                    self.world.lock().serves(self.host, self.leader.applied().position());
                }
                LeaderEffect::Apply(_) => {}
                LeaderEffect::Answer(position) => {
                    if let Some(answer) = self.waiting.remove(&position.sequence.0) {
                        let _ = answer.send(position);
                    }
                }
                LeaderEffect::PassOver => self.world.lock().count("passed over"),
                LeaderEffect::Transfer(to) => {
                    self.world.lock().count("transfer");
                    let _ = self.raft.trigger().transfer_leader(to).await;
                }
                LeaderEffect::End(_) => self.world.lock().exit(self.host, self.process),
            }
        }
    }

    async fn checkpoint(&mut self) {
        self.since_checkpoint = 0;
        let applied = self.leader.applied();
        let content = CheckpointContent::encode(applied.position());
        let Some(checkpoint) = applied.checkpoint(content) else { return };
        let upto = checkpoint.last.index.saturating_sub(KEPT_ENTRIES);
        let _ = self.checkpoints.keep(checkpoint).await;
        let _ = self.raft.trigger().snapshot().await;
        let _ = self.raft.trigger().purge_log(upto).await;
        self.world.lock().count("checkpoint");
    }
}
