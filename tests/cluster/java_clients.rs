//! The unmodified Alluxio 2.9.6 Java client, and `hadoop fs` over it. What they must print was recorded from
//! original 2.9.6 masters (`scripts/testbed up --alluxio-java 2`).

use crate::harness::{COMMAND_LIMIT, Cluster, Outcome, Worker, run, wait_for};
use crate::java::{java, start_java};
use crate::own_shell::Bed;

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn each_operation_answers_as_the_original_does() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let who = |option| run("id".as_ref(), &[option], &[], COMMAND_LIMIT).stdout.trim().to_owned();
    let recorded = include_str!("../data/java-client-steps.txt");
    let expected = recorded.replace("<user>", &who("-un")).replace("<group>", &who("-gn"));
    let outcome = java(&cluster, &["steps", "/probe"]);
    outcome.expect_success();
    for (ours, original) in outcome.stdout.lines().zip(expected.lines()) {
        assert_eq!(ours, original);
    }
    assert_eq!(outcome.stdout.lines().count(), expected.lines().count(), "{outcome}");
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn hadoop_fs_makes_lists_moves_and_removes() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let root = format!("alluxio://zk@{}", cluster.services.zookeeper);
    let hadoop = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| word.replace("ROOT", &root)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        java(&cluster, &[&["hadoop-fs"], words.as_slice()].concat())
    };
    let paths = |outcome: &Outcome| -> Vec<String> {
        let last = outcome.stdout.lines().filter_map(|line| line.split_whitespace().last());
        last.filter_map(|word| word.strip_prefix(&root)).map(str::to_owned).collect()
    };
    hadoop(&["-mkdir", "-p", "ROOT/h/x/y"]).expect_success();
    hadoop(&["-touchz", "ROOT/h/f"]).expect_success();
    assert_eq!(paths(hadoop(&["-ls", "ROOT/h"]).expect_success()), ["/h/f", "/h/x"]);
    hadoop(&["-mv", "ROOT/h/x", "ROOT/h/z"]).expect_success();
    assert_eq!(paths(hadoop(&["-ls", "-R", "ROOT/h"]).expect_success()), ["/h/f", "/h/z", "/h/z/y"]);
    hadoop(&["-mkdir", "ROOT/h/z"]).expect_refusal(&["File exists"]);
    hadoop(&["-rm", "-r", "ROOT/h"]).expect_success();
    hadoop(&["-ls", "ROOT/h"]).expect_refusal(&["No such file or directory"]);
}

/// The client waits and tries again by itself: its program sees no error when the leader is stopped.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_java_client_sees_no_error_when_the_leader_stops() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let leader = cluster.leader();
    let client = start_java(&cluster, &["loop", "/loop", "60"]);
    let lines = || client.output().lines().count();
    wait_for("answers before", COMMAND_LIMIT, || (lines() >= 20).then_some(()));
    cluster.masters[leader].stop().expect_success();
    let before = lines();
    wait_for("answers after", COMMAND_LIMIT, || (lines() >= before + 20).then_some(()));
    let output = client.interrupt();
    let there = cluster.names("/loop");
    for line in output.lines() {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[0], "ok", "{line}");
        assert!(there.iter().any(|name| name == words[1]), "answered and lost: {line}");
    }
}

/// `alluxio.cli.TestRunner` of 2.9.6: files written and read back in each way that there is.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_end_to_end_tests_of_2_9_pass() {
    let bed = Bed::up(2);
    let worker = Worker::new(&bed.cluster, "worker", "1GB");
    worker.start().expect_success();
    let outcome = java(&bed.cluster, &["run-tests"]);
    let said = &outcome.expect_success().stdout;
    assert_eq!(said.matches("runTest --operation BASIC").count(), 24, "{outcome}");
    assert_eq!(said.matches("Passed the test!").count(), 24, "{outcome}");
}
