//! Episodes: a cluster in network namespaces, 32 clients on few names, random faults at random moments. Each history must
//! be linearizable. After each episode the UFS must have what the namespace has as persisted, and the states in the
//! memories of all three masters must have the same digest at the same record. In the end the journal must be whole and
//! reach as far as ZooKeeper knows, and each checkpoint, which the first standby to reach its record has written, equal to
//! it. Our masters must be back within the budgets of `budget.rs`.
//!
//! `scripts/episodes --help`. Environment: EPISODES, EPISODES_SEED, EPISODES_MASTERS, EPISODES_TABLE, EPISODES_ONLY,
//! EPISODES_SLACK, ALLUXIO_TEST_PACKAGE.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod budget;
mod calls;
mod clients;
mod clock;
mod cluster;
mod compare;
mod episode;
mod faults;
mod gauges;
#[path = "../first_document/hdfs.rs"]
mod hdfs;
#[path = "../first_document/hosts.rs"]
#[allow(dead_code, reason = "the first document uses the rest")]
mod hosts;
mod java;
#[path = "../sim/model.rs"]
mod model;
#[path = "../harness/process.rs"]
#[allow(dead_code, reason = "the cluster tests use the rest")]
mod process;
mod report;
#[path = "../sim/rng.rs"]
mod rng;
#[path = "../first_document/services.rs"]
mod services;

use std::sync::Arc;
use std::time::Duration;

use cluster::{Cluster, Masters};
use episode::Episodes;
use java::JavaClients;
use report::Report;

/// Clients of ours, and of 2.9.6.
const NATIVE: usize = 24;
const JAVA: usize = 8;
/// After how many episodes the journal is read as a whole.
const VERIFY_EVERY: u64 = 25;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// How many times a budget a fault may take.
fn slack() -> u64 {
    number("EPISODES_SLACK", budget::SLACK)
}

/// What episodes need.
struct Bed {
    cluster: Cluster,
    runtime: tokio::runtime::Runtime,
}

impl Bed {
    fn up(masters: Masters) -> Bed {
        let cluster = Cluster::up(masters);
        cluster.network.enter();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Bed { cluster, runtime }
    }

    fn episodes(&self) -> Episodes<'_> {
        let Bed { cluster, runtime } = self;
        let callers = (0..NATIVE).map(|_| Arc::new(clients::caller(&cluster.properties()))).collect();
        Episodes { cluster, runtime, callers, java: JavaClients::start(cluster) }
    }

    /// The journal must be whole, nobody have heard what cannot be, and no fault have taken too long.
    fn judge(&self, report: &Report) {
        let ours = self.cluster.masters == Masters::Ours;
        if ours {
            println!("{}", self.cluster.verify());
        }
        println!("{report}");
        if let Ok(file) = std::env::var("EPISODES_TABLE") {
            std::fs::write(file, report.to_string()).unwrap();
        }
        assert!(!ours || report.violations.is_empty(), "{}", report.violations.join("\n"));
        assert!(!ours || report.exceeded.is_empty(), "took too long:\n{}", report.exceeded.join("\n"));
    }
}

fn masters() -> Masters {
    match std::env::var("EPISODES_MASTERS").as_deref() {
        Ok("java") => Masters::Java,
        Ok("ours") | Err(_) => Masters::Ours,
        Ok(other) => panic!("EPISODES_MASTERS={other} is neither ours nor java"),
    }
}

#[test]
#[ignore = "needs root, Java and a package: scripts/episodes"]
fn episodes() {
    let (count, seed) = (number("EPISODES", 5), number("EPISODES_SEED", 1));
    let bed = Bed::up(masters());
    let (mut episodes, mut report) = (bed.episodes(), Report::default());
    for seed in seed..seed + count {
        report.add(episodes.run(seed), slack());
        if bed.cluster.masters == Masters::Ours && (seed + 1).is_multiple_of(VERIFY_EVERY) {
            bed.cluster.verify();
        }
    }
    bed.judge(&report);
}

/// Each service away, slow or full, for a while.
#[test]
#[ignore = "needs root, Java and a package: scripts/episodes --outages"]
fn outages() {
    let bed = Bed::up(masters());
    let (mut episodes, mut report) = (bed.episodes(), Report::default());
    let only = std::env::var("EPISODES_ONLY").unwrap_or_default();
    let chosen: Vec<_> =
        (1..).zip(faults::OUTAGES).filter(|(_, (fault, _))| fault.to_string().contains(&only)).collect();
    assert!(!chosen.is_empty(), "EPISODES_ONLY={only} is in the name of no outage");
    for (seed, (fault, seconds)) in chosen {
        if bed.cluster.can_have(fault) {
            report.add(episodes.run_with(seed, &[(fault, Duration::from_secs(seconds))]), slack());
        }
    }
    bed.judge(&report);
}
