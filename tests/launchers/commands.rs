//! The commands of `bin/alluxio` that the launcher does itself.

use crate::installation::{Installation, outcome};

#[test]
fn format_is_for_the_workers_and_then_for_the_journal() {
    let installed = Installation::new();
    installed.write("conf/workers", "localhost\nserver07\n");
    let told = "Waiting for MASTER tasks to finish...\n\
                All MASTER tasks finished, please analyze the log at H/logs/task.log.\narguments: format\n";
    assert_eq!(installed.run("bin/alluxio format"), outcome(told, "", 0));
    let mut log = installed.task_log();
    log.sort();
    assert_eq!(log, ["[localhost] arguments: formatWorker", "[server07] arguments: formatWorker"]);
    // Options are for all of them.
    let out = installed.run("rm logs/task.log; bin/alluxio format -Dalluxio.a=b");
    assert!(out.stdout.ends_with("arguments: format -Dalluxio.a=b\n"), "{out:?}");
    assert!(installed.task_log().contains(&"[server07] arguments: formatWorker -Dalluxio.a=b".to_owned()));
    // Whatever hinders it does so before a worker has lost anything.
    for (may, code) in [(3, 0), (1, 1), (2, 2)] {
        let out = installed.run(&format!("rm -f logs/task.log; FAKE_MAY_FORMAT={may} bin/alluxio format -s"));
        assert_eq!((out, installed.path("logs/task.log").exists()), (outcome("", "", code), false));
    }
    installed.write("conf/workers", "wrong\n");
    let out = installed.run("bin/alluxio format");
    assert_eq!((out.stdout.as_str(), out.code), (told, 1), "the others go on");
    assert!(out.stderr.starts_with("wrong: failed with exit code 255: "), "{out:?}");
    assert_eq!(installed.run("FAKE_EXIT=4 bin/alluxio format").code, 4);
}

#[test]
fn kill_all_ends_servers_whose_name_matches() {
    let installed = Installation::new();
    let kill = |words: &str| installed.run(&format!("bin/alluxio killAll {words}"));
    let usage = outcome("Usage: alluxio killAll <WORD>\n", "", 0);
    assert_eq!((kill(""), kill("a b")), (usage, outcome("Usage: alluxio killAll <WORD>\n", "", 0)));
    for (word, servers) in [
        ("alluxio.master.AlluxioMaster", " master"),
        ("alluxio.worker.AlluxioWorker", " worker"),
        ("'Alluxio[MW]'", " master worker"),
        ("java", ""),
        ("-- -x", ""),
    ] {
        let word = word.trim_start_matches("-- ");
        assert_eq!(kill(word), outcome(&format!("arguments: process stop{servers}\n"), "", 0), "{word}");
    }
}

#[test]
fn a_folder_is_copied_to_the_other_hosts() {
    let installed = Installation::new();
    installed.tell_calls_of(&["rsync"]);
    installed.write("conf/workers", "localhost # note\nserver06\n");
    installed.write("my conf/file", "");
    let copy = |words: &str| installed.run(&format!("bin/alluxio copyDir {words}"));
    assert_eq!(copy(""), outcome("", "Usage: alluxio copyDir <path>\n", 1));
    assert_eq!(copy("a b"), outcome("", "Usage: alluxio copyDir <path>\n", 1));
    assert_eq!(copy("nothing"), outcome("", "copyDir: nothing does not exist.\n", 1));
    let told = "RSYNC'ing H/my conf to workers...\nlocalhost\nserver06\n";
    assert_eq!(copy("'my conf/'"), outcome(told, "", 0));
    let call = "rsync -s -e ssh -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no \
                -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -az H/my conf server06:H\n";
    assert_eq!(installed.read("calls"), call);
    installed.executable("stand-ins/rsync", "#!/bin/sh\necho 'rsync error: no space (code 11)' >&2\nexit 11\n");
    let failed = "server06: failed with exit code 11: rsync error: no space (code 11)\n";
    assert_eq!(copy("'my conf'"), outcome(told, failed, 1));
}

#[test]
fn a_first_environment_file_is_written() {
    let installed = Installation::new();
    let bootstrap = |words: &str| installed.run(&format!("bin/alluxio bootstrapConf {words}"));
    let usage = "Usage: bin/alluxio bootstrapConf <alluxio_master_hostname> [local|hdfs|s3|gcs|glusterfs|swift|oss]\n";
    assert_eq!(bootstrap(""), outcome("", usage, 1));
    assert_eq!(
        bootstrap("m1 foo"),
        outcome("H/bin/../conf/alluxio-env.sh already exists\n", "", 0),
        "that comes first"
    );
    std::fs::remove_file(installed.path("conf/alluxio-env.sh")).unwrap();
    for words in ["", "m1 foo", "'m\"1'", "m1 local more"] {
        assert_eq!(bootstrap(words), outcome("", usage, 1), "{words}");
    }
    for (words, kind, address) in [
        ("", "local", "${ALLUXIO_HOME}/underFSStorage/"),
        ("local", "local", "${ALLUXIO_HOME}/underFSStorage/"),
        ("hdfs", "hdfs", "hdfs://localhost:9000/alluxio/"),
        ("s3", "s3", "s3a://bucket/directory/"),
        ("s3a", "s3a", "s3a://bucket/directory/"),
        ("s3n", "s3n", "s3n://bucket/directory/"),
        ("gcs", "gcs", "gs://bucket/directory/"),
        ("glusterfs", "glusterfs", "/gluster_vol/"),
        ("swift", "swift", "swift://swift-container/"),
        ("oss", "oss", "oss://bucket/directory/"),
    ] {
        let created = outcome("H/bin/../conf/alluxio-env.sh is created.\n", "", 0);
        assert_eq!(
            installed.run(&format!("rm -f conf/alluxio-env.sh; bin/alluxio bootstrap-conf m1 {words}")),
            created
        );
        let text = installed.read("conf/alluxio-env.sh");
        assert!(text.starts_with("#!/usr/bin/env bash\n\n"), "{text}");
        let command = format!("# This file was generated by command \"bin/alluxio bootstrapConf m1 {kind}\"\n");
        let last = format!("ALLUXIO_UNDERFS_ADDRESS=${{ALLUXIO_UNDERFS_ADDRESS:-\"{address}\"}}\n");
        assert!(text.contains(&command) && text.ends_with(&last), "{text}");
    }
    // What it says counts, and the environment more.
    let shown = installed.run_shown("ALLUXIO_RAM_FOLDER=/r bin/alluxio version").stdout;
    let set = |line: &str| shown.lines().any(|shown| shown == line);
    assert!(set("ALLUXIO_MASTER_HOSTNAME=m1") && set("ALLUXIO_RAM_FOLDER=/r"), "{shown}");
    let kilobytes: u64 = {
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap().to_owned();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    assert!(set(&format!("ALLUXIO_WORKER_MEMORY_SIZE={}MB", kilobytes / 1024 * 2 / 3)), "{shown}");
    assert_eq!(bootstrap("m2"), outcome("H/bin/../conf/alluxio-env.sh already exists\n", "", 0));
}

#[test]
fn an_environment_file_that_cannot_be_written_is_told_and_not_left_in_part() {
    let installed = Installation::new();
    let line = "rm conf/alluxio-env.sh; ln -s /dev/full conf/alluxio-env.sh.new; bin/alluxio bootstrapConf m1";
    let out = installed.run(line);
    assert!(out.stderr.ends_with("H/bin/../conf/alluxio-env.sh cannot be written.\n"), "{out:?}");
    assert_eq!((out.stdout.as_str(), out.code), ("", 1));
    let left = std::fs::read_dir(installed.path("conf")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(
        left.into_iter()
            .all(|name| !name.to_string_lossy().starts_with("alluxio-env.sh.new") && name != "alluxio-env.sh")
    );
}

#[test]
fn what_is_no_longer_done_says_what_to_do() {
    let installed = Installation::new();
    let told = "The \"alluxio loadufs <AlluxioURI> <UfsURI>\" command is deprecated since version 1.1.\n\
                Use the \"alluxio fs mount <AlluxioURI> <UfsURI>\" command followed by the \"alluxio fs ls -R <AlluxioURI>\" \
                command instead.\n";
    assert_eq!(installed.run("bin/alluxio loadufs /a b"), outcome("", told, 1));
}

#[test]
fn a_cache_that_cannot_be_cleared_is_told() {
    let installed = Installation::new();
    installed.executable("stand-ins/sync", "#!/bin/sh\nexit 1\n");
    let told = "clearCache: cannot write /proc/sys/vm/drop_caches; it has to be run as root.\n";
    assert_eq!(installed.run("bin/alluxio clearCache"), outcome("", told, 1));
}
