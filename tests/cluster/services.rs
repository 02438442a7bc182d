//! The services themselves fail while masters run.

use crate::harness::{COMMAND_LIMIT, Cluster, wait_for};

/// ZooKeeper is away: no lease, no answer. It comes back: answers, and nothing is lost.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn without_zookeeper_nothing_is_answered() {
    let cluster = Cluster::new(2, &[("alluxio.user.rpc.retry.max.duration", "20s")]);
    cluster.up();
    let leader = cluster.leader();
    cluster.fs(&["mkdir", "/before"]).expect_success();

    cluster.services.each_zookeeper("kill");
    let at_leader = || cluster.start_fs_at(&cluster.masters[leader], &["ls", "/"]).wait(COMMAND_LIMIT);
    wait_for("the lease to end", COMMAND_LIMIT, || (!at_leader().success()).then_some(()));
    assert!(!at_leader().success(), "once silent, it stays so");
    cluster.services.each_zookeeper("start");

    wait_for("answers again", COMMAND_LIMIT, || cluster.fs(&["ls", "/"]).success().then_some(()));
    assert_eq!(cluster.names("/"), ["before"]);
    cluster.fs(&["mkdir", "/after"]).expect_success();
}

/// The only DataNode restarts: the pipeline of the journal breaks, the writer begins a new segment.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_restarted_datanode_loses_nothing() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    cluster.fs(&["mkdir", "/before"]).expect_success();
    cluster.services.testbed(&["kill", "datanode", "1"]);
    cluster.services.testbed(&["start", "datanode", "1"]);
    cluster.fs(&["mkdir", "/after"]).expect_success();
    assert_eq!(cluster.names("/"), ["after", "before"]);
    let leader = cluster.leader();
    cluster.masters[leader].stop().expect_success();
    assert_eq!(cluster.names("/"), ["after", "before"]);
}

/// Flushes need no NameNode, so its restart is not even felt by writers.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_restarted_namenode_loses_nothing() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    cluster.fs(&["mkdir", "/before"]).expect_success();
    cluster.services.testbed(&["kill", "namenode"]);
    cluster.fs(&["mkdir", "/during"]).expect_success();
    cluster.services.testbed(&["start", "namenode"]);
    cluster.fs(&["mkdir", "/after"]).expect_success();
    let leader = cluster.leader();
    cluster.masters[leader].stop().expect_success();
    assert_eq!(cluster.names("/"), ["after", "before", "during"]);
}
