//! What keeps a command from one host is said of that host, with the reason and what to do; the others go on.

use std::fs;
use std::time::Duration;

use crate::cluster::{ALLUXIO_HOSTS, Cluster};
use crate::hosts::Link;
use crate::process::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

/// What `alluxio-start.sh workers` on server08 says when one host fails, and the others start.
fn start_workers_without(cluster: &Cluster, failing: &str, reasons: &[&str]) {
    let started = cluster.on("server08", "bin/alluxio-start.sh workers NoMount");
    started.expect_refusal(reasons);
    let complaints: Vec<&str> = started.stderr.lines().filter(|line| line.starts_with("server")).collect();
    assert!(matches!(complaints[..], [line] if line.starts_with(&format!("{failing}: "))), "{started}");
    for host in ALLUXIO_HOSTS {
        assert_eq!(cluster.running(host)[1], usize::from(host != failing), "{host}: {started}");
    }
    let stopped = cluster.on("server08", "bin/alluxio-stop.sh workers");
    assert_eq!(
        stopped.success(),
        !reasons.contains(&"ssh"),
        "what ssh keeps from starting it keeps from stopping: {stopped}"
    );
    for host in ALLUXIO_HOSTS {
        assert_eq!(cluster.running(host)[1], 0, "{host}: {stopped}");
    }
}

#[test]
#[ignore = "needs root, Java and a package: scripts/test"]
fn a_host_that_fails_is_named_and_the_others_go_on() {
    let cluster = Cluster::up();
    cluster.on("server08", "bin/alluxio format").expect_success();
    cluster.on("server08", "bin/alluxio-start.sh master").expect_success();

    a_host_is_down(&cluster);
    a_host_dies_in_the_midst_of_its_task(&cluster);
    a_host_does_not_let_us_in(&cluster);
    a_name_is_wrong(&cluster);
    a_disk_is_full(&cluster);
    the_memory_for_blocks_is_no_folder(&cluster);
    the_log_of_the_tasks_cannot_be_written(&cluster);
    a_format_without_one_host(&cluster);

    // All is well again.
    let started = cluster.on("server08", "bin/alluxio-start.sh workers NoMount");
    started.expect_success();
    assert_eq!(ALLUXIO_HOSTS.map(|host| cluster.running(host)[1]), [1, 1, 1], "{started}");

    the_leader_loses_its_network(&cluster);
}

/// Not a stop and not a crash: the leader lives on, and cannot know that others have taken over.
fn the_leader_loses_its_network(cluster: &Cluster) {
    cluster.on("server06", "bin/alluxio-start.sh master").expect_success();
    cluster.on("server06", "bin/alluxio fs mkdir /before").expect_success();
    cluster.network.link("server08", Link::Down);
    cluster.wait_for_pages("server06");
    cluster.on("server06", "bin/alluxio fs mkdir /after").expect_success();
    cluster.network.link("server08", Link::Up);
    wait_for("server08 to be a standby", LIMIT, || {
        let leader = cluster.on("server08", "bin/alluxio fs leader").stdout;
        (leader == "server06\n" && cluster.refuses_web("server08")).then_some(())
    });
    let listed = cluster.on("server08", "bin/alluxio fs ls /");
    let paths: Vec<_> = listed.stdout.lines().filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(paths, ["/after", "/before"], "{listed}");
}

fn a_host_is_down(cluster: &Cluster) {
    cluster.network.link("server07", Link::Down);
    start_workers_without(cluster, "server07", &["ssh", "connect to host server07", "is the host up"]);
    cluster.network.link("server07", Link::Up);
}

/// Nobody waits for ever for a host that says nothing more.
fn a_host_dies_in_the_midst_of_its_task(cluster: &Cluster) {
    let task = "bin/alluxio-workers.sh bash -c 'touch /run/begun; test $(uname -n) != server07 || sleep 600'";
    let outcome = std::thread::scope(|scope| {
        let typed = scope.spawn(|| cluster.on("server08", task));
        let begun = || cluster.on("server07", "rm /run/begun").success().then_some(());
        wait_for("server07 to be at its task", LIMIT, begun);
        cluster.network.link("server07", Link::Down);
        typed.join().unwrap()
    });
    cluster.network.link("server07", Link::Up);
    outcome.expect_refusal(&[
        "server07: failed with exit code 255: Timeout, server server07 not responding. (is the host up",
    ]);
    assert_eq!(outcome.stderr.lines().count(), 1, "the others have ended well: {outcome}");
}

fn a_host_does_not_let_us_in(cluster: &Cluster) {
    cluster.on("server07", "mv ~/.ssh/authorized_keys ~/.ssh/away").expect_success();
    start_workers_without(cluster, "server07", &["ssh", "Permission denied", "ssh-copy-id server07"]);
    cluster.on("server07", "mv ~/.ssh/away ~/.ssh/authorized_keys").expect_success();
}

fn a_name_is_wrong(cluster: &Cluster) {
    let workers =
        cluster.network.folder.join("server08/opt").join(cluster.home.file_name().unwrap()).join("conf/workers");
    let right = fs::read_to_string(&workers).unwrap();
    fs::write(&workers, format!("{right}server99 # no such host\n")).unwrap();
    start_workers_without(cluster, "server99", &["ssh", "Could not resolve hostname", "conf/workers"]);
    fs::write(&workers, right).unwrap();
}

fn a_disk_is_full(cluster: &Cluster) {
    let fill = "mkdir -p logs && mount -t tmpfs -o size=16k tmpfs logs && ! head -c 1M /dev/zero 2>/dev/null >logs/big";
    cluster.on("server07", fill).expect_success();
    start_workers_without(cluster, "server07", &["No space left on device"]);
    cluster.on("server07", "umount logs").expect_success();
}

/// The disk of the host where a command is typed is full: what the others say is lost, and nothing else.
fn the_log_of_the_tasks_cannot_be_written(cluster: &Cluster) {
    let fill = "mount -t tmpfs -o size=16k tmpfs logs && ! head -c 1M /dev/zero 2>/dev/null >logs/big";
    let line = format!("cp conf/workers conf/all && echo server07 >conf/workers && {fill}");
    cluster.on("server08", &line).expect_success();
    let started = cluster.on("server08", "bin/alluxio-start.sh workers NoMount");
    let (stdout, home) = (started.expect_success().stdout.clone(), cluster.home.display());
    assert_eq!(
        started.stderr,
        format!("cannot write {home}/logs/task.log: No space left on device; the output of the hosts is lost.\n")
    );
    assert!(stdout.starts_with("Waiting for MASTER tasks"), "{started}");
    assert_eq!(cluster.running("server07")[1], 1, "{started}");
    cluster.on("server08", "bin/alluxio-stop.sh workers").expect_success();
    assert_eq!(cluster.running("server07")[1], 0);
    cluster.on("server08", "umount logs && mv conf/all conf/workers").expect_success();
}

fn a_format_without_one_host(cluster: &Cluster) {
    cluster.on("server08", "bin/alluxio-stop.sh master").expect_success();
    cluster.network.link("server07", Link::Down);
    let formatted = cluster.on("server08", "bin/alluxio format");
    cluster.network.link("server07", Link::Up);
    formatted.expect_refusal(&["server07: failed with exit code 255: ssh: connect to host server07", "is the host up"]);
    assert!(formatted.stdout.ends_with("Formatting Alluxio Master @ server08\n"), "{formatted}");
    assert_eq!(formatted.stderr.lines().count(), 1, "{formatted}");
    cluster.on("server08", "bin/alluxio-start.sh master").expect_success();
}

fn the_memory_for_blocks_is_no_folder(cluster: &Cluster) {
    cluster
        .on("server07", "echo ALLUXIO_RAM_FOLDER=/dev/shm/file >>conf/alluxio-env.sh; >/dev/shm/file")
        .expect_success();
    start_workers_without(cluster, "server07", &["/dev/shm/file"]);
    cluster.on("server07", "sed -i '$d' conf/alluxio-env.sh; rm /dev/shm/file").expect_success();
}
