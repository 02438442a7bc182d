//! One episode: clients begin, faults come and go, everybody is served again, and what was heard is judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alluxio::rpc::retry::Caller;
use alluxio::types::OperationId;

use crate::calls::{DIRECTORIES, call, is_change};
use crate::clients::{Clients, Notes, now};
use crate::cluster::{Cluster, Masters};
use crate::faults::{self, Begun, Fault};
use crate::java::JavaClients;
use crate::model::{Call, Op, Seen, linearize};
use crate::rng::Rng;
use crate::{JAVA, NATIVE};

/// How long service may be away after a fault has ended.
const PATIENCE: Duration = Duration::from_secs(240);
/// Room for the search, which goes as deep as there are changes.
const SEARCH_STACK_BYTES: usize = 2 << 30;

/// What the episodes share.
pub struct Episodes<'a> {
    pub cluster: &'a Cluster,
    pub runtime: &'a tokio::runtime::Runtime,
    pub callers: Vec<Arc<Caller>>,
    pub java: JavaClients,
}

/// A fault and how long clients waited because of it.
pub struct Outage {
    pub fault: Fault,
    /// From its beginning to its end.
    pub lasted_ms: u64,
    /// The longest time, from its beginning on, in which no change of any client was answered.
    pub service_ms: u64,
    /// From its end to the first answered change.
    pub back_ms: u64,
    /// The longest wait of each client for an answer, from the beginning of the fault on.
    pub client_ms: Vec<u64>,
}

/// What an episode has found.
pub struct Found {
    pub seed: u64,
    pub outages: Vec<Outage>,
    pub calls: usize,
    pub unanswered: usize,
    /// Calls that the UFS refused.
    pub failed: usize,
    pub repeated: u64,
    pub repeated_elsewhere: u64,
    pub misused: u64,
    pub violations: Vec<String>,
    /// What the Java clients were told instead of an answer.
    pub java_errors: Vec<String>,
}

impl Episodes<'_> {
    /// With one or two faults by chance.
    pub fn run(&mut self, seed: u64) -> Found {
        let mut rng = Rng::new(seed);
        let faults = (0..rng.range(1, 3)).map(|_| (faults::choose(&mut rng), faults::duration(&mut rng)));
        let faults: Vec<_> = faults.filter(|(fault, _)| self.cluster.can_have(*fault)).collect();
        self.run_with(seed, &faults)
    }

    /// With these faults, one after the other.
    pub fn run_with(&mut self, seed: u64, faults: &[(Fault, Duration)]) -> Found {
        let root = format!("/e{seed}");
        let mut rng = Rng::new(seed);
        self.one_call("", &Op::Mkdir("/"), &root);
        let ours = self.cluster.masters == Masters::Ours;
        let clients = {
            let _inside = self.runtime.enter();
            Clients::start(&self.callers, &root, seed, ours)
        };
        self.java.go(&root, seed, JAVA);
        assert!(self.serves(&clients.notes), "no service within {PATIENCE:?} before the fault");
        let mut begun = Vec::new();
        for (fault, lasts) in faults.iter().copied() {
            pause(&mut rng);
            let leader = self.leader();
            let at = now();
            println!("episode {seed}: {fault} at {leader}, {} ms", lasts.as_millis());
            let fault_at_work = Begun::new(self.cluster, fault, leader, &mut rng);
            std::thread::sleep(lasts);
            fault_at_work.end();
            let ended = now();
            if !self.serves(&clients.notes) {
                assert!(!ours, "no service within {PATIENCE:?} after the end of: {fault}");
                println!(
                    "episode {seed}: no service within {PATIENCE:?} after the end of: {fault}; all masters killed and started"
                );
                self.cluster.kill_all();
                self.cluster.start_all();
                assert!(self.serves(&clients.notes), "nor after all masters were started anew");
            }
            begun.push((fault, at, ended, now()));
            clients.notes.fault_is_over();
        }
        pause(&mut rng);
        let notes = self.runtime.block_on(clients.stop());
        let java = self.java.end(JAVA);
        let native = std::mem::take(&mut *notes.histories.lock());
        let outages =
            begun.iter().map(|(fault, from, ended, to)| outage(*fault, [*from, *ended, *to], &native)).collect();
        let mut history: Vec<Call> = native.into_iter().chain(java.histories).flatten().collect();
        // What is there in the end must follow from it, too.
        history.extend(DIRECTORIES.iter().map(|directory| {
            let (op, asked) = (Op::List(directory), now());
            let seen = self.one_call(&root, &op, "");
            Call { op, asked, heard: now(), seen }
        }));
        let (calls, unanswered) = (history.len(), history.iter().filter(|call| call.seen == Seen::Unknown).count());
        let failed = history.iter().filter(|call| call.seen == Seen::Failed).count();
        let mut violations = std::mem::take(&mut *notes.violations.lock());
        violations.extend(java.violations);
        let searched = std::thread::Builder::new().stack_size(SEARCH_STACK_BYTES).spawn(move || linearize(&history));
        violations.extend(searched.unwrap().join().unwrap().err());
        violations.extend(self.compare_ufs(&root));
        violations.extend(ours.then(|| self.compare_masters()).flatten());
        let deleted = self.one_call("", &Op::Delete { path: "/", recursive: true }, &root);
        violations
            .extend((deleted != Seen::Done).then(|| format!("all was to be deleted, and the answer was {deleted:?}")));
        violations.extend(self.compare_ufs(&root).map(|text| format!("after all was deleted: {text}")));
        let violations = violations.into_iter().map(|text| format!("episode {seed}: {text}")).collect();
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Found {
            seed,
            outages,
            calls,
            unanswered,
            failed,
            repeated: count(&notes.repeated),
            repeated_elsewhere: count(&notes.repeated_elsewhere),
            misused: count(&notes.misused),
            violations,
            java_errors: java.unanswered,
        }
    }

    /// A call of our own, outside of the load.
    fn one_call(&self, root: &str, op: &Op, of_episode: &str) -> Seen {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        let at = format!("{root}{of_episode}");
        self.runtime.block_on(call(&self.callers[0], &at, op, OperationId { high, low })).unwrap()
    }

    /// Whether a change is asked and answered in time.
    fn serves(&self, notes: &Notes) -> bool {
        self.runtime.block_on(notes.next_change(PATIENCE))
    }

    fn leader(&self) -> &'static str {
        let leader = self.runtime.block_on(self.callers[0].primary()).unwrap();
        Cluster::host_of(&leader).unwrap_or_else(|| panic!("{leader} is none of the masters"))
    }
}

fn pause(rng: &mut Rng) {
    std::thread::sleep(Duration::from_millis(rng.range(200, 1500)));
}

/// What clients of ours met from the beginning of a fault, over its end, until all was well again.
fn outage(fault: Fault, [from, ended, to]: [u64; 3], histories: &[Vec<Call>]) -> Outage {
    assert_eq!(histories.len(), NATIVE, "each client has a history");
    let changes = |call: &&Call| is_change(&call.op) && call.seen == Seen::Done;
    let mut changed: Vec<u64> = histories.iter().flatten().filter(changes).map(|call| call.heard).collect();
    changed.sort_unstable();
    // The old leader may answer for a moment, so the longest silence counts, not the first answer.
    let silences = changed.windows(2).filter(|pair| pair[1] > from && pair[0] < to);
    let longest_silence = silences.map(|pair| pair[1] - pair[0].max(from)).max().unwrap_or(to - from);
    let longest = |history: &Vec<Call>| {
        let during = history.iter().filter(|call| call.heard > from && call.asked < to);
        during.map(|call| (call.heard - call.asked.max(from)) / 1000).max()
    };
    let back = changed.iter().find(|heard| **heard >= ended).map_or(to, |heard| *heard) - ended;
    Outage {
        fault,
        lasted_ms: (ended - from) / 1000,
        service_ms: longest_silence / 1000,
        back_ms: back / 1000,
        client_ms: histories.iter().filter_map(longest).collect(),
    }
}
