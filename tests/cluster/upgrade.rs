//! Masters of two versions in one election.

use std::collections::BTreeMap;

use alluxio::election::{Latch, ZookeeperLatch, ZookeeperSettings, new_incarnation};
use alluxio::journal::folder::hdfs::{HdfsSettings, HdfsStore};
use alluxio::journal::folder::{FEATURE_LEVEL, Format, JournalStore};

use crate::harness::{COMMAND_LIMIT, Cluster, wait_for};

const OF_2_9: &str = "-Dalluxio.compatibility=2.9";
const BRIEFLY: &str = "-Dalluxio.user.rpc.retry.max.duration=2s";

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_feature_level_is_raised_once_all_masters_know_it() {
    let cluster = Cluster::new(1, &[]);
    cluster.up();
    let (master, runtime) = (&cluster.masters[0], tokio::runtime::Runtime::new().unwrap());
    let property = |name: &str| master.alluxio(&["getConf", name]).expect_success().stdout.trim().to_owned();
    let folder = property("alluxio.master.journal.folder");
    let store = HdfsStore::new(HdfsSettings::parse(&folder, "root", &BTreeMap::new()).unwrap()).unwrap();
    let format = || runtime.block_on(store.read_format()).unwrap().unwrap();
    assert_eq!(format().feature_level, FEATURE_LEVEL, "a new journal is of the level of who formats it");

    // Another master, of which nothing is known but that it is in the election.
    let settings = ZookeeperSettings {
        election_path: Some(property("alluxio.zookeeper.election.path")),
        ..ZookeeperSettings::new(&cluster.services.zookeeper, &format().cluster_id, "127.0.2.9:1")
    };
    let other = ZookeeperLatch::new(settings, &new_incarnation()).unwrap();
    runtime.block_on(other.join()).unwrap();
    runtime.block_on(store.write_format(&Format { feature_level: 1, ..format() })).unwrap();
    let logged = |text: &str| master.log_tail().contains(text);
    wait_for("the primary to name it", COMMAND_LIMIT, || logged("127.0.2.9:1 (does not answer)").then_some(()));
    let set = || cluster.fs(&[OF_2_9, BRIEFLY, "setfacl", "-m", "user:u:rwx", "/"]);
    set().expect_refusal(&["needs feature level 2 of the journal, which has 1"]);
    cluster.fs(&["mkdir", "/all-else"]).expect_success();
    assert_eq!(format().feature_level, 1);

    runtime.block_on(other.leave());
    wait_for("the level", COMMAND_LIMIT, || (format().feature_level == FEATURE_LEVEL).then_some(()));
    wait_for("what it allows", COMMAND_LIMIT, || set().success().then_some(()));

    // Whoever does not know the level of a folder ends, also while it runs.
    let newer = Format { feature_level: FEATURE_LEVEL + 1, ..format() };
    runtime.block_on(store.write_format(&newer)).unwrap();
    wait_for("the master to say so", COMMAND_LIMIT, || logged("upgrade this master, too").then_some(()));
    wait_for("the master to end", COMMAND_LIMIT, || (!master.listens()).then_some(()));
    master.start().expect_refusal(&["feature level 3; this version knows layout 1 and feature levels up to 2"]);
}
