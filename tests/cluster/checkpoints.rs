//! Checkpoints while masters serve, and a journal that does not grow for ever.

use std::fs;
use std::path::Path;

use crate::harness::{COMMAND_LIMIT, Cluster, Master, start, wait_for};

/// Small segments, and a checkpoint after a few entries.
const SETTINGS: &[(&str, &str)] = &[
    ("alluxio.master.journal.checkpoint.period.entries", "300"),
    ("alluxio.master.journal.log.size.bytes.max", "64KB"),
];

/// Makes so many directories and gives their names.
fn make(cluster: &Cluster, from: usize, to: usize) -> Vec<String> {
    let names: Vec<String> = (from..to).map(|number| format!("d{number:05}")).collect();
    for names in names.chunks(100) {
        let paths: Vec<String> = names.iter().map(|name| format!("/{name}")).collect();
        let words: Vec<&str> = std::iter::once("mkdir").chain(paths.iter().map(String::as_str)).collect();
        cluster.fs(&words).expect_success();
    }
    names
}

fn log(master: &Master) -> String {
    fs::read_to_string(master.home.join("logs/master.log")).unwrap()
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path().display().to_string());
        }
    }
    files
}

/// The number of a segment within its epoch.
fn index_of(file: &str) -> Option<u32> {
    file.strip_suffix(".log")?.rsplit('/').next()?.parse().ok()
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_lone_master_writes_checkpoints_while_it_serves_and_its_journal_stays_small() {
    let cluster = Cluster::alone(SETTINGS);
    cluster.up();
    let site = fs::read_to_string(cluster.masters[0].home.join("conf/alluxio-site.properties")).unwrap();
    let journal = site.lines().find_map(|line| line.strip_prefix("alluxio.master.journal.folder=")).unwrap();
    let mut names = make(&cluster, 0, 5000);
    let asked = start(&cluster.shell(), &["fsadmin", "journal", "checkpoint"], &[]).wait(COMMAND_LIMIT);
    assert_eq!(asked.expect_success().stdout, "Successfully took a checkpoint on master 127.0.2.1\n");
    wait_for("the journal to be collected", COMMAND_LIMIT, || {
        let files = files_below(Path::new(journal));
        let count = |end: &str| files.iter().filter(|file| file.ends_with(end)).count();
        (count(".ckpt") == 2 && count(".log") < 8).then_some(())
    });
    let newest = files_below(Path::new(journal)).iter().filter_map(|file| index_of(file)).max();
    assert!(newest > Some(12), "so many were made: {newest:?}");
    names.extend(make(&cluster, 5000, 5010));
    cluster.masters[0].kill_with_guardian();
    cluster.masters[0].start().expect_success();
    cluster.leader();
    assert_eq!(cluster.names("/"), names);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_standby_writes_them_and_a_later_leader_begins_with_one() {
    let cluster = Cluster::new(2, SETTINGS);
    cluster.up();
    let leader = cluster.leader();
    let names = make(&cluster, 0, 2000);
    let standby = &cluster.masters[1 - leader];
    wait_for("a collection by the standby", COMMAND_LIMIT, || {
        let collected = log(standby).lines().any(|line| line.contains("collected") && !line.contains("segments=0"));
        collected.then_some(())
    });
    let written = |master: &Master| log(master).matches("checkpoint stands").count();
    let (by_standby, by_primary) = (written(standby), written(&cluster.masters[leader]));
    assert!(by_standby > 2 * by_primary, "the primary mostly leaves it to the standby: {by_primary} of {by_standby}");
    let asked = start(&cluster.shell(), &["fsadmin", "journal", "checkpoint"], &[]).wait(COMMAND_LIMIT);
    let host = &cluster.masters[leader].host;
    assert_eq!(asked.expect_success().stdout, format!("Successfully took a checkpoint on master {host}\n"));
    cluster.masters[leader].kill_with_guardian();
    wait_for("the next leader", COMMAND_LIMIT, || (cluster.leader() == 1 - leader).then_some(()));
    assert_eq!(cluster.names("/"), names);
    cluster.masters[leader].start().expect_success();
    let log = log(&cluster.masters[leader]);
    let loaded = log.lines().rev().find(|line| line.contains("loaded cluster=")).unwrap();
    assert!(!loaded.contains("position=0-"), "from a checkpoint: {loaded}");
    assert_eq!(cluster.names("/"), names);
}
