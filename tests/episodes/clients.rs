//! Clients of ours, which ask one operation after another and write down what they asked and heard, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use alluxio::client::{ChannelSettings, ClientSettings, identity};
use alluxio::conf::{Conf, Role, Sources};
use alluxio::election::configured;
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::retry::{Caller, ClientError};
use alluxio::types::OperationId;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::calls::{PATHS, ask, call, choose, is_change};
use crate::model::{Call, Op, Seen};
use crate::rng::Rng;

/// Longest wait for an answer of one attempt to find a master among several.
const SWEEP: Duration = Duration::from_secs(2);
/// Longest pause of a client between two operations.
const PAUSE_MS: u64 = 60;

/// How many answered changes a client keeps for the time after a fault.
const KEPT_MAX: usize = 4;

/// Microseconds on the clock that Java's `System.nanoTime` shows.
pub fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000
}

/// A client of the cluster that these properties name.
pub fn caller(properties: &[String]) -> Caller {
    let conf = Conf::load(&Sources::of_process(Role::User, properties.to_vec())).unwrap();
    let channel = ChannelSettings { identity: identity::of_process(&conf).unwrap(), ..ChannelSettings::default() };
    let settings = ClientSettings { channel, ..ClientSettings::default() };
    Caller::new(configured::primary(&conf, SWEEP).unwrap(), ServiceType::FileSystemMasterClientService, settings)
}

/// What the clients of one episode have written down.
#[derive(Default)]
pub struct Notes {
    /// By client, in its order.
    pub histories: Mutex<Vec<Vec<Call>>>,
    /// Answers that no order of calls explains.
    pub violations: Mutex<Vec<String>>,
    /// When a change was last answered that was asked after `asked_after`.
    answered_change: AtomicU64,
    asked_after: AtomicU64,
    pub answers: AtomicU64,
    /// Calls that were repeated after their answer, and heard the same.
    pub repeated: AtomicU64,
    /// Those of them that another leader answered than the first time.
    pub repeated_elsewhere: AtomicU64,
    /// Operation ids that were used for something else after their answer, and refused.
    pub misused: AtomicU64,
    /// Faults after which changes are answered again.
    faults: AtomicU64,
    stop: AtomicBool,
}

impl Notes {
    /// Waits for a change that is asked and answered from now on.
    pub async fn next_change(&self, limit: Duration) -> bool {
        // In this order: an answer to what was asked before must not count.
        self.asked_after.store(now(), Ordering::SeqCst);
        self.answered_change.store(0, Ordering::SeqCst);
        let served = async {
            while self.answered_change.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, served).await.is_ok()
    }

    /// Has clients ask again what they keep: a fault is over.
    pub fn fault_is_over(&self) {
        self.faults.fetch_add(1, Ordering::SeqCst);
    }

    fn take(&self, call: &Call) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        if is_change(&call.op) && call.seen == Seen::Done && call.asked >= self.asked_after.load(Ordering::SeqCst) {
            self.answered_change.store(call.heard, Ordering::SeqCst);
        }
    }
}

/// Clients at work.
pub struct Clients {
    pub notes: Arc<Notes>,
    tasks: JoinSet<()>,
}

impl Clients {
    /// Starts them below `root`. With `repeat`, they sometimes ask again what was answered, as if the answer had been lost.
    pub fn start(callers: &[Arc<Caller>], root: &str, seed: u64, repeat: bool) -> Clients {
        let notes = Arc::new(Notes::default());
        let mut tasks = JoinSet::new();
        for (index, caller) in callers.iter().enumerate() {
            let client = Client {
                caller: Arc::clone(caller),
                root: root.to_owned(),
                rng: Rng::new(seed.wrapping_mul(1000) + index as u64),
                ids: OperationId { high: seed, low: (index as u64) << 32 },
                repeat,
                kept: Vec::new(),
                notes: Arc::clone(&notes),
            };
            tasks.spawn(client.run());
        }
        Clients { notes, tasks }
    }

    /// Ends them; each hears its last answer.
    pub async fn stop(mut self) -> Arc<Notes> {
        self.notes.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.notes
    }
}

struct Client {
    caller: Arc<Caller>,
    root: String,
    rng: Rng,
    ids: OperationId,
    repeat: bool,
    /// Answered changes that are asked again after the next fault.
    kept: Vec<Kept>,
    notes: Arc<Notes>,
}

/// A change that was answered.
struct Kept {
    op: Op,
    id: OperationId,
    /// Who led afterwards.
    leader: String,
    faults: u64,
}

impl Client {
    async fn run(mut self) {
        let mut history = Vec::new();
        while !self.notes.stop.load(Ordering::Relaxed) {
            self.ask_kept().await;
            let op = choose(&mut self.rng);
            self.ids.low += 1;
            let asked = now();
            match call(&self.caller, &self.root, &op, self.ids).await {
                Ok(seen) => {
                    let call = Call { op, asked, heard: now(), seen, inode: None };
                    self.notes.take(&call);
                    if self.repeat && has_kept_answer(&call) {
                        self.repeat_or_keep(&call.op).await;
                    }
                    history.push(call);
                }
                Err(violation) => self.notes.violations.lock().push(violation),
            }
            tokio::time::sleep(Duration::from_millis(self.rng.range(0, PAUSE_MS))).await;
        }
        self.notes.histories.lock().push(history);
    }

    /// Asks one change in twenty again at once, mostly the same leader, and keeps the first ones for the time after the next fault.
    async fn repeat_or_keep(&mut self, op: &Op) {
        if self.rng.chance(1, 20) {
            self.ask_again(op, self.ids, false).await;
        } else if self.kept.len() < KEPT_MAX
            && let Ok(leader) = self.caller.primary().await
        {
            let faults = self.notes.faults.load(Ordering::SeqCst);
            self.kept.push(Kept { op: op.clone(), id: self.ids, leader, faults });
        }
    }

    async fn ask_kept(&mut self) {
        let faults = self.notes.faults.load(Ordering::SeqCst);
        if self.kept.iter().all(|kept| kept.faults == faults) {
            return;
        }
        let due: Vec<_> = self.kept.extract_if(.., |kept| kept.faults < faults).collect();
        // Asked for before: whoever answers leads no earlier.
        let Ok(leader) = self.caller.primary().await else { return };
        for kept in due {
            self.ask_again(&kept.op, kept.id, kept.leader != leader).await;
        }
    }

    /// The same operation id has the first answer again, whoever leads by now; for anything else it is refused.
    async fn ask_again(&mut self, first: &Op, id: OperationId, elsewhere: bool) {
        let (op, misused) = match self.rng.chance(1, 3) {
            true => (other_than(first, &mut self.rng), true),
            false => (first.clone(), false),
        };
        let notes = &self.notes;
        match (ask(&self.caller, &self.root, &op, id).await, misused) {
            (Err(ClientError::Unreachable { .. }), _) => {}
            (Err(ClientError::Refused(error)), true) if error.message.contains("was used before") => {
                notes.misused.fetch_add(1, Ordering::Relaxed);
            }
            (Ok(Seen::Done), false) => {
                notes.repeated.fetch_add(1, Ordering::Relaxed);
                notes.repeated_elsewhere.fetch_add(u64::from(elsewhere), Ordering::Relaxed);
            }
            (answer, _) => {
                let text =
                    format!("{first:?} was done, and asked again as {op:?} with its id it was answered {answer:?}");
                notes.violations.lock().push(text);
            }
        }
    }
}

/// A move to the same place changes nothing, and no answer is kept of it.
fn has_kept_answer(call: &Call) -> bool {
    is_change(&call.op) && call.seen == Seen::Done && !matches!(call.op, Op::Rename { from, to } if from == to)
}

/// Another operation, or the same with other arguments.
fn other_than(op: &Op, rng: &mut Rng) -> Op {
    let mut another = |path: &'static str| loop {
        let other = rng.pick(PATHS);
        if other != path {
            return other;
        }
    };
    let arguments = match *op {
        Op::Mkdir(path) => Op::Mkdir(another(path)),
        Op::Create(path) => Op::Create(another(path)),
        Op::Delete { path, recursive } => Op::Delete { path, recursive: !recursive },
        Op::Rename { from, to } => Op::Rename { from, to: another(to) },
        Op::Stat(_) | Op::List(_) => op.clone(),
    };
    let kind = match *op {
        Op::Mkdir(path) => Op::Create(path),
        Op::Create(path) | Op::Delete { path, .. } => Op::Mkdir(path),
        Op::Rename { from, .. } => Op::Delete { path: from, recursive: true },
        Op::Stat(_) | Op::List(_) => op.clone(),
    };
    if rng.chance(2, 3) { arguments } else { kind }
}
