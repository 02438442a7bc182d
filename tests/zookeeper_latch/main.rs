//! The latch on real ZooKeeper servers, 3.8 and 3.4, which `scripts/testbed` starts for each test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bed;
#[path = "../../src/election/latch_suite.rs"]
mod latch_suite;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

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
}

impl World for Election {
    type Contender = ZookeeperLatch;

    async fn contender(&self, address: &str) -> ZookeeperLatch {
        let settings = ZookeeperSettings { rpc_address: address.into(), ..self.settings.clone() };
        ZookeeperLatch::new(settings, &new_incarnation()).expect("valid settings")
    }
}

async fn suite(version: &str) {
    let bed = Bed::up(version, 1);
    let address = bed.address();
    latch_suite::alone(async || Election::at(&address)).await;
    latch_suite::together(async || Election::at(&address)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zookeeper_latch_behaves_as_a_latch_on_3_8() {
    suite("3.8").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zookeeper_latch_behaves_as_a_latch_on_3_4() {
    suite("3.4").await;
}
