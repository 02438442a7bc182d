//! The guide to a fault-tolerant cluster, typed word for word: hosts server03 to server08 in network namespaces of this
//! machine, with an sshd on each, ZooKeeper and HDFS on three of them, the package on the other three.
//!
//! Needs root, Java and the package, so a plain `cargo test` leaves it out; `scripts/test` runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cluster;
mod hosts;
#[path = "../harness/process.rs"]
#[allow(dead_code, reason = "the cluster tests use the rest")]
mod process;
mod services;

use cluster::{ALLUXIO_HOSTS, Cluster};

#[test]
#[ignore = "needs root, Java and a package: scripts/test"]
fn the_first_document_word_for_word() {
    let cluster = Cluster::up();
    cluster.on("server08", "bin/alluxio format").expect_success();
    cluster.on("server08", "bin/alluxio-start.sh master").expect_success();
    for host in ALLUXIO_HOSTS {
        cluster.on(host, "bin/alluxio-start.sh worker NoMount").expect_success();
        assert_eq!(cluster.workers(host), 1, "a worker on {host}");
    }
    let started = cluster.on("server06", "bin/alluxio-start.sh master");
    started.expect_success();
    assert!(started.stdout.starts_with("Starting master @ server06. "), "{started}");
    assert_eq!(cluster.on("server06", "bin/alluxio fs leader").stdout, "server08\n");

    let made = cluster.on("server08", "bin/alluxio fs mkdir /test");
    assert_eq!(made.expect_success().stdout, "Successfully created directory /test\n");
    let listed = cluster.on("server08", "bin/alluxio fs ls /");
    assert!(listed.expect_success().stdout.ends_with("  Directory      /test\n"), "{listed}");

    cluster.on("server08", "bin/alluxio-stop.sh master").expect_success();
    let again = cluster.on("server06", "bin/alluxio fs ls /");
    assert_eq!(again.expect_success().stdout, listed.stdout, "{again}");
    assert_eq!(cluster.on("server06", "bin/alluxio fs leader").stdout, "server06\n");

    cluster.on("server08", "bin/alluxio-start.sh master").expect_success();
    assert_eq!(cluster.on("server08", "bin/alluxio fs leader").stdout, "server06\n");
    cluster.on("server06", "bin/alluxio-stop.sh master").expect_success();
    let back = cluster.on("server08", "bin/alluxio fs ls /");
    assert_eq!(back.expect_success().stdout, listed.stdout, "{back}");
    assert_eq!(cluster.on("server08", "bin/alluxio fs leader").stdout, "server08\n");
}
