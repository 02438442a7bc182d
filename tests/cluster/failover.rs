//! The leader ends, is killed, or is paused, and the other goes on with all that was answered.

use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{COMMAND_LIMIT, Cluster, Running, wait_for};
use crate::load::under_load;

/// The walkthrough of the README.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn two_masters_take_turns() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let first = cluster.leader();
    let second = 1 - first;
    cluster.fs(&["mkdir", "/test"]).expect_success();
    assert_eq!(cluster.names("/"), ["test"]);

    cluster.masters[first].stop().expect_success();
    assert_eq!(cluster.names("/"), ["test"]);
    assert_eq!(cluster.leader(), second);
    cluster.fs(&["mkdir", "/test2"]).expect_success();

    cluster.masters[first].start().expect_success();
    wait_for("the old leader to listen", COMMAND_LIMIT, || cluster.masters[first].listens().then_some(()));
    assert_eq!(cluster.leader(), second, "who comes back stays standby");

    cluster.masters[second].signal(Signal::KILL);
    assert_eq!(cluster.names("/"), ["test", "test2"]);
    assert_eq!(cluster.leader(), first);
    cluster.fs(&["mkdir", "/test3"]).expect_success();
    assert_eq!(cluster.names("/"), ["test", "test2", "test3"]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_was_answered_outlives_a_stop_under_load() {
    answered_outlives(|cluster, leader| {
        cluster.masters[leader].stop().expect_success();
    });
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_was_answered_outlives_kill_9_under_load() {
    answered_outlives(|cluster, leader| cluster.masters[leader].signal(Signal::KILL));
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_was_answered_outlives_the_death_of_master_and_guardian() {
    answered_outlives(|cluster, leader| cluster.masters[leader].kill_with_guardian());
}

/// Several clients make directories one after another while the leader goes; every one that was answered is there
/// afterwards, and each client got an answer from the new leader.
fn answered_outlives(end_the_leader: impl Fn(&Cluster, usize)) {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let leader = cluster.leader();
    cluster.fs(&["mkdir", "/load"]).expect_success();

    let answered = Mutex::new(Vec::new());
    let count = || answered.lock().unwrap().len();
    let make = |client, n| {
        let name = format!("{client}-{n}");
        if cluster.fs(&["mkdir", &format!("/load/{name}")]).success() {
            answered.lock().unwrap().push(name);
        }
    };
    under_load(make, || {
        wait_for("answers before", COMMAND_LIMIT, || (count() >= 20).then_some(()));
        end_the_leader(&cluster, leader);
        let before = count();
        wait_for("answers after", COMMAND_LIMIT, || (count() >= before + 20).then_some(()));
    });
    let there = cluster.names("/load");
    let lost: Vec<_> = answered.into_inner().unwrap().into_iter().filter(|name| !there.contains(name)).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
}

/// Who listens at the dead leader's address is not taken for it: nobody waits for the session of the dead one to end.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_leader_that_is_started_again_at_once_keeps_nobody_waiting_for_its_session() {
    let cluster = Cluster::new(2, &[("alluxio.zookeeper.session.timeout", "40s")]);
    cluster.up();
    let old = cluster.leader();
    cluster.fs(&["mkdir", "/before"]).expect_success();

    cluster.masters[old].kill_with_guardian();
    cluster.masters[old].start().expect_success();
    let limit = Duration::from_secs(25); // well before the session ends
    wait_for("the standby to lead", limit, || (cluster.leader_now() == Some(1 - old)).then_some(()));
    assert_eq!(cluster.names("/"), ["before"]);
    wait_for("the old leader to listen", COMMAND_LIMIT, || cluster.masters[old].listens().then_some(()));
}

/// Requests that reach a leader while it is paused, and are read when another leads, get no answer from it.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_leader_paused_past_its_session_answers_nothing() {
    let cluster = Cluster::new(2, &[("alluxio.zookeeper.session.timeout", "6s")]);
    cluster.up();
    let old = cluster.leader();
    cluster.fs(&["mkdir", "/before"]).expect_success();

    cluster.masters[old].signal(Signal::STOP);
    cluster.fs(&["mkdir", "/during"]).expect_success();
    assert_eq!(cluster.leader(), 1 - old);

    let paused = &cluster.masters[old];
    let writes = (0..4).map(|n| cluster.start_fs_at(paused, &["mkdir", &format!("/late-{n}")]));
    let reads = (0..4).map(|_| cluster.start_fs_at(paused, &["ls", "/"]));
    let late: Vec<Running> = writes.chain(reads).collect();
    wait_for("requests at the paused master", COMMAND_LIMIT, || (paused.unread_bytes() > 0).then_some(()));
    paused.signal(Signal::CONT);
    for request in late {
        let outcome = request.wait(COMMAND_LIMIT);
        assert!(!outcome.success(), "answered by a leader that was paused past its session: {outcome}");
        assert!(!outcome.stdout.contains("before"), "read from a leader that was paused: {outcome}");
    }
    assert_eq!(cluster.names("/"), ["before", "during"]);

    // It comes back as a standby, and can lead again.
    wait_for("the paused master to listen", COMMAND_LIMIT, || paused.listens().then_some(()));
    cluster.masters[1 - old].stop().expect_success();
    assert_eq!(cluster.names("/"), ["before", "during"]);
    assert_eq!(cluster.leader(), old);
}

/// A pause that is shorter than the lease harms nobody.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_short_pause_changes_no_leader() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let leader = cluster.leader();
    cluster.masters[leader].signal(Signal::STOP);
    let request = cluster.start_fs(&["mkdir", "/paused"]);
    let paused = &cluster.masters[leader];
    wait_for("a request at the paused master", Duration::from_secs(1), || (paused.unread_bytes() > 0).then_some(()));
    paused.signal(Signal::CONT);
    request.wait(COMMAND_LIMIT).expect_success();
    assert_eq!(cluster.leader(), leader);
}
