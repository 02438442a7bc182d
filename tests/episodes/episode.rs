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
use crate::gauges::{Answered, Gauges};
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
    /// From its beginning to its end, or until what it takes away is there again at another place.
    pub lasted_ms: u64,
    /// Of any change.
    pub service: Silence,
    /// Of changes in Alluxio alone.
    pub alone: Silence,
    /// Of changes in the UFS, too.
    pub through: Silence,
    /// The longest wait of each client for an answer, from the beginning of the fault on.
    pub client_ms: Vec<u64>,
}

/// For how long no change was answered.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    /// The longest time from the beginning of the fault on.
    pub longest_ms: u64,
    /// From its end to the first answer.
    pub back_ms: u64,
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
        let (clients, gauges) = {
            let _inside = self.runtime.enter();
            (Clients::start(&self.callers, &root, seed, ours), Gauges::start(&self.callers, &root))
        };
        self.java.go(&root, seed, JAVA);
        let serves = || self.serves(&clients.notes, &gauges);
        assert!(serves(), "no service within {PATIENCE:?} before the fault");
        let mut begun = Vec::new();
        for (fault, lasts) in faults.iter().copied() {
            pause(&mut rng);
            let leader = self.leader();
            let at = now();
            println!("episode {seed}: {fault} at {leader}, {} ms", lasts.as_millis());
            let fault_at_work = Begun::new(self.cluster, fault, leader, &mut rng);
            let elsewhere = now();
            std::thread::sleep(lasts);
            fault_at_work.end();
            let ended = if fault.fails_over() { elsewhere } else { now() };
            if !serves() {
                assert!(!ours, "no service within {PATIENCE:?} after the end of: {fault}");
                println!(
                    "episode {seed}: no service within {PATIENCE:?} after the end of: {fault}; all masters killed and started"
                );
                self.cluster.kill_all();
                self.cluster.start_all();
                assert!(serves(), "nor after all masters were started anew");
            }
            begun.push((fault, at, ended, now()));
            clients.notes.fault_is_over();
        }
        pause(&mut rng);
        let notes = self.runtime.block_on(clients.stop());
        let (answered, disturbed) = self.runtime.block_on(gauges.stop());
        let java = self.java.end(JAVA);
        let native = std::mem::take(&mut *notes.histories.lock());
        let outages = begun
            .iter()
            .map(|(fault, from, ended, to)| outage(*fault, [*from, *ended, *to], &native, &answered))
            .collect();
        let mut history: Vec<Call> = native.into_iter().chain(java.histories).flatten().collect();
        // What is there in the end must follow from it, too.
        history.extend(DIRECTORIES.iter().map(|directory| {
            let (op, asked) = (Op::List(directory), now());
            let seen = self.one_call(&root, &op, "");
            Call { op, asked, heard: now(), seen, inode: None }
        }));
        let (calls, unanswered) = (history.len(), history.iter().filter(|call| call.seen == Seen::Unknown).count());
        let failed = history.iter().filter(|call| call.seen == Seen::Failed).count();
        let mut violations = std::mem::take(&mut *notes.violations.lock());
        violations.extend(java.violations);
        violations.extend(disturbed);
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

    /// Whether changes of each kind are asked and answered in time.
    fn serves(&self, notes: &Notes, gauges: &Gauges) -> bool {
        self.runtime.block_on(async {
            let since = now();
            notes.next_change(PATIENCE).await && tokio::time::timeout(PATIENCE, gauges.serve_since(since)).await.is_ok()
        })
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
fn outage(fault: Fault, times: [u64; 3], histories: &[Vec<Call>], answered: &Answered) -> Outage {
    assert_eq!(histories.len(), NATIVE, "each client has a history");
    let [from, ended, to] = times;
    let changes = |call: &&Call| is_change(&call.op) && call.seen == Seen::Done;
    let mut changed: Vec<u64> = histories.iter().flatten().filter(changes).map(|call| call.heard).collect();
    changed.sort_unstable();
    let longest = |history: &Vec<Call>| {
        let during = history.iter().filter(|call| call.heard > from && call.asked < to);
        during.map(|call| (call.heard - call.asked.max(from)) / 1000).max()
    };
    Outage {
        fault,
        lasted_ms: (ended - from) / 1000,
        service: silence(&changed, times),
        alone: silence(&answered.alone, times),
        through: silence(&answered.through, times),
        client_ms: histories.iter().filter_map(longest).collect(),
    }
}

/// Between answers, by the time in which they were heard.
fn silence(heard: &[u64], [from, ended, to]: [u64; 3]) -> Silence {
    // The old leader may answer for a moment, so the longest silence counts, not the first answer.
    let silences = heard.windows(2).filter(|pair| pair[1] > from && pair[0] < to);
    let longest = silences.map(|pair| pair[1] - pair[0].max(from)).max().unwrap_or(to - from);
    let back = heard.iter().find(|heard| **heard >= ended).map_or(to, |heard| *heard) - ended;
    Silence { longest_ms: longest / 1000, back_ms: back / 1000 }
}
