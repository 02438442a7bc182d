//! The world of one seed: masters that run the shipped driver, an election and a folder in memory, clients, time.
//!
//! Everything happens through one queue of actions. A call of a master is two or three of them: it takes effect, and
//! its reply arrives; either may be late, lost, or come after the caller's death.

use crate::audit::Told;
use crate::client::Client;
use crate::collect::Rubbish;
use crate::coordinator::Looks;
use crate::coverage::{Coverage, Met};
use crate::doom::{Doom, Progress};
use crate::effects::Running;
use crate::epilogue::Alone;
use crate::formatter::Formatter;
use crate::model::{Call, Op};
use crate::rng::Rng;
use crate::staged::Stage;
use crate::workers::Workers;
use alluxio::election::{EpochNode, LatchCall, MemoryElection, SessionId, StateNumber, Versioned};
use alluxio::journal::chain::Position;
use alluxio::journal::folder::{AppendId, CheckpointId, FileId, MemoryFolder, SegmentId};
use alluxio::journal::tailer::Ask;
use alluxio::journal::writer::WriterLimits;
use alluxio::master::checkpoints::Look;
use alluxio::master::driver::Driver;
use alluxio::master::event::{Core, Effect, Evaluated, Event};
use alluxio::master::gate::Gate;
use alluxio::master::ops::{Answer, Attempt, Request, UfsOperation};
use alluxio::master::role::FencingMode;
use alluxio::master::state::MasterState;
use alluxio::master::ufs::{LookStep, Shown, UfsCall};
use alluxio::master::worker_call::WorkerCall;
use alluxio::types::time::{Boot, Millis};
use alluxio::types::{FsError, InodeId};
use alluxio::ufs::MemoryUfs;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub const MS: u64 = 1_000;
pub const SECOND: u64 = 1_000 * MS;
pub const CLUSTER: &str = "0c6f5d4e-7b1a-4c3d-9e2f-8a7b6c5d4e3f";
/// How long ZooKeeper keeps a session of a silent client.
pub const SESSION: u64 = 6 * SECOND;

/// Who waits for an answer: client, its call, and which try.
pub type Ticket = (usize, u64, u64);

/// What is varied besides chance.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub masters: usize,
    pub replicas: usize,
    pub clients: usize,
    pub operations: usize,
    pub mode: FencingMode,
    /// Whether one host has a longer lease than the others, as during a rolling change.
    pub mixed_leases: bool,
    pub limits: WriterLimits,
    /// Only faults that leave clients much to do, and hurt while much is under way.
    pub busy: bool,
    /// The names that clients use: few are changed again and again.
    pub names: &'static [&'static str],
    /// Whether others put something into the UFS, too.
    pub outsiders: bool,
    /// Faults that come one after the other, besides those by chance.
    pub stage: Option<Stage>,
}

pub enum Action {
    Deliver(usize, u64, Event<Ticket>),
    Wake(usize, u64),
    Latch {
        host: usize,
        life: u64,
        session: SessionId,
        call: LatchCall,
        lost: bool,
    },
    Ask {
        host: usize,
        life: u64,
        ask: Ask,
    },
    Create {
        host: usize,
        life: u64,
        segment: SegmentId,
        lost: bool,
    },
    Land {
        append: AppendId,
        replica: usize,
        bytes: Option<usize>,
    },
    Acknowledge {
        host: usize,
        life: u64,
        segment: SegmentId,
        append: AppendId,
        flight: u64,
    },
    FlushDeadline {
        host: usize,
        life: u64,
        segment: SegmentId,
        flight: u64,
    },
    Recover {
        host: usize,
        life: u64,
        segment: SegmentId,
    },
    Checkpoint {
        host: usize,
        life: u64,
        id: CheckpointId,
        content: bytes::Bytes,
    },
    ListCheckpoints {
        host: usize,
        life: u64,
        genesis: u64,
        look: Look,
    },
    /// By somebody who was deposed.
    CollectAtOnce,
    Collect {
        host: usize,
        life: u64,
        genesis: u64,
    },
    Delete {
        host: usize,
        life: u64,
        files: VecDeque<Rubbish>,
    },
    GuardianRelease {
        incarnation: String,
    },
    Kill {
        host: usize,
        life: u64,
    },
    EndSession(SessionId),
    Start(usize),
    ClientTurn {
        client: usize,
    },
    Gate {
        host: usize,
        life: u64,
        ticket: Ticket,
        evaluated: Evaluated,
    },
    Hear {
        ticket: Ticket,
        answer: Result<Answer, FsError>,
    },
    Impatient {
        ticket: Ticket,
    },
    /// What a client asks for arrives, or goes on.
    Coordinate {
        host: usize,
        life: u64,
        ticket: Ticket,
        attempt: Attempt,
    },
    Look {
        host: usize,
        life: u64,
        look: usize,
        call: LookStep,
    },
    LookShown {
        host: usize,
        life: u64,
        look: usize,
        call: LookStep,
        shown: Option<Shown>,
    },
    /// Somebody else puts something into the UFS.
    Outsider,
    SettleAll {
        host: usize,
        life: u64,
    },
    Settle {
        host: usize,
        life: u64,
        inode: InodeId,
    },
    Ufs {
        host: usize,
        life: u64,
        effect: usize,
        call: UfsCall,
        lost: bool,
    },
    UfsTold {
        host: usize,
        life: u64,
        effect: usize,
        told: alluxio::master::ufs::Told,
    },
    UfsSubmit {
        host: usize,
        life: u64,
        effect: usize,
        operation: UfsOperation,
    },
    UfsAgain {
        host: usize,
        life: u64,
        effect: usize,
        call: UfsCall,
    },
    WorkerTurn {
        worker: usize,
        host: usize,
    },
    WorkerCall {
        worker: usize,
        host: usize,
        life: u64,
        number: u64,
        call: WorkerCall,
    },
    WorkerHear {
        worker: usize,
        host: usize,
        number: u64,
        answer: Result<Answer, FsError>,
    },
    WorkerStart(usize),
    WriterTurn(usize),
    WriterCall {
        host: usize,
        life: u64,
        ticket: Ticket,
        request: Request,
    },
    ActorHear {
        ticket: Ticket,
        answer: Result<Answer, FsError>,
    },
    Fault,
    DeleteLatch {
        host: usize,
    },
    /// The rest of a step that was held up between the clock and its effects.
    Resume {
        host: usize,
        life: u64,
        effects: Vec<Effect<Ticket>>,
    },
    ZookeeperBack {
        restored: Option<StateNumber>,
    },
    RestoreAsSeen {
        leader: usize,
        at: StateNumber,
    },
    ZookeeperAsSeen {
        at: StateNumber,
    },
    Format,
    PipelineBroken(SegmentId),
}

/// A machine: a process or none, a clock, and whether it is paused or cut off from ZooKeeper.
pub struct Host {
    pub process: Option<Process>,
    pub lives: u64,
    pub paused_until: u64,
    pub pauses: u64,
    pub cut_off_until: u64,
    /// ZooKeeper was away since its last observation.
    pub interrupted: bool,
    /// Until then, replies of the election are often late.
    pub late_until: u64,
    pub drift_ppm: i64,
    pub offset: u64,
    /// How long its boot clock stood still, by that clock.
    pub stood_still: u64,
    /// How far its wall clock is off, in milliseconds.
    pub wall_off: i64,
    /// What its ZooKeeper server shows while it is cut off.
    pub frozen: StateNumber,
}

pub struct Process {
    pub driver: Driver<Ticket>,
    pub core: Core,
    pub gate: Arc<Gate>,
    pub session: SessionId,
    pub incarnation: String,
    pub files: BTreeMap<SegmentId, FileId>,
    /// Numbers of the flushes under way, in order: what comes for another one is late.
    pub in_flight: VecDeque<u64>,
    /// When the bytes of the last of them reach each replica, and its acknowledgement the master, at the earliest.
    pub landing_at: Vec<u64>,
    pub acknowledged_at: u64,
    /// Segments that a flush failed in: nothing more is sent there.
    pub ended: BTreeSet<SegmentId>,
    pub flights: u64,
    pub wake: Option<u64>,
    /// Who was taken in and not answered yet.
    pub owed: BTreeSet<Ticket>,
    /// When it was told to stop, while it served.
    pub stopped_at: Option<u64>,
    /// What its coordinator of the UFS is doing.
    pub effects: BTreeMap<usize, Running>,
    pub looks: Looks,
    /// With its takeover.
    pub progress: Progress,
}

pub struct World {
    pub rng: Rng,
    pub options: Options,
    pub now: u64,
    order: u64,
    queue: BTreeMap<(u64, u64), Action>,
    /// What others have put into the UFS, and where it is now.
    pub put: BTreeMap<&'static str, String>,
    pub put_at: u64,
    /// What is asked in the end, once all else is done.
    pub last: Vec<Op>,
    /// How often all that others may have put into the UFS was looked for in the end.
    pub looked_for: u32,
    /// Until then, clients ask nothing new.
    pub rest_until: u64,
    /// Numbers of what coordinators do.
    pub numbers: usize,
    pub election: MemoryElection,
    pub folder: MemoryFolder,
    pub ufs: MemoryUfs,
    pub hosts: Vec<Host>,
    pub clients: Vec<Client>,
    pub history: Vec<Call>,
    pub cluster: Workers,
    pub told: Told,
    pub coverage: Coverage,
    pub doom: Doom,
    pub formatter: Formatter,
    pub healing: bool,
    pub store_away_until: u64,
    /// Until then, nothing lands on a DataNode.
    pub datanodes_away_until: u64,
    pub zookeeper_away_until: u64,
    /// When each segment was created, for listings that lag.
    pub created_at: BTreeMap<SegmentId, u64>,
    /// The history of which something was collected last.
    pub collected: Option<u64>,
    /// When each one was deleted that is gone.
    pub deleted_at: BTreeMap<SegmentId, u64>,
    pub lost_replicas: BTreeSet<(SegmentId, usize)>,
    /// The last state of the election in which nobody led.
    pub released_at: StateNumber,
    /// The rest of a step is done that was held up.
    pub is_late: bool,
    /// The one master of the epilogue.
    pub alone: Option<Alone>,
    /// Until then, each flush takes long.
    pub slow_until: u64,
    /// A host that some clients still take for the primary, and until when.
    pub passed_over: Option<(usize, u64)>,
    /// The state of the election that watchers were told of.
    pub watched: StateNumber,
    pub trace: Vec<String>,
    pub tracing: bool,
}

impl World {
    pub fn new(seed: u64, options: Options) -> World {
        let mut world = World {
            rng: Rng::new(seed),
            options,
            now: SECOND,
            order: 0,
            queue: BTreeMap::new(),
            put: BTreeMap::new(),
            put_at: 0,
            last: Vec::new(),
            looked_for: 0,
            rest_until: 0,
            numbers: 0,
            election: MemoryElection::default(),
            folder: MemoryFolder::new(options.replicas),
            ufs: MemoryUfs::new(),
            hosts: Vec::new(),
            clients: Vec::new(),
            history: Vec::new(),
            cluster: Workers::default(),
            told: Told::default(),
            coverage: Coverage::default(),
            doom: Doom::default(),
            formatter: Formatter::default(),
            healing: false,
            store_away_until: 0,
            datanodes_away_until: 0,
            zookeeper_away_until: 0,
            created_at: BTreeMap::new(),
            collected: None,
            deleted_at: BTreeMap::new(),
            lost_replicas: BTreeSet::new(),
            released_at: StateNumber(0),
            is_late: false,
            alone: None,
            slow_until: 0,
            passed_over: None,
            watched: StateNumber(0),
            trace: Vec::new(),
            tracing: std::env::var_os("SIM_TRACE").is_some(),
        };
        world.format_first();
        for host in 0..options.masters {
            let added = Host::new(&mut world.rng);
            world.hosts.push(added);
            world.after(host as u64 * 10 * MS, Action::Start(host));
        }
        for client in 0..options.clients {
            world.clients.push(Client::new(client));
            world.after(3 * SECOND + client as u64 * MS, Action::ClientTurn { client });
        }
        world.add_workers(2, 2);
        world.after(4 * SECOND, Action::Fault);
        if options.outsiders {
            world.after(4 * SECOND, Action::Outsider);
        }
        world
    }

    pub fn after(&mut self, delay: u64, action: Action) {
        self.order += 1;
        self.queue.insert((self.now + delay, self.order), action);
    }

    /// Nothing that was to happen does.
    pub fn forget_actions(&mut self) {
        self.queue.clear();
    }

    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.tracing {
            self.trace.push(format!("{:>9}.{:03} ms {}", self.now / MS, self.now % MS, text()));
        }
    }

    /// Takes the calls to the UFS that are under way off the queue.
    pub fn take_ufs_calls(&mut self) -> Vec<Action> {
        self.queue.extract_if(.., |_, action| matches!(action, Action::Ufs { .. })).map(|(_, action)| action).collect()
    }

    /// Takes the next action off the queue and moves the time to it.
    pub fn next(&mut self) -> Option<Action> {
        let ((at, _), action) = self.queue.pop_first()?;
        self.now = self.now.max(at);
        self.coverage.met(Met::Step);
        Some(action)
    }

    /// The boot clock of a host: drifts, and counts pauses, but for those in which it stands still.
    pub fn clock(&self, host: usize) -> Boot {
        let Host { offset, stood_still, .. } = self.hosts[host];
        Boot::from_start(Duration::from_micros(offset + self.drifted(host, self.now) - stood_still))
    }

    /// A stretch of true time by the boot clock of a host.
    pub fn drifted(&self, host: usize, time: u64) -> u64 {
        (time as i64 + time as i64 / 1_000 * self.hosts[host].drift_ppm / 1_000) as u64
    }

    /// True time until a host's clock shows `at`, as near as matters.
    pub fn until(&self, host: usize, at: Boot) -> u64 {
        at.since(self.clock(host)).as_micros() as u64
    }

    /// The wall clock of a host: right, or not.
    pub fn wall(&self, host: usize) -> Millis {
        Millis(1_700_000_000_000 + (self.now / MS) as i64 + self.hosts[host].wall_off)
    }

    pub fn is_paused(&self, host: usize) -> bool {
        self.hosts[host].paused_until > self.now
    }

    pub fn process(&mut self, host: usize, life: u64) -> Option<&mut Process> {
        let host = &mut self.hosts[host];
        host.process.as_mut().filter(|_| host.lives == life)
    }

    /// A new process on a host, from the newest checkpoint that can be loaded or, sometimes, from none.
    pub fn start(&mut self, host: usize) -> Result<(), String> {
        if self.hosts[host].process.is_some() {
            return Ok(());
        }
        let checkpoints = self.folder.list().map_err(|error| error.to_string())?.checkpoints;
        let (mut core, mut position, mut genesis) = (Core::default(), Position::START, None);
        let wanted = self.rng.chance(4, 5) || !self.journal_begins();
        for id in checkpoints.into_iter().rev().filter(|_| wanted) {
            let content = self.folder.read_checkpoint(id).map_err(|error| error.to_string())?;
            let Ok((state, origin)) = MasterState::from_checkpoint(&content) else { continue };
            if origin.genesis == self.formatter.genesis {
                (core.state, position, genesis) = (state, origin.position, Some(origin.genesis));
                self.coverage.met(Met::CheckpointLoaded);
                break;
            }
        }
        let session = self.election.open_session();
        self.hosts[host].lives += 1;
        let life = self.hosts[host].lives;
        let incarnation = format!("{:04x}{:08x}", host, life);
        let gate = Arc::new(Gate::default());
        let settings = crate::settings(&self.options, host, &incarnation);
        let driver = Driver::new(settings, gate.clone(), position, genesis);
        self.hosts[host].process = Some(Process {
            driver,
            core,
            gate,
            session,
            incarnation,
            files: BTreeMap::new(),
            in_flight: VecDeque::new(),
            landing_at: vec![0; self.options.replicas],
            acknowledged_at: 0,
            ended: BTreeSet::new(),
            flights: 0,
            wake: None,
            owed: BTreeSet::new(),
            stopped_at: None,
            effects: BTreeMap::new(),
            looks: Looks::default(),
            progress: Progress::default(),
        });
        self.note(|| format!("host {host} starts, life {life}, from {position}"));
        self.after(0, Action::Deliver(host, life, Event::Tick));
        Ok(())
    }

    /// The process is gone: what it sent goes on, its session lives until it expires or the guardian ends it.
    pub fn kill(&mut self, host: usize, with_guardian: bool) {
        let Some(process) = self.hosts[host].process.take() else { return };
        self.hosts[host].lives += 1;
        self.hosts[host].paused_until = 0;
        self.note(|| format!("host {host} dies, guardian {}", if with_guardian { "alive" } else { "dead too" }));
        let delay = self.rng.range(1, SESSION);
        self.after(delay.max(SESSION / 2), Action::EndSession(process.session));
        if with_guardian {
            let delay = self.rng.range(MS, 100 * MS);
            self.after(delay, Action::GuardianRelease { incarnation: process.incarnation });
        }
        let delay = self.rng.range(100 * MS, 8 * SECOND);
        self.after(delay, Action::Start(host));
    }

    /// The epoch node as it is now.
    pub fn epoch_node(&mut self) -> Option<Versioned<EpochNode>> {
        let session = self.election.open_session();
        self.election.sync(session).unwrap();
        let seen = self.election.read_epoch(session, StateNumber::NEWEST).unwrap();
        self.election.end_session(session);
        seen
    }

    /// The guardian's part (F3): released, if the dead child still owns the epoch.
    pub fn guardian_release(&mut self, incarnation: &str) {
        let seen = self.epoch_node().filter(|seen| seen.value.owner == incarnation && !seen.value.released);
        let Some(seen) = seen else { return };
        let session = self.election.open_session();
        let _ = self.election.release(session, seen.version, &EpochNode { released: true, ..seen.value });
        self.released_at = self.election.newest();
        self.election.end_session(session);
        // What is released nobody waits for, also one who starts then and does not know that it is old.
        self.doom.exact_until = self.doom.exact_until.max(self.doom.old_copy_until);
    }
}

impl Host {
    fn new(rng: &mut Rng) -> Host {
        Host {
            process: None,
            lives: 0,
            paused_until: 0,
            pauses: 0,
            cut_off_until: 0,
            interrupted: false,
            late_until: 0,
            drift_ppm: rng.range(0, 60_000) as i64 - 30_000,
            offset: rng.range(0, 1000 * SECOND),
            stood_still: 0,
            wall_off: rng.range(0, 2_000) as i64 - 1_000,
            frozen: StateNumber(0),
        }
    }
}
