//! `alluxio-start.sh` and `alluxio-stop.sh`: which servers they start and stop, where, and what they say.

use crate::installation::{Installation, Outcome, outcome};

const START_USAGE: &str = include_str!("../data/launchers/start-usage.txt");
const STOP_USAGE: &str = include_str!("../data/launchers/stop-usage.txt");

/// What `alluxio-stop.sh all` says.
const STOPPED: &str = "arguments: process stop master\narguments: process stop worker\n\
                       Waiting for WORKERS tasks to finish...\n\
                       All WORKERS tasks finished, please analyze the log at H/logs/task.log.\n";
/// What a start on other hosts says.
const ON_WORKERS: &str = "Waiting for MASTER tasks to finish...\n\
                          All MASTER tasks finished, please analyze the log at H/logs/task.log.\n";
const MASTER: &str = "Starting master @ localhost. Logging to H/logs\narguments: process start master\n";

/// An installation whose worker has its blocks in memory, and whose workers are on `hosts`.
fn installed(hosts: &str) -> Installation {
    let installed = Installation::new();
    installed.write("conf/alluxio-env.sh", "ALLUXIO_RAM_FOLDER=/dev/shm/alluxio\n");
    installed.write("conf/workers", hosts);
    installed.write("logs/README.md", "This directory contains Alluxio logs\n");
    installed.executable("stand-ins/hostname", "#!/bin/sh\necho here.example\n");
    installed
}

/// How the program was called on this node.
fn calls(out: &Outcome) -> Vec<String> {
    out.stdout.lines().filter_map(|line| line.strip_prefix("arguments: ")).map(str::to_owned).collect()
}

#[test]
fn usage_and_mistakes_are_told_as_by_1_2_0() {
    let installed = Installation::new();
    let start = |words: &str| installed.run(&format!("bin/alluxio-start.sh {words}"));
    assert_eq!(start("-h"), outcome(START_USAGE, "", 0));
    for (words, reason) in [
        ("", "Error: no ACTION specified\n"),
        ("foo", "Error: Invalid ACTION: foo\n"),
        ("-x", "bin/alluxio-start.sh: illegal option -- x\n"),
        ("worker Foo", "Invalid mount mode: Foo\n"),
        ("workers server08", "Invalid mount mode: server08\n"),
        ("worker NoMount x", "Error: worker does not take: x\n"),
        ("worker -f NoMount", "Error: nothing goes behind -f, but here is: NoMount\n"),
        ("master NoMount", "Error: master does not take: NoMount\n"),
        ("restart_workers NoMount", "Error: restart_workers does not take: NoMount\n"),
        ("safe -f", "Error: -f does not go with safe\n"),
        ("-i '' master", "Error: -i needs the URI of a backup\n"),
        ("-i /backup.gz worker", "Error: -i is for a master: worker starts none\n"),
    ] {
        assert_eq!(start(words), outcome("", &format!("{reason}{START_USAGE}"), 1), "{words}");
    }
    let stop = |words: &str| installed.run(&format!("bin/alluxio-stop.sh {words}"));
    assert_eq!(stop(""), outcome(STOP_USAGE, "", 0));
    assert_eq!(stop("-h"), outcome(STOP_USAGE, "", 0));
    assert_eq!(stop("foo"), outcome("", &format!("Error: Invalid component: foo\n{STOP_USAGE}"), 1));
    assert_eq!(stop("master worker"), outcome("", &format!("Error: master does not take: worker\n{STOP_USAGE}"), 1));
}

#[test]
fn a_master_is_started_by_the_program() {
    let installed = Installation::new();
    let expected = format!("ALLUXIO_LOGS_DIR: H/logs\n{MASTER}");
    assert_eq!(installed.run("bin/alluxio-start.sh master"), outcome(&expected, "", 0));
    assert!(installed.path("logs").is_dir());
    let out = installed.run("ALLUXIO_MASTER_HOSTNAME=m1 FAKE_EXIT=3 bin/alluxio-start.sh master");
    let expected = "Starting master @ m1. Logging to H/logs\narguments: process start master\n";
    assert_eq!(out, outcome(expected, "", 3));
    let old = installed.run("ALLUXIO_MASTER_ADDRESS=m2 bin/alluxio-start.sh master");
    let expected = "ALLUXIO_MASTER_ADDRESS is deprecated since version 1.1 and will be remove in version 2.0.\n\
                    Please use \"ALLUXIO_MASTER_HOSTNAME\" instead.\nStarting master @ m2. Logging to H/logs\n";
    assert!(old.stdout.starts_with(expected), "{old:?}");
}

#[test]
fn a_worker_without_a_mount_has_its_blocks_in_memory() {
    let installed = installed("localhost\n");
    let started = "Starting worker @ here.example. Logging to H/logs\narguments: process start worker\n";
    let shared = "WARNING: Using tmpFS which is not guaranteed to be in memory.\n\
                  WARNING: Check vmstat for memory statistics (e.g. swapping).\n";
    let start = |line: &str| installed.run(&format!("{line} bin/alluxio-start.sh worker NoMount"));
    assert_eq!(start("FAKE_EXIT=3"), outcome(started, "", 3));
    installed.write("conf/alluxio-env.sh", "");
    assert_eq!(start("ALLUXIO_RAM_FOLDER=/dev/shm"), outcome(&format!("{shared}{started}"), "", 0));
    // /proc is there and not in memory.
    let overriding = "WARNING: Overriding ALLUXIO_RAM_FOLDER to /dev/shm to use tmpFS now.\n";
    let out = start("SHOW=1 ALLUXIO_RAM_FOLDER=/proc/ram");
    assert!(out.stdout.starts_with(&format!("{overriding}{shared}{started}")), "{out:?}");
    assert!(out.stdout.contains("ALLUXIO_RAM_FOLDER=/dev/shm\n"), "{out:?}");
    // A tier that is not to be in memory is where it is said to be.
    assert_eq!(start("FAKE_TIER=SSD ALLUXIO_RAM_FOLDER=/proc/ram"), outcome(started, "", 0));
}

#[test]
fn a_worker_whose_folder_cannot_be_mounted_is_not_started() {
    let installed = installed("localhost\n");
    installed.tell_calls_of(&["umount", "mount", "chmod", "mkdir"]);
    installed.executable("stand-ins/mountpoint", "#!/bin/sh\nexit 1\n");
    let out = installed.run("bin/alluxio-start.sh worker Mount");
    assert_eq!((calls(&out), out.code), (vec!["process start worker".to_owned()], 0), "{out:?}");
    assert!(installed.read("calls").contains("mount -t ramfs -o size=1gb ramfs /dev/shm/alluxio\n"));
    // One that runs keeps its memory; the program says that it runs.
    installed.write("calls", "");
    let again = installed.run("FAKE_EXIT=1 bin/alluxio-start.sh worker Mount");
    assert_eq!((calls(&again), again.code), (vec!["process start worker".to_owned()], 1), "{again:?}");
    assert_eq!(installed.read("calls"), "");
    installed.run("bin/alluxio-stop.sh worker");

    installed.executable("stand-ins/mount", "#!/bin/sh\necho 'mount: no permission' >&2\nexit 32\n");
    for mode in ["Mount", "SudoMount", ""] {
        let out = installed.run(&format!("bin/alluxio-start.sh worker {mode}"));
        let told =
            "mount: no permission\nERROR: mount RamFS /dev/shm/alluxio failed\nMount failed, not starting worker\n";
        assert_eq!((out.stderr.as_str(), out.code, calls(&out)), (told, 1, vec![]), "{mode}");
    }
}

#[test]
fn all_stops_what_runs_and_starts_the_master_and_the_workers() {
    let installed = installed("localhost\nserver07\n");
    let all = format!("{STOPPED}{MASTER}{ON_WORKERS}");
    assert_eq!(installed.run("bin/alluxio-start.sh all NoMount"), outcome(&all, "", 0));
    let mut log = installed.task_log();
    log.sort();
    let each = |host: &str| {
        [
            format!("[{host}] Starting worker @ here.example. Logging to H/logs"),
            format!("[{host}] arguments: process start worker"),
            format!("[{host}] arguments: process stop worker"),
        ]
    };
    let expected: Vec<String> = ["localhost", "server07"].into_iter().flat_map(each).collect();
    let mut expected = expected;
    expected.sort();
    assert_eq!(log, expected);
    // What does not come to serve is the end of it.
    let out = installed.run("FAKE_EXIT=3 bin/alluxio-start.sh -N all NoMount; rm running-master; FAKE_EXIT=3 bin/alluxio-start.sh -N all NoMount");
    assert_eq!((out.code, out.stdout.ends_with(MASTER)), (3, true), "{out:?}");
}

#[test]
fn hosts_that_fail_keep_no_others_from_starting_and_show_in_the_exit_code() {
    let installed = installed("down\nlocalhost\nfull\n");
    let out = installed.run("bin/alluxio-start.sh workers NoMount");
    let told = "down: failed with exit code 255: ssh: connect to host down port 22: Connection timed out \
                (is the host up, and its sshd?)\n\
                full: failed with exit code 1: cannot make the folder: No space left on device (os error 28)\n";
    assert_eq!(out, outcome(ON_WORKERS, told, 1));
    assert!(installed.task_log().contains(&"[localhost] arguments: process start worker".to_owned()));
    let out = installed.run("bin/alluxio-start.sh all NoMount");
    assert_eq!((out.stdout, out.code), (format!("{STOPPED}{MASTER}{ON_WORKERS}"), 1), "{}", out.stderr);
}

#[test]
fn a_local_cluster_is_a_master_and_then_a_worker() {
    let installed = installed("localhost\n");
    let both = ["process start master", "process start worker"];
    let run = |line: &str| calls(&installed.run(&format!("{line} local NoMount")));
    assert_eq!(run("FAKE_EXIT=3 bin/alluxio-start.sh -N"), both[..1]);
    assert_eq!(run("bin/alluxio-start.sh -N"), both);
    let all = ["process stop master", "process stop worker", both[0], both[1]];
    assert_eq!(run("bin/alluxio-start.sh"), all);
    // It runs by now.
    let out = installed.run("bin/alluxio-start.sh -N local");
    assert_eq!(out, outcome("The master is running already.\nThe worker is running already.\n", "", 0));
}

#[test]
fn what_is_formatted_before_a_start() {
    let installed = installed("localhost\n");
    let run = |words: &str| calls(&installed.run(&format!("rm -f logs/task.log; bin/alluxio-start.sh {words} -f")));
    assert_eq!(run("master"), ["format", "process start master"]);
    assert_eq!(installed.task_log(), ["[localhost] arguments: formatWorker"]);
    assert_eq!(run("-N all NoMount"), ["format"], "the master runs already");
    assert_eq!(run("worker NoMount"), ["formatWorker", "process start worker"]);
    assert_eq!(run("workers NoMount"), [""; 0]);
    assert!(installed.task_log().contains(&"[localhost] arguments: formatWorker".to_owned()));
    let out = installed.run("FAKE_MAY_FORMAT=7 bin/alluxio-start.sh master -f");
    assert_eq!(out, outcome("", "", 7), "no start after a format that is refused");
    let out = installed.run("FAKE_EXIT=3 bin/alluxio-start.sh master -f");
    assert_eq!((calls(&out), out.code), (vec!["format".to_owned()], 3));
}

#[test]
fn a_worker_is_restarted_only_if_it_does_not_run() {
    let installed = installed("localhost\nserver07\n");
    let started = "Restarting worker @ here.example. Logging to H/logs\narguments: process start worker\n";
    assert_eq!(installed.run("bin/alluxio-start.sh restart_worker"), outcome(started, "", 0));
    assert_eq!(installed.run("bin/alluxio-start.sh restart_worker"), outcome("", "", 0));
    assert_eq!(installed.run("bin/alluxio-start.sh restart_workers"), outcome(ON_WORKERS, "", 0));
    assert!(installed.task_log().is_empty());
    installed.write("conf/workers", "server07\n");
    let out = installed.run("rm running-worker; bin/alluxio-start.sh restart_workers");
    assert_eq!(out, outcome(ON_WORKERS, "", 0));
    assert!(installed.task_log().contains(&"[server07] arguments: process start worker".to_owned()));
    // Its blocks are where it had them when it was started without a mount.
    installed.write("conf/alluxio-env.sh", "");
    let out =
        installed.run("rm running-worker; SHOW=1 ALLUXIO_RAM_FOLDER=/proc/ram bin/alluxio-start.sh restart_worker");
    assert!(out.stdout.contains("ALLUXIO_RAM_FOLDER=/dev/shm\n"), "{out:?}");
}

#[test]
fn who_waits_waits_for_the_servers_that_were_started() {
    let installed = installed("localhost\n");
    let last = |words: &str| calls(&installed.run(&format!("bin/alluxio-start.sh {words}"))).pop();
    assert_eq!(last("-w local NoMount").as_deref(), Some("process wait master worker"));
    assert_eq!(last("-w all NoMount").as_deref(), Some("process wait master"));
    assert_eq!(last("-Nw worker NoMount").as_deref(), Some("process wait"), "it ran before");
}

#[test]
fn safe_starts_the_master_whenever_there_is_none() {
    let installed = installed("localhost\n");
    // `sleep` ends what does not end by itself: at its third call, and kills the master at its second.
    let sleep = "#!/bin/bash\ncd \"${0%/*}/..\"; echo >>naps; case $(wc -l <naps) in 2) rm -f running-master ;; \
                 3) kill $PPID ;; esac\n";
    installed.executable("stand-ins/sleep", sleep);
    let out = installed.run("bin/alluxio-start.sh safe; echo $?");
    let restarted = format!("Restarting the system master...\n{MASTER}Alluxio is running... \n");
    assert_eq!(out.stdout, format!("{restarted}Alluxio is running... \n{restarted}143\n"));
    // One that does not come up is tried again, and nobody says that it runs.
    let out = installed.run("rm naps running-master; FAKE_EXIT=1 bin/alluxio-start.sh safe");
    assert_eq!(out.stdout, format!("Restarting the system master...\n{MASTER}").repeat(3));
}

#[test]
fn servers_are_stopped_here_and_workers_everywhere() {
    let installed = installed("localhost\nserver07\n");
    let stop = |words: &str| installed.run(&format!("bin/alluxio-stop.sh {words}"));
    assert_eq!(stop("master"), outcome("arguments: process stop master\n", "", 0));
    assert_eq!(stop("worker"), outcome("arguments: process stop worker\n", "", 0));
    assert_eq!(stop("all"), outcome(STOPPED, "", 0));
    let mut log = installed.task_log();
    log.sort();
    assert_eq!(log, ["[localhost] arguments: process stop worker", "[server07] arguments: process stop worker"]);
    let (_, workers) = STOPPED.split_once('\n').unwrap();
    assert_eq!(stop("workers"), outcome(workers, "", 0));
    // One failure keeps nothing else from being stopped.
    installed.write("conf/workers", "nokey\n");
    let out = installed.run("FAKE_EXIT=1 bin/alluxio-stop.sh all");
    let told = "nokey: failed with exit code 255: someone@nokey: Permission denied (publickey,password). \
                (ssh has to get in without a password: ssh-copy-id nokey)\n";
    assert_eq!(out, outcome(STOPPED, told, 1));
}
