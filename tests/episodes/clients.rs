//! Clients of ours, which ask one operation after another and write down what they asked and heard, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use alluxio::client::{ChannelSettings, ClientSettings, identity};
use alluxio::conf::{Conf, Role, Sources};
use alluxio::election::configured;
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::retry::Caller;
use alluxio::types::OperationId;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::calls::{call, choose, is_change};
use crate::model::{Call, Op, Seen};
use crate::rng::Rng;

/// Longest wait for an answer of one attempt to find a master among several.
const SWEEP: Duration = Duration::from_secs(2);
/// Longest pause of a client between two operations.
const PAUSE_MS: u64 = 60;

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
    stop: AtomicBool,
}

impl Notes {
    /// Waits for a change that is asked and answered from now on.
    pub async fn next_change(&self, limit: Duration) -> bool {
        self.answered_change.store(0, Ordering::SeqCst);
        self.asked_after.store(now(), Ordering::SeqCst);
        let served = async {
            while self.answered_change.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, served).await.is_ok()
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
    notes: Arc<Notes>,
}

impl Client {
    async fn run(mut self) {
        let mut history = Vec::new();
        while !self.notes.stop.load(Ordering::Relaxed) {
            let op = choose(&mut self.rng);
            self.ids.low += 1;
            let asked = now();
            match call(&self.caller, &self.root, &op, self.ids).await {
                Ok(seen) => {
                    let call = Call { op, asked, heard: now(), seen };
                    self.notes.take(&call);
                    if self.repeat && self.rng.chance(1, 20) {
                        self.ask_again(&call).await;
                    }
                    history.push(call);
                }
                Err(violation) => self.notes.violations.lock().push(violation),
            }
            tokio::time::sleep(Duration::from_millis(self.rng.range(0, PAUSE_MS))).await;
        }
        self.notes.histories.lock().push(history);
    }

    /// The same operation id has the first answer again, whoever leads by now; with other arguments it is refused.
    async fn ask_again(&mut self, first: &Call) {
        // A move to the same place changes nothing, and no answer is kept of it.
        let changes = is_change(&first.op) && !matches!(first.op, Op::Rename { from, to } if from == to);
        if !changes || first.seen != Seen::Done {
            return;
        }
        let (op, expected) = match (&first.op, self.rng.chance(1, 4)) {
            (Op::Mkdir("/a"), true) => (Op::Mkdir("/b"), Seen::Invalid),
            _ => (first.op.clone(), Seen::Done),
        };
        match call(&self.caller, &self.root, &op, self.ids).await {
            Ok(Seen::Unknown) => {}
            Ok(seen) if seen == expected => drop(self.notes.repeated.fetch_add(1, Ordering::Relaxed)),
            answer => {
                let text = format!("{:?} was answered {:?}, and again, as {op:?}, {answer:?}", first.op, first.seen);
                self.notes.violations.lock().push(text);
            }
        }
    }
}
