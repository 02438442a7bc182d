//! Clients that tell for how long changes are not answered: of what is in Alluxio alone, and of what is in the UFS, too.
//! Each makes a directory of its own and deletes it, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alluxio::rpc::retry::Caller;
use alluxio::types::OperationId;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::calls::call;
use crate::clients::now;
use crate::model::{Op, Seen};

/// Of each kind.
const CLIENTS: usize = 2;
const PAUSE: Duration = Duration::from_millis(20);

/// Where the changes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alone,
    Through,
}

/// When changes were answered, in order.
#[derive(Debug, Default, Clone)]
pub struct Answered {
    pub alone: Vec<u64>,
    pub through: Vec<u64>,
}

/// Clients at work.
pub struct Gauges {
    answered: Arc<Mutex<Answered>>,
    violations: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Kind {
    /// The directory that is made: see [`crate::calls`].
    fn path(self) -> &'static str {
        match self {
            Kind::Alone => "/a",
            Kind::Through => "/t",
        }
    }
}

impl Gauges {
    /// Starts them in directories beside `root`, which none of the others uses.
    pub fn start(callers: &[Arc<Caller>], root: &str) -> Gauges {
        let (answered, violations, stop) = (Arc::default(), Arc::default(), Arc::default());
        let mut gauges = Gauges { answered, violations, stop, tasks: JoinSet::new() };
        let kinds = [Kind::Alone, Kind::Through].into_iter().cycle();
        for ((caller, kind), number) in callers.iter().zip(kinds).zip(0..2 * CLIENTS) {
            let gauge = Gauge {
                caller: Arc::clone(caller),
                kind,
                root: format!("{root}-{number}"),
                answered: Arc::clone(&gauges.answered),
                violations: Arc::clone(&gauges.violations),
                stop: Arc::clone(&gauges.stop),
            };
            gauges.tasks.spawn(gauge.run());
        }
        gauges
    }

    /// Waits until changes of both kinds have been answered since then.
    pub async fn serve_since(&self, time: u64) {
        let is_since = |times: &Vec<u64>| times.last().is_some_and(|last| *last > time);
        let serve = || {
            let answered = self.answered.lock();
            is_since(&answered.alone) && is_since(&answered.through)
        };
        while !serve() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends them; each takes away what it has made.
    pub async fn stop(mut self) -> (Answered, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let violations = std::mem::take(&mut *self.violations.lock());
        (self.answered.lock().clone(), violations)
    }
}

struct Gauge {
    caller: Arc<Caller>,
    kind: Kind,
    root: String,
    answered: Arc<Mutex<Answered>>,
    violations: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Gauge {
    async fn run(self) {
        let path = self.kind.path();
        self.change(&Op::Mkdir("/")).await;
        while !self.stop.load(Ordering::Relaxed) {
            self.change(&Op::Mkdir(path)).await;
            tokio::time::sleep(PAUSE).await;
            self.change(&Op::Delete { path, recursive: true }).await;
            tokio::time::sleep(PAUSE).await;
        }
        self.change(&Op::Delete { path: "/", recursive: true }).await;
    }

    /// Until it is done: the UFS may refuse it, or nobody answer in time.
    async fn change(&self, op: &Op) {
        let mut id = uuid::Uuid::new_v4();
        loop {
            let (high, low) = id.as_u64_pair();
            match call(&self.caller, &self.root, op, OperationId { high, low }).await {
                Ok(Seen::Done) => {
                    let mut answered = self.answered.lock();
                    return match self.kind {
                        Kind::Alone => answered.alone.push(now()),
                        Kind::Through => answered.through.push(now()),
                    };
                }
                Ok(Seen::Unknown) => {}
                Ok(Seen::Failed) if self.kind == Kind::Through => id = uuid::Uuid::new_v4(),
                other => {
                    let text = format!("{op:?} at {}, which nobody else changes, was answered {other:?}", self.root);
                    return self.violations.lock().push(text);
                }
            }
        }
    }
}
