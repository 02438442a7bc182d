//! What is done to a journal on HDFS while no master runs, and masters that start on the outcome.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use crate::harness::{COMMAND_LIMIT, Cluster, Master, Outcome, wait_for};
use crate::load::under_load;

fn make(cluster: &Cluster, names: &[String]) {
    for name in names {
        cluster.fs(&["mkdir", &format!("/{name}")]).expect_success();
    }
}

fn names() -> Vec<String> {
    (0..10).map(|n| format!("d{n}")).collect()
}

fn journal(master: &Master) -> String {
    master.alluxio(&["getConf", "alluxio.master.journal.folder"]).expect_success().stdout.trim().to_owned()
}

/// What a command says behind a label.
fn told(said: &Outcome, label: &str) -> String {
    let line = said.expect_success().stdout.lines().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label}: {said}")).to_owned()
}

/// The segment that the newest record is in.
fn newest_segment(master: &Master) -> String {
    let records = master.alluxio(&["journal", "read", "--json"]);
    let record: serde_json::Value =
        serde_json::from_str(records.expect_success().stdout.lines().last().unwrap()).unwrap();
    record["segment"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_damaged_journal_on_hdfs_is_repaired_and_served() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    make(&cluster, &names());
    let leader = cluster.leader();
    let master = &cluster.masters[leader];
    master.alluxio(&["journal", "verify"]).expect_success();
    master.alluxio(&["journal", "repair", "--yes"]).expect_refusal(&["the journal is in use by"]);
    // The standby first: it would take over, and the newest segment would hold none of the names.
    for stopped in [1 - leader, leader] {
        cluster.masters[stopped].stop().expect_success();
    }
    master.alluxio(&["journal", "repair", "--yes"]).expect_refusal(&["there is nothing to repair"]);

    let segment = format!("{}/{}", journal(master), newest_segment(master));
    let local = master.home.join("segment");
    let local_name = local.to_str().unwrap();
    cluster.services.testbed(&["hdfs", "-get", &segment, local_name]);
    let mut bytes = fs::read(&local).unwrap();
    let middle = bytes.len() * 2 / 3;
    bytes[middle] ^= 1;
    fs::write(&local, &bytes).unwrap();
    cluster.services.testbed(&["hdfs", "-rm", &segment]);
    cluster.services.testbed(&["hdfs", "-put", local_name, &segment]);
    master.alluxio(&["journal", "verify"]).expect_refusal(&["damaged at byte"]);

    let repaired = master.alluxio(&["journal", "repair", "--yes"]);
    assert!(repaired.expect_success().stdout.contains("Lost: records "), "{repaired}");
    assert!(repaired.stdout.ends_with("The journal is whole.\n"), "{repaired}");
    cluster.services.testbed(&["hdfs", "-test", "-d", &format!("{}/damaged-*/epochs", journal(master))]);
    for master in &cluster.masters {
        master.start().expect_success();
    }
    cluster.leader();
    let served = cluster.names("/");
    assert!((1..10).contains(&served.len()) && served == names()[..served.len()], "{served:?}");
    make(&cluster, &["after".to_owned()]);
    master.alluxio(&["journal", "verify"]).expect_success();
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_local_journal_moves_to_hdfs_and_is_served_by_elected_masters() {
    let cluster = Cluster::alone(&[]);
    let master = &cluster.masters[0];
    cluster.format();
    master.start().expect_success();
    make(&cluster, &names());
    master.stop().expect_success();
    let (from, services) = (journal(master), &cluster.services);
    let name = master.home.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let to = format!("{}/{name}/journal", services.hdfs);
    let elected = [
        ("alluxio.zookeeper.enabled", "true".to_owned()),
        ("alluxio.zookeeper.address", services.zookeeper.clone()),
        ("alluxio.zookeeper.election.path", format!("/{name}/election")),
        ("alluxio.zookeeper.leader.path", format!("/{name}/leader")),
        ("alluxio.master.journal.folder", to.clone()),
    ];
    let site = master.home.join("conf/alluxio-site.properties");
    let before = fs::read_to_string(&site).unwrap();
    let kept = before.lines().filter(|line| elected.iter().all(|(key, _)| !line.starts_with(key)));
    let set = elected.iter().map(|(key, value)| format!("{key}={value}"));
    fs::write(&site, kept.map(str::to_owned).chain(set).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let copied = master.alluxio(&["journal", "copy", &from, &to]);
    assert!(copied.expect_success().stdout.contains(&format!("alluxio.master.journal.folder={to}\n")), "{copied}");
    master.alluxio(&["journal", "copy", &from, &to]).expect_refusal(&["holds a journal already"]);
    master.alluxio(&["journal", "verify"]).expect_success();
    master.start().expect_success();
    let listed = master.alluxio(&["fs", "ls", "/"]).expect_success().stdout.clone();
    assert!(names().iter().all(|name| listed.contains(&format!("/{name}"))), "{listed}");
    master.alluxio(&["fs", "mkdir", "/after"]).expect_success();
    master.stop().expect_success();
    // And back, with what was made since.
    let back = master.home.join("back").display().to_string();
    master.alluxio(&["journal", "copy", &to, &back]).expect_success();
    fs::write(&site, before.replace(&from, &back)).unwrap();
    master.start().expect_success();
    let listed = cluster.fs(&["ls", "/"]).expect_success().stdout.clone();
    assert!(listed.contains("/after") && listed.contains("/d9"), "{listed}");
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_standby_makes_the_backup_and_it_has_all_that_was_answered() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let leader = cluster.leader();
    let (primary, standby) = (&cluster.masters[leader], &cluster.masters[1 - leader]);
    make(&cluster, &names());
    let folder = format!("{}/backups", journal(primary));
    for (words, host) in [(&[][..], &standby.host), (&["--bypass-delegation"], &primary.host)] {
        let made = primary.alluxio(&[&["fsadmin", "backup", &folder], words].concat());
        assert_eq!(told(&made, "Backup Host        : "), *host, "{made}");
        let uri = told(&made, "Backup URI         : ");
        let read = primary.alluxio(&["journal", "import", &uri, "--dry-run"]);
        assert!(read.stdout.contains("11 directories"), "{read}");
    }
    let exported = format!("{}-exported", journal(primary));
    primary.alluxio(&["journal", "export", &exported]).expect_success();
    let read = primary.alluxio(&["journal", "import", &exported, "--dry-run"]);
    assert!(read.stdout.contains("11 directories"), "{read}");
}

/// What is restored from it is the namespace as the journal had it at one record, behind all that had been answered.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_backup_under_load_is_the_journal_up_to_one_record() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let primary = &cluster.masters[cluster.leader()];
    make(&cluster, &["load".to_owned()]);
    let folder = format!("{}/backups", journal(primary));
    let answered = Mutex::new(BTreeSet::new());
    let count = || answered.lock().unwrap().len();
    let make_and_move = |client, n| {
        let (name, moved) = (format!("/load/{client}-{n}"), format!("/load/{client}-{n}-moved"));
        cluster.fs(&["mkdir", &name]).expect_success();
        cluster.fs(&["mv", &name, &moved]).expect_success();
        answered.lock().unwrap().insert(moved);
    };
    let (before, made) = under_load(make_and_move, || {
        wait_for("answers before", COMMAND_LIMIT, || (count() >= 10).then_some(()));
        let before = answered.lock().unwrap().clone();
        let made = primary.alluxio(&["fsadmin", "backup", &folder]);
        let at = count();
        wait_for("answers after", COMMAND_LIMIT, || (count() >= at + 5).then_some(()));
        (before, made)
    });

    let uri = told(&made, "Backup URI         : ");
    let restored = Cluster::alone(&[("alluxio.master.journal.init.from.backup", &uri)]);
    restored.format();
    restored.masters[0].start().expect_success();
    let there: BTreeSet<String> = restored.names("/load").into_iter().map(|name| format!("/load/{name}")).collect();
    assert!(before.is_subset(&there), "answered before the backup, and not in it: {:?}", before.difference(&there));
    let records = primary.alluxio(&["journal", "read", "--json"]);
    let mut at_record = BTreeSet::new();
    let is_the_backup = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        for entry in record["entries"].as_array().unwrap() {
            let path = |kind: &str, field: &str| entry[kind][field].as_str().map(str::to_owned);
            at_record.extend(path("InodeDirectory", "path").filter(|path| path.starts_with("/load/")));
            if let (Some(old), Some(new)) = (path("Rename", "path"), path("Rename", "new_path")) {
                at_record.remove(&old);
                at_record.insert(new);
            }
        }
        at_record == there
    };
    let found = records.expect_success().stdout.lines().any(is_the_backup);
    assert!(found, "the journal had at no record what is restored: {there:?}\n{records}");
}
