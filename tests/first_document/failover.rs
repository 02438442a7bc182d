//! How long the failover of `docs/walkthrough.md` takes for who types it: from the stop of the leader until `fs ls /` on
//! the other host lists the same, and the web pages there are shown.

use std::time::Duration;

use alluxio::types::time::boot_now;

use crate::cluster::Cluster;

const RUNS: usize = 10;
/// Far more than it takes here, far less than with an original.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
#[ignore = "needs root, Java and a package: scripts/test"]
fn the_failover_of_the_document_ten_times() {
    let cluster = Cluster::up();
    cluster.on("server08", "bin/alluxio format").expect_success();
    for host in ["server08", "server06"] {
        cluster.on(host, "bin/alluxio-start.sh master").expect_success();
    }
    cluster.on("server08", "bin/alluxio fs mkdir /test").expect_success();
    let listed = cluster.on("server08", "bin/alluxio fs ls /").expect_success().stdout.clone();

    let mut hosts = ["server08", "server06"];
    let mut waits = Vec::new();
    for _ in 0..RUNS {
        let [leader, other] = hosts;
        waits.push(failover(&cluster, leader, other, &listed));
        cluster.on(leader, "bin/alluxio-start.sh master").expect_success();
        assert!(cluster.refuses_web(leader), "{leader} comes back as the standby");
        hosts.reverse();
    }
    waits.sort_unstable();
    let (median, longest) = ((waits[RUNS / 2 - 1] + waits[RUNS / 2]) / 2, waits[RUNS - 1]);
    println!("median {:.2} s, longest {:.2} s of {RUNS} runs", median.as_secs_f64(), longest.as_secs_f64());
    assert!(longest < LIMIT, "{waits:?}");
}

/// Stops the leader, and waits for what the document looks at then.
fn failover(cluster: &Cluster, leader: &str, other: &str, listed: &str) -> Duration {
    let began = boot_now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            cluster.on(leader, "bin/alluxio-stop.sh master").expect_success();
            assert_eq!(cluster.on(other, "bin/alluxio fs ls /").expect_success().stdout, listed);
        });
        scope.spawn(|| cluster.wait_for_pages(other));
    });
    boot_now().since(began)
}
