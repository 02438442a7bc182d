//! The latch on real ZooKeeper servers, 3.8 and 3.4, which `scripts/testbed` starts for each test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod bed;
mod failures;
mod java;
#[path = "../../src/election/latch_suite.rs"]
mod latch_suite;
mod lost;
mod nodes;
mod proxy;
mod release;

use std::sync::atomic::{AtomicU32, Ordering};

use alluxio::election::{EpochNode, Latch, LatchError, OwnNode, Versioned};
use alluxio::election::{ZookeeperLatch, ZookeeperSettings, new_incarnation};
use bed::Bed;
use latch_suite::World;

/// An election of its own at the servers of a bed.
struct Election {
    settings: ZookeeperSettings,
}

impl Election {
    fn at(address: &str) -> Election {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut settings = ZookeeperSettings::new(address, &format!("cluster-{number}"), "unset:1");
        settings.election_path = Some(format!("/case-{number}/election"));
        settings.leader_path = Some(format!("/case-{number}/leader"));
        Election { settings }
    }

    fn election_path(&self) -> &str {
        self.settings.election_path.as_deref().unwrap()
    }

    /// A contender whose incarnation is known.
    fn contender_of(&self, address: &str, incarnation: &str) -> ZookeeperLatch {
        let settings = ZookeeperSettings { rpc_address: address.into(), ..self.settings.clone() };
        ZookeeperLatch::new(settings, incarnation).unwrap()
    }
}

impl World for Election {
    type Contender = ZookeeperLatch;

    async fn contender(&self, address: &str) -> ZookeeperLatch {
        self.contender_of(address, &new_incarnation())
    }
}

/// All that one server of a version is tried for.
async fn on_one_server(version: &str) {
    let bed = Bed::up(version, 1);
    let address = bed.address();
    latch_suite::alone(async || Election::at(&address)).await;
    latch_suite::together(async || Election::at(&address)).await;
    nodes::all(&address).await;
    release::all(&address).await;
    failures::all(&address).await;
    lost::all(&address).await;
    access::all(&address).await;
    failures::a_server_that_is_killed_makes_outcomes_unknown_until_it_is_back(&bed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_zookeeper_3_8() {
    on_one_server("3.8").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_zookeeper_3_4() {
    on_one_server("3.4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_ensemble_that_loses_servers() {
    let bed = Bed::up("3.8", 3);
    failures::an_ensemble_that_loses_one_server_goes_on(&bed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_curator_of_1_x() {
    let bed = Bed::up("3.4", 1);
    java::contenders_take_turns("2.13", &bed.address()).await;
    java::java_masters_are_foreign("2.13", &bed.address()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_curator_of_2_9() {
    let bed = Bed::up("3.8", 1);
    java::contenders_take_turns("4.2", &bed.address()).await;
    java::java_masters_are_foreign("4.2", &bed.address()).await;
}
