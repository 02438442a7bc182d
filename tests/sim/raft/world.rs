//! Three members, clients and faults of one seed; and what must hold.

use super::executor::{Sim, WORLD, block_on, chance, elapsed, kill, new_process, random, spawn_in, take_panics};
use super::member::{Inbox, live};
use alluxio::journal::chain::Position;
use alluxio::journal::embedded::channels::{Letters, QueueSender};
use alluxio::journal::embedded::checkpoint::MemoryCheckpoints;
use alluxio::journal::embedded::frames;
use alluxio::journal::embedded::memory_disk::MemoryDisk;
use alluxio::journal::embedded::start::{MemberRaft, Timing};
use alluxio::journal::embedded::types::{LogEntry, MemberId};
use alluxio::types::SequenceNumber;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use openraft::AsyncRuntime;
use openraft::async_runtime::{MpscSender, Oneshot};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub const TIMING: Timing = Timing {
    election_min: Duration::from_millis(200),
    election_max: Duration::from_millis(400),
    heartbeat: Duration::from_millis(60),
};
const MEMBERS: usize = 3;
const WRITERS: u64 = 3;
const READERS: u64 = 3;
/// How long faults go on, and how long the members may take to agree afterwards.
const FAULTS: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(10);

pub type MasterRaft = MemberRaft<Sim, MemoryCheckpoints>;
pub type World = Arc<Mutex<Shared>>;

#[derive(Default)]
pub struct Node {
    pub disk: MemoryDisk,
    pub checkpoints: MemoryCheckpoints,
    /// That was started last, and has not died.
    process: Option<u64>,
    running: Option<(u64, MasterRaft, QueueSender<Inbox>)>,
    serves: bool,
    position: Position,
}

/// What all processes share: that they are in one world.
#[derive(Default)]
pub struct Shared {
    pub nodes: [Node; MEMBERS],
    /// From whom nothing reaches whom.
    pub cuts: BTreeSet<(usize, usize)>,
    /// Messages lost, of a thousand.
    pub loss: u64,
    pub history: History,
    pub met: BTreeMap<&'static str, u64>,
    /// Processes that ended by themselves.
    exits: BTreeSet<(usize, u64)>,
}

/// What was ever told.
#[derive(Default)]
pub struct History {
    /// Bytes of the entry at an index.
    facts: BTreeMap<u64, Vec<u8>>,
    /// Hash at a sequence.
    positions: BTreeMap<u64, u64>,
    /// The newest that a client was told.
    acknowledged: Position,
    violation: Option<String>,
}

/// The state of a master is its position.
pub struct CheckpointContent;

impl CheckpointContent {
    pub fn encode(position: Position) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u64(position.sequence.0);
        out.put_u64(position.hash);
        out.freeze()
    }

    pub fn decode(mut bytes: &[u8]) -> Position {
        Position { sequence: SequenceNumber(bytes.get_u64()), hash: bytes.get_u64() }
    }
}

pub fn id_of(host: usize) -> MemberId {
    MemberId(host as u64 + 1)
}

pub fn index_of(id: MemberId) -> usize {
    id.0 as usize - 1
}

impl Node {
    pub fn begin(&mut self, process: u64, raft: MasterRaft, inbox: QueueSender<Inbox>) {
        self.running = Some((process, raft, inbox));
    }

    pub fn running(&self) -> Option<(u64, MasterRaft)> {
        self.running.as_ref().map(|(process, raft, _)| (*process, raft.clone()))
    }

    fn inbox(&self) -> Option<QueueSender<Inbox>> {
        self.running.as_ref().map(|(_, _, inbox)| inbox.clone())
    }
}

impl History {
    fn violate(&mut self, text: String) {
        self.violation.get_or_insert(text);
    }

    /// A member was told that this entry is committed.
    pub fn fact(&mut self, host: usize, entry: &LogEntry) {
        let mut bytes = Vec::new();
        frames::encode_entry(&mut bytes, entry);
        let index = entry.log_id.index;
        if *self.facts.entry(index).or_insert_with(|| bytes.clone()) != bytes {
            self.violate(format!("member {host} was told another entry {} at index {index}", entry.log_id));
        }
    }

    fn position(&mut self, who: &str, at: Position) {
        if *self.positions.entry(at.sequence.0).or_insert(at.hash) != at.hash {
            self.violate(format!("{who} is told another history at {at}"));
        }
    }
}

impl Shared {
    pub fn violate(&mut self, text: String) {
        self.history.violate(text);
    }

    pub fn count(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// The committed state of a member has come so far.
    pub fn applied(&mut self, host: usize, position: Position) {
        self.nodes[host].position = position;
        self.history.position("a member", position);
    }

    /// A member begins to serve with this state.
    pub fn serves(&mut self, host: usize, position: Position) {
        self.count("leader");
        self.nodes[host].serves = true;
        let acknowledged = self.history.acknowledged;
        if position.sequence < acknowledged.sequence {
            self.violate(format!("member {host} serves at {position}, but {acknowledged} was answered: lost"));
        }
    }

    /// A process ends by itself; it is started again.
    pub fn exit(&mut self, host: usize, process: u64) {
        self.count("exit");
        self.exits.insert((host, process));
    }

    fn leader(&self) -> Option<usize> {
        (0..MEMBERS).filter(|host| self.nodes[*host].serves).max_by_key(|host| self.nodes[*host].position)
    }
}

async fn sleep_ms(low: u64, high: u64) {
    Sim::sleep(Duration::from_micros(random(low * 1000, high * 1000))).await;
}

fn start(world: &World, host: usize) {
    let process = new_process(random(0, 10_000) as i64 - 5_000);
    let mut shared = world.lock();
    if shared.nodes[host].process.is_some() {
        return;
    }
    shared.nodes[host].process = Some(process);
    shared.nodes[host].position = Position::START;
    drop(shared);
    spawn_in(process, live(world.clone(), host, process));
}

/// Ends a process; with the power, what is not flushed is lost but for a part.
fn stop(world: &World, host: usize, is_power_lost: bool) {
    let (process, running, disk) = {
        let mut shared = world.lock();
        if shared.nodes[host].process.is_some() {
            shared.count(if is_power_lost { "power lost" } else { "killed" });
        }
        let node = &mut shared.nodes[host];
        node.serves = false;
        (node.process.take(), node.running.take(), node.disk.clone())
    };
    process.into_iter().for_each(kill);
    drop(running);
    if is_power_lost {
        disk.crash(|unflushed| random(0, unflushed as u64 + 1) as usize);
    }
}

async fn restart_later(world: World, host: usize, low: u64, high: u64) {
    sleep_ms(low, high).await;
    start(&world, host);
}

/// Starts those again that ended by themselves, and whose tasks have panicked.
async fn guard(world: World) {
    loop {
        sleep_ms(1, 3).await;
        let exits = std::mem::take(&mut world.lock().exits);
        for (host, process) in exits {
            if world.lock().nodes[host].process == Some(process) {
                stop(&world, host, false);
                spawn_in(WORLD, restart_later(world.clone(), host, 1, 100));
            }
        }
        for (process, text) in take_panics() {
            world.lock().violate(format!("a task of process {process} panics: {text}"));
        }
    }
}

async fn write(world: World, client: u64) {
    let mut target = random(0, MEMBERS as u64) as usize;
    for number in 0u64.. {
        sleep_ms(1, 20).await;
        let entries = Bytes::from(format!("change {number} of client {client}"));
        let inbox = world.lock().nodes[target].inbox();
        let (answer, answered) = Letters::channel();
        let sent = match inbox {
            Some(inbox) => {
                Sim::timeout(Duration::from_millis(50), inbox.send(Inbox::Write(entries, answer))).await.is_ok()
            }
            None => false,
        };
        let patience = Duration::from_millis(random(30, 300));
        let answered = if sent { Sim::timeout(patience, answered).await.ok() } else { None };
        let Some(Ok(position)) = answered else {
            target = random(0, MEMBERS as u64) as usize;
            continue;
        };
        let mut shared = world.lock();
        shared.count("write");
        shared.history.position("a client", position);
        shared.history.acknowledged = shared.history.acknowledged.max(position);
    }
}

async fn read(world: World) {
    loop {
        sleep_ms(1, 8).await;
        let target = random(0, MEMBERS as u64) as usize;
        let (before, inbox) = {
            let shared = world.lock();
            (shared.history.acknowledged, shared.nodes[target].inbox())
        };
        let (answer, answered) = Letters::channel();
        let Some(inbox) = inbox else { continue };
        if Sim::timeout(Duration::from_millis(50), inbox.send(Inbox::Read(answer))).await.is_err() {
            continue;
        }
        if let Ok(Ok(position)) = Sim::timeout(Duration::from_millis(300), answered).await {
            let mut shared = world.lock();
            shared.count("read");
            shared.history.position("a reader", position);
            if position.sequence < before.sequence {
                shared.violate(format!("member {target} showed {position}, but {before} was answered before: stale"));
            }
        }
    }
}

fn cut(world: &World, from: usize, to: usize) {
    world.lock().cuts.insert((from, to));
}

async fn cut_for_a_while(world: World, pairs: Vec<(usize, usize)>, low: u64, high: u64) {
    pairs.iter().for_each(|(from, to)| cut(&world, *from, *to));
    sleep_ms(low, high).await;
    let mut shared = world.lock();
    shared.cuts.retain(|pair| !pairs.contains(pair));
}

fn around(host: usize) -> Vec<(usize, usize)> {
    (0..MEMBERS).filter(|other| *other != host).flat_map(|other| [(host, other), (other, host)]).collect()
}

async fn one_fault(world: &World) {
    let any = random(0, MEMBERS as u64) as usize;
    let leader = world.lock().leader().unwrap_or(any);
    let other = (any + 1) % MEMBERS;
    match random(0, 10) {
        0 | 1 => {
            let host = if chance(1, 2) { leader } else { any };
            stop(world, host, chance(2, 3));
            let soon = if chance(1, 2) { 20 } else { 900 };
            spawn_in(WORLD, restart_later(world.clone(), host, 1, soon));
        }
        2 => {
            for host in 0..MEMBERS {
                stop(world, host, true);
                spawn_in(WORLD, restart_later(world.clone(), host, 1, 200));
            }
        }
        3 => drop(spawn_in(WORLD, cut_for_a_while(world.clone(), vec![(any, other)], 50, 1200))),
        4 => drop(spawn_in(WORLD, cut_for_a_while(world.clone(), vec![(any, other), (other, any)], 50, 1200))),
        5 => drop(spawn_in(WORLD, cut_for_a_while(world.clone(), around(leader), 50, 1500))),
        6 => drop(spawn_in(WORLD, cut_for_a_while(world.clone(), around(any), 50, 1500))),
        7 => {
            world.lock().loss = random(0, 120);
            sleep_ms(50, 500).await;
            world.lock().loss = 0;
        }
        8 => {
            let inbox = world.lock().nodes[leader].inbox();
            if let Some(inbox) = inbox {
                let _ = inbox.send(Inbox::Transfer(id_of(any))).await;
            }
        }
        _ => {
            // Its followers fall behind, and the snapshot is needed.
            stop(world, any, true);
            spawn_in(WORLD, restart_later(world.clone(), any, 800, 2500));
        }
    }
}

/// R2: the leader loses a voter, whose lease for it runs out, and then the other one, which restarts within the lease.
async fn forgotten_promise(world: &World) {
    sleep_ms(500, 900).await;
    let Some(leader) = world.lock().leader() else { return };
    let (candidate, voter) = ((leader + 1) % MEMBERS, (leader + 2) % MEMBERS);
    spawn_in(WORLD, cut_for_a_while(world.clone(), vec![(leader, candidate), (candidate, leader)], 2500, 2600));
    sleep_ms(300, 900).await;
    cut(world, leader, voter);
    cut(world, voter, leader);
    stop(world, voter, chance(1, 2));
    sleep_ms(1, 5).await;
    start(world, voter);
    sleep_ms(1500, 1600).await;
    world.lock().cuts.clear();
    world.lock().count("staged");
}

async fn faults(world: &World, is_staged: bool) {
    while elapsed() < FAULTS {
        if is_staged {
            forgotten_promise(world).await;
        } else {
            sleep_ms(20, 700).await;
            one_fault(world).await;
        }
        if world.lock().history.violation.is_some() {
            return;
        }
    }
}

fn heal(world: &World) {
    let mut shared = world.lock();
    shared.cuts.clear();
    shared.loss = 0;
}

/// All members are at one position, which is newer than `after`.
fn agrees(world: &World, after: Position) -> bool {
    let shared = world.lock();
    let at = shared.nodes[0].position;
    at.sequence > after.sequence && shared.nodes.iter().all(|node| node.running.is_some() && node.position == at)
}

/// Plays one seed. What it met, or what did not hold.
pub fn play(is_staged: bool) -> Result<BTreeMap<&'static str, u64>, String> {
    let world = World::default();
    block_on(async {
        (0..MEMBERS).for_each(|host| start(&world, host));
        spawn_in(WORLD, guard(world.clone()));
        (0..WRITERS).for_each(|client| drop(spawn_in(WORLD, write(world.clone(), client))));
        (0..READERS).for_each(|_| drop(spawn_in(WORLD, read(world.clone()))));
        faults(&world, is_staged).await;
        heal(&world);
        let after = world.lock().history.acknowledged;
        let end = elapsed() + PATIENCE;
        while !agrees(&world, after) || world.lock().history.acknowledged.sequence <= after.sequence {
            sleep_ms(1, 4).await;
            (0..MEMBERS).filter(|_| chance(1, 400)).for_each(|host| start(&world, host));
            let mut shared = world.lock();
            if shared.history.violation.is_some() {
                break;
            }
            if elapsed() > end {
                let positions: Vec<_> = shared.nodes.iter().map(|node| node.position.to_string()).collect();
                shared.violate(format!("no progress although all faults ended: {positions:?}, answered {after}"));
            }
        }
    });
    let (met, violation) = {
        let mut shared = world.lock();
        (std::mem::take(&mut shared.met), shared.history.violation.take())
    };
    // Tasks hold the world, and the world holds what ends tasks.
    (0..MEMBERS).for_each(|host| stop(&world, host, false));
    violation.map_or(Ok(met), Err)
}
