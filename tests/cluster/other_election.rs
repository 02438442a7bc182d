//! Masters that share a journal and not the election: by mistake, with the address of another ZooKeeper. Nothing there fences
//! one from the other but the journal itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use alluxio::types::time::boot_now;

use crate::harness::{COMMAND_LIMIT, Cluster, Master, Outcome, run, wait_for};
use crate::load::under_load;

/// A place in the same ZooKeeper that nobody else knows, as the address of another one.
fn elsewhere(cluster: &Cluster) -> String {
    let address = &cluster.services.zookeeper;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let name = format!("/elsewhere-{}", uuid::Uuid::new_v4());
    runtime.block_on(async {
        let client = zookeeper_client::Client::connector().with_server_version(3, 4, 0).connect(address).await.unwrap();
        let options = zookeeper_client::CreateMode::Persistent.with_acls(zookeeper_client::Acls::anyone_all());
        client.create(&name, b"", &options).await.unwrap();
    });
    format!("-Dalluxio.zookeeper.address={address}{name}")
}

fn run_elsewhere(master: &Master, program: &str, word: &str, option: &str) -> Outcome {
    run(&master.home.join(program), &[word], &[("ALLUXIO_JAVA_OPTS", option)], COMMAND_LIMIT)
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_journal_in_use_is_not_formatted_from_another_zookeeper() {
    let cluster = Cluster::new(2, &[]);
    cluster.format();
    cluster.masters[0].start().expect_success();
    cluster.fs(&["mkdir", "/kept"]).expect_success();
    let option = elsewhere(&cluster);
    run_elsewhere(&cluster.masters[1], "bin/alluxio", "format", &option).expect_refusal(&["knows nothing"]);
    assert_eq!(cluster.names("/"), ["kept"]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_master_of_another_zookeeper_takes_the_journal_over_and_the_leader_ends() {
    let cluster = Cluster::new(2, &[]);
    cluster.format();
    let [ours, other] = &cluster.masters[..] else { panic!("there are two") };
    ours.start().expect_success();
    let option = elsewhere(&cluster);
    let acknowledged = Mutex::new(BTreeMap::new());
    let make = |client: usize, n: usize| {
        let name = format!("c{client}-{n}");
        let soon = "-Dalluxio.user.rpc.retry.max.duration=2s";
        if cluster.fs(&[soon, "mkdir", &format!("/{name}")]).success() {
            acknowledged.lock().unwrap().insert(name, boot_now());
        }
    };
    let taken_over = under_load(make, || {
        std::thread::sleep(Duration::from_secs(1));
        let begun = boot_now();
        run_elsewhere(other, "bin/alluxio-start.sh", "master", &option).expect_success();
        wait_for("the end of the leader", COMMAND_LIMIT, || (!ours.listens()).then_some(()));
        begun
    });
    assert!(ours.log_tail().contains("our election does not know of that"), "{}", ours.log_tail());
    let program = other.home.join("bin/alluxio");
    let listed = run(&program, &["fs", "ls", "/"], &[("ALLUXIO_JAVA_OPTS", &option)], COMMAND_LIMIT);
    let paths = listed.expect_success().stdout.lines().filter_map(|line| line.split_whitespace().last());
    let there: BTreeSet<String> = paths.map(|path| path.trim_start_matches('/').to_owned()).collect();
    let acknowledged = acknowledged.into_inner().unwrap();
    let lost: Vec<_> = acknowledged.iter().filter(|(name, _)| !there.contains(*name)).collect();
    // What is acknowledged between the look of the other at the end of the journal and its cut cannot be told from what is
    // not; all before and after is there.
    assert!(lost.iter().all(|(_, at)| **at >= taken_over), "{lost:?} begun {taken_over:?}");
    assert!(lost.len() * 4 < acknowledged.len(), "lost: {lost:?} of {}", acknowledged.len());
}

/// What somebody has written into the epoch node by mistake ends no master for good: who leads gives way, all wait, and they go
/// on by themselves once the node is deleted.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn garbage_in_the_epoch_node_is_waited_for() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    cluster.fs(&["mkdir", "/before"]).expect_success();
    let log = |master: &Master| std::fs::read_to_string(master.home.join("logs/master.log")).unwrap();
    let loaded = log(&cluster.masters[0]);
    let id = loaded.split("loaded cluster=").nth(1).unwrap().split(' ').next().unwrap();
    let node = format!("/alluxio-rs/{id}/epoch");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = &cluster.services.zookeeper;
    let client = runtime.block_on(zookeeper_client::Client::connect(address)).unwrap();
    runtime.block_on(client.set_data(&node, b"garbage", None)).unwrap();
    for master in &cluster.masters {
        wait_for("a word on the node", COMMAND_LIMIT, || {
            log(master).contains("is not an epoch node of ours").then_some(())
        });
    }
    runtime.block_on(client.delete(&node, None)).unwrap();
    cluster.fs(&["mkdir", "/after"]).expect_success();
    assert_eq!(cluster.names("/"), ["after", "before"]);
    for master in &cluster.masters {
        wait_for("both masters", COMMAND_LIMIT, || master.listens().then_some(()));
    }
}
