//! What cannot work is said on the terminal, with an exit code, without a panic and without a hang.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{COMMAND_LIMIT, Cluster, free_port, run};

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_master_does_not_start_on_a_taken_port() {
    let cluster = Cluster::new(1, &[]);
    cluster.format();
    let master = &cluster.masters[0];
    let _taken = TcpListener::bind((master.host.as_str(), master.port)).unwrap();
    master.start().expect_refusal(&[&master.port.to_string()]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_master_does_not_start_without_a_format() {
    let cluster = Cluster::new(1, &[]);
    cluster.masters[0].start().expect_refusal(&["journal", "alluxio format"]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_master_does_not_start_without_zookeeper() {
    let nowhere = format!("127.0.0.1:{}", free_port("127.0.0.1"));
    let cluster = Cluster::new(1, &[]);
    cluster.format();
    let option = format!("-Dalluxio.zookeeper.address={nowhere}");
    for (program, word) in [("bin/alluxio-start.sh", "master"), ("bin/alluxio", "format")] {
        let program = cluster.masters[0].home.join(program);
        run(&program, &[word], &[("ALLUXIO_JAVA_OPTS", &option)], COMMAND_LIMIT).expect_refusal(&[&nowhere]);
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_master_does_not_start_without_hdfs() {
    let nowhere = format!("127.0.0.1:{}", free_port("127.0.0.1"));
    let cluster = Cluster::new(1, &[("alluxio.master.journal.folder", &format!("hdfs://{nowhere}/journal"))]);
    cluster.masters[0].start().expect_refusal(&[&nowhere]);
    cluster.masters[0].alluxio(&["format"]).expect_refusal(&[&nowhere]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_client_without_masters_gives_up() {
    let cluster = Cluster::new(1, &[("alluxio.user.rpc.retry.max.duration", "2s")]);
    cluster.fs(&["ls", "/"]).expect_refusal(&[]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_journal_in_use_is_not_formatted() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    cluster.fs(&["mkdir", "/kept"]).expect_success();
    cluster.masters[1].alluxio(&["format"]).expect_refusal(&["journal"]);
    assert_eq!(cluster.names("/"), ["kept"]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_second_start_names_the_running_master() {
    let cluster = Cluster::new(1, &[]);
    cluster.up();
    cluster.masters[0].start().expect_refusal(&["already running"]);
    cluster.fs(&["mkdir", "/works"]).expect_success();
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_wrong_value_is_named_with_file_and_line() {
    let cluster = Cluster::new(1, &[("alluxio.zookeeper.session.timeout", "soon")]);
    let words = ["alluxio.zookeeper.session.timeout", "soon", "alluxio-site.properties:"];
    cluster.masters[0].start().expect_refusal(&words);
    cluster.fs(&["ls", "/"]).expect_refusal(&words);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_folder_of_logs_that_cannot_be_written_is_named() {
    let cluster = Cluster::new(1, &[]);
    let home = &cluster.masters[0].home;
    if rustix::process::geteuid().is_root() {
        // Nothing is forbidden to root; a file in the place of the folder stops it as well.
        fs::write(home.join("logs"), "").unwrap();
    } else {
        fs::create_dir(home.join("logs")).unwrap();
        fs::set_permissions(home.join("logs"), fs::Permissions::from_mode(0o500)).unwrap();
    }
    cluster.masters[0].start().expect_refusal(&["logs"]);
}

/// A journal folder of another user on HDFS: the NameNode refuses, and its reason is shown.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_journal_folder_without_permission_is_named() {
    let cluster = Cluster::new(1, &[]);
    cluster.services.testbed(&["hdfs", "-mkdir", "-p", "/forbidden"]);
    let folder = format!("{}/forbidden/journal", cluster.services.hdfs);
    let option = format!("-Dalluxio.master.journal.folder={folder}");
    let words = ["format", &option];
    let program = cluster.masters[0].home.join("bin/alluxio");
    let outcome = run(&program, &words, &[("HADOOP_USER_NAME", "nobody")], COMMAND_LIMIT);
    outcome.expect_refusal(&["/forbidden"]);
}

/// A master that may read the journal and not write it would win elections, and nobody could lead.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_master_that_may_not_write_the_journal_does_not_start() {
    let cluster = Cluster::new(2, &[]);
    cluster.format();
    let program = cluster.masters[1].home.join("bin/alluxio-start.sh");
    let start = |environment: &[(&str, &str)]| run(&program, &["master"], environment, COMMAND_LIMIT);
    start(&[("HADOOP_USER_NAME", "nobody")]).expect_refusal(&["cannot write to the journal folder", "ermission"]);
    let option = "-Dalluxio.master.journal.hdfs.replication=9999";
    start(&[("ALLUXIO_JAVA_OPTS", option)]).expect_refusal(&["cannot write to the journal folder", "9999"]);
    start(&[]).expect_success();
    cluster.fs(&["mkdir", "/works"]).expect_success();
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_host_name_that_leads_nowhere_is_refused() {
    for (host, words) in [
        ("no such host", ["alluxio.master.hostname", "host name"]),
        ("127.0.0.1:19998", ["alluxio.master.hostname", "without a port"]),
        ("nosuch.invalid", ["nosuch.invalid", "ALLUXIO_MASTER_HOSTNAME"]),
        ("0.0.0.0", ["stands for all addresses", "ALLUXIO_MASTER_HOSTNAME"]),
    ] {
        let cluster = Cluster::new(1, &[]);
        cluster.format();
        let program = cluster.masters[0].home.join("bin/alluxio-start.sh");
        let environment = [("ALLUXIO_MASTER_HOSTNAME", host)];
        run(&program, &["master"], &environment, COMMAND_LIMIT).expect_refusal(&words);
    }
}
