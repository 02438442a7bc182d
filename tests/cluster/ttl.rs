//! The time to live of files ends in a running cluster.

use crate::harness::{COMMAND_LIMIT, Cluster, Worker, wait_for};
use crate::own_shell::{Bed, CACHE_THROUGH};

/// In 2.9 the end of a time to live may free, in 1.2.0 it deletes.
const OF_2_9: &str = "-Dalluxio.compatibility=2.9";

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn files_whose_time_has_ended_are_deleted_or_freed() {
    let bed = Bed::up_with(2, &[("alluxio.master.ttl.checker.interval", "100ms")]);
    let cluster: &Cluster = &bed.cluster;
    let worker = Worker::new(cluster, "worker", "1GB");
    worker.start().expect_success();
    let source = bed.file(1_000_000);
    let source = source.to_str().unwrap();
    let fs = |words: &[&str]| cluster.fs(words).expect_success().stdout.clone();
    fs(&["copyFromLocal", source, "/only-here"]);
    for path in ["/in-ufs", "/freed", "/stays"] {
        fs(&[CACHE_THROUGH, "copyFromLocal", source, path]);
    }
    assert_eq!(worker.blocks().len(), 4);
    fs(&["setTtl", "/stays", "3600000"]);
    let said = fs(&["setTtl", "/only-here", "1"]);
    assert_eq!(said, "TTL of file '/only-here' was successfully set to 1 milliseconds.\n");
    fs(&["setTtl", "/in-ufs", "1"]);
    fs(&[OF_2_9, "setTtl", "--action", "free", "/freed", "1"]);
    wait_for("what is to be deleted to go", COMMAND_LIMIT, || (cluster.names("/") == ["freed", "stays"]).then_some(()));
    wait_for("the copies to go", COMMAND_LIMIT, || (worker.blocks().len() == 1).then_some(()));
    assert!(!bed.at("ufs/in-ufs").exists(), "it is deleted in the UFS, too");
    wait_for("the master to know it", COMMAND_LIMIT, || fs(&["ls", "/freed"]).contains("Not In Memory").then_some(()));
    let got = bed.at("got");
    fs(&["copyToLocal", "/freed", got.to_str().unwrap()]);
    assert_eq!(std::fs::read(source).unwrap(), std::fs::read(got).unwrap());
    assert!(fs(&["ls", "/stays"]).contains(" In Memory"));
}
