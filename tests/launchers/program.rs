//! The faces of the real program that need no server.

use std::process::Command;

use crate::installation::{Outcome, outcome};

const ALLUXIO_USAGE: &str = include_str!("../data/launchers/alluxio-usage.txt");

/// Runs the real program, apart from the environment of the machine.
fn alluxio(environment: &[(&str, &str)], words: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_alluxio"))
        .args(words)
        .env_clear()
        .env("ALLUXIO_HOME", folder.path())
        .env("ALLUXIO_CONF_DIR", folder.path())
        .env("ALLUXIO_LOGS_DIR", folder.path())
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code().unwrap() }
}

#[test]
fn the_usage_of_alluxio_is_that_of_1_2_0() {
    assert_eq!(alluxio(&[], &[]), outcome(ALLUXIO_USAGE, "", 1));
    assert_eq!(alluxio(&[], &["help"]), outcome(ALLUXIO_USAGE, "", 0));
    assert_eq!(alluxio(&[], &["foo", "-x"]), outcome(ALLUXIO_USAGE, "Unsupported command foo\n", 1));
    assert_eq!(alluxio(&[], &["fs", "-x", "/"]), outcome(ALLUXIO_USAGE, "Invalid option: -x\n", 1));
    assert_eq!(alluxio(&[], &["format", "x"]), outcome("{Usage} bin/alluxio format [-s]\n", "", 2));
    assert_eq!(alluxio(&[], &["format", "-s", "x"]), outcome(" bin/alluxio format [-s]\n", "", 2));
    assert_eq!(alluxio(&[], &["format", "-s", "-Dalluxio.underfs.address=hdfs://nn/"]), outcome("", "", 0));
    assert_eq!(alluxio(&[], &["version"]), outcome("Alluxio version: 1.2.0\n", "", 0));
    assert_eq!(alluxio(&[], &["version", "-Dalluxio.compatibility=2.9"]), outcome("2.9.6\n", "", 0));
    assert_eq!(alluxio(&[], &["runKVTest"]), outcome("", "alluxio runKVTest is not available in this version\n", 1));
    let unknown = alluxio(&[], &["readJournal", "-help"]);
    assert_eq!((unknown.stdout.as_str(), unknown.code), ("", 1));
    assert!(
        unknown.stderr.starts_with("-help is no option of read\nUsage: alluxio journal <command>\n"),
        "{unknown:?}"
    );
}

#[test]
fn a_mistake_in_the_configuration_stops_every_face_but_that_which_stops() {
    let mistake = [("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.port=abc")];
    let reason = "alluxio.master.port = abc (ALLUXIO_JAVA_OPTS): not a port number (1 to 65535)\n";
    for words in [&["master"] as &[&str], &["fs", "ls", "/"], &["format"]] {
        assert_eq!(alluxio(&mistake, words), outcome("", reason, 1), "{words:?}");
    }
    let stopped = alluxio(&mistake, &["process", "stop", "master"]);
    assert!(stopped.stdout.starts_with("Killed 0 processes on ") && stopped.code == 0, "{stopped:?}");
    assert!(stopped.stderr.starts_with(reason.trim_end()), "{stopped:?}");
    let unknown = alluxio(&[], &["format", "-Dalluxio.mastr.hostname=m1"]).stderr;
    let hint = "alluxio.mastr.hostname (command line) is not a property of Alluxio, ignored; \
                did you mean alluxio.master.hostname?\n";
    assert!(unknown.starts_with(hint), "{unknown}");
    let given = alluxio(&[], &["process", "start", "master", "-Dalluxio.logs.dir=/proc/no"]);
    assert_eq!((given.stdout.as_str(), given.code), ("", 1));
    assert!(given.stderr.starts_with("cannot make the folder /proc/no: "), "{given:?}");
}

#[test]
fn a_log_that_cannot_be_written_is_told_of_once() {
    let logs = tempfile::tempdir().unwrap();
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    std::os::unix::fs::symlink("/dev/full", logs.path().join(format!("user_{}.log", user.trim()))).unwrap();
    // Nobody listens there, and the attempts to reach ZooKeeper are logged.
    let words = ["fs", "-Dalluxio.zookeeper.enabled=true", "-Dalluxio.zookeeper.address=127.0.0.1:1", "ls", "/"];
    let wait = "-Dalluxio.user.rpc.retry.max.duration=1s -Dalluxio.log.level=debug";
    let logs = logs.path().to_str().unwrap();
    let listed = alluxio(&[("ALLUXIO_LOGS_DIR", logs), ("ALLUXIO_JAVA_OPTS", wait)], &words);
    assert_eq!(listed.code, 255, "{listed:?}");
    assert_eq!(listed.stderr.matches("Cannot write the log ").count(), 1, "{listed:?}");
    assert!(listed.stderr.contains("No space left on device"), "{listed:?}");
}

#[test]
fn what_was_misspelt_is_told_before_a_format_is_refused() {
    let given = [("ALLUXIO_JAVA_OPTS", "-Dalluxio.zookeeper.enabled=true -Dalluxio.zookeeper.adress=z:2181")];
    let told = "alluxio.zookeeper.adress (ALLUXIO_JAVA_OPTS) is not a property of Alluxio, ignored; did you mean \
                alluxio.zookeeper.address?\nalluxio.zookeeper.enabled is true, but alluxio.zookeeper.address is not set";
    let refused = alluxio(&given, &["process", "may-format"]);
    assert!(refused.code == 1 && refused.stderr.starts_with(told), "{refused:?}");
}

#[test]
fn a_journal_folder_that_cannot_be_written_is_found_before_workers_lose_their_blocks() {
    let journal = tempfile::tempdir().unwrap();
    let folder = format!("-Dalluxio.master.journal.folder={}", journal.path().display());
    assert_eq!(alluxio(&[], &["format", &folder]).code, 0);
    assert_eq!(alluxio(&[], &["process", "may-format", &folder]), outcome("", "", 0));
    std::fs::remove_dir_all(journal.path().join("epochs")).unwrap();
    std::fs::write(journal.path().join("epochs"), "").unwrap();
    let refused = alluxio(&[], &["process", "may-format", &folder]);
    assert!(refused.code == 1 && refused.stderr.starts_with("cannot format the journal folder "), "{refused:?}");
}

#[test]
fn a_master_with_the_name_of_another_host_is_started_and_that_is_told() {
    // An address for documentation; what follows fails for want of a journal.
    let properties = "-Dalluxio.zookeeper.enabled=true -Dalluxio.zookeeper.address=127.0.0.1:1";
    let given = [("ALLUXIO_JAVA_OPTS", properties), ("ALLUXIO_MASTER_HOSTNAME", "198.51.100.77")];
    let told = "198.51.100.77 leads to 198.51.100.77, which is no address of this machine: ";
    let started = alluxio(&given, &["process", "start", "master"]);
    assert!(started.stderr.starts_with(told), "{started:?}");
    let own = [given[0], ("ALLUXIO_MASTER_HOSTNAME", "localhost")];
    assert!(!alluxio(&own, &["process", "start", "master"]).stderr.contains("no address of this machine"));
}

#[test]
fn a_zookeeper_server_that_has_no_name_is_told_before_it_is_waited_for() {
    let properties = "-Dalluxio.zookeeper.enabled=true -Dalluxio.zookeeper.address=nosuchhost.invalid:1 \
                      -Dalluxio.zookeeper.connection.timeout=100ms";
    let told = alluxio(&[("ALLUXIO_JAVA_OPTS", properties)], &["process", "start", "master"]).stderr;
    assert!(told.starts_with("alluxio.zookeeper.address: nosuchhost.invalid:1 ("), "{told}");
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_its_range() {
    for (property, range) in [
        ("alluxio.master.journal.fencing.lease=1ms", "500ms and at most 60000ms"),
        ("alluxio.zookeeper.session.timeout=0", "1000ms and at most 3600000ms"),
        ("alluxio.master.ttl.checker.interval=0", "10ms and at most 2592000000ms"),
        ("alluxio.master.daily.backup.files.retained=0", "1 and at most 4294967295"),
    ] {
        let refused = alluxio(&[], &["format", &format!("-D{property}")]);
        let told = format!("{} (command line): must be at least {range}\n", property.replace('=', " = "));
        assert!(refused.stderr.ends_with(&told) && refused.code == 1, "{refused:?}");
    }
}

#[test]
fn a_journal_folder_that_depends_on_where_one_stands_is_refused() {
    for (folder, told) in [
        ("journal", "alluxio.master.journal.folder journal is relative: "),
        ("hdfs:/journal", "alluxio.master.journal.folder hdfs:/journal is relative: "),
    ] {
        let refused = alluxio(&[], &["format", &format!("-Dalluxio.master.journal.folder={folder}")]);
        assert!(refused.stderr.contains(told) && refused.code == 1, "{refused:?}");
    }
}

#[test]
fn get_conf_tells_values_sources_and_units() {
    let get = |words: &[&str]| alluxio(&[("ALLUXIO_MASTER_HOSTNAME", "m1")], &[&["getConf"], words].concat());
    assert_eq!(get(&["alluxio.master.port"]), outcome("19998\n", "", 0));
    assert_eq!(get(&["--source", "alluxio.master.hostname"]), outcome("SYSTEM_PROPERTY\n", "", 0));
    assert_eq!(get(&["--source", "alluxio.master.port"]), outcome("DEFAULT\n", "", 0));
    assert_eq!(get(&["--unit", "KB", "alluxio.user.block.size.bytes.default"]), outcome("524288\n", "", 0));
    assert_eq!(get(&["--unit", "s", "alluxio.zookeeper.session.timeout"]), outcome("6\n", "", 0));
    let unknown = get(&["nosuch.key"]);
    assert_eq!((unknown.stderr.as_str(), unknown.code), ("nosuch.key is not a valid configuration key\n", 1));
    assert!(unknown.stdout.starts_with("usage: USAGE: GetConf"), "{unknown:?}");
    let all = get(&[]);
    assert!(all.stdout.contains("\nalluxio.master.hostname=m1\n"), "{all:?}");
    let key = "alluxio.zookeeper.acl.credentials";
    let secret = [("ALLUXIO_JAVA_OPTS", "-Dalluxio.zookeeper.acl.credentials=masters:s3cret")];
    assert_eq!(alluxio(&secret, &["getConf", key]), outcome("******\n", "", 0));
    let all = alluxio(&secret, &["getConf"]).stdout;
    assert!(all.contains(&format!("\n{key}=******\n")), "{all}");
}

#[test]
fn a_master_logs_to_a_file_that_is_rolled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let master = |words: &[&str]| {
        let environment = [("ALLUXIO_CONF_DIR", path), ("ALLUXIO_LOGS_DIR", path), ("ALLUXIO_JAVA_OPTS", "-Xmx1g")];
        // A kind of journal that there is not, so that the master ends at once.
        alluxio(&environment, &[&["master", "-Dalluxio.master.journal.type=NOOP"], words].concat())
    };
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap_or_default();
    assert_eq!(master(&[]).code, 1);
    let line = read("master.log").lines().next().unwrap().to_owned();
    let (time, rest) = line.split_at("2026-11-21 20:47:52,347".len());
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(shape, "9999-99-99 99:99:99,999");
    assert_eq!(rest, " WARN  alluxio - options for a Java machine have no effect, ignored: -Xmx1g (ALLUXIO_JAVA_OPTS)");

    let small = std::fs::read_to_string("conf/log4rs.yaml").unwrap().replace("10mb", "10b").replace("100", "2");
    std::fs::write(folder.path().join("log4rs.yaml"), small).unwrap();
    master(&[]);
    assert!(!read("master.log.1").is_empty() && !read("master.log.2").is_empty());
    assert_eq!(read("master.log.3"), "");

    std::fs::write(folder.path().join("log4rs.yaml"), "root:\n  level: loud\n").unwrap();
    let unreadable = master(&[]).stderr;
    assert!(unreadable.starts_with(&format!("{path}/log4rs.yaml cannot be understood: ")), "{unreadable}");
    std::fs::write(folder.path().join("log4rs.yaml"), "root: [\n").unwrap();
    let unreadable = master(&[]).stderr;
    assert!(unreadable.starts_with(&format!("{path}/log4rs.yaml is not readable YAML: ")), "{unreadable}");
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_no_panic() {
    let home = tempfile::tempdir().unwrap();
    for words in ["version", "getConf", "getConf nosuch.key", "help", "", "process stop master"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_alluxio"))
            .args(words.split_whitespace())
            .env("ALLUXIO_CONF_DIR", home.path())
            .env("ALLUXIO_LOGS_DIR", home.path())
            .stdout(full)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {told}");
        assert!(told.starts_with("cannot write the output: "), "{words}: {told}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for words in ["version", "getConf", "help", "process stop master"] {
        let home = tempfile::tempdir().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_alluxio"))
            .args(words.split_whitespace())
            .env("ALLUXIO_CONF_DIR", home.path())
            .env("ALLUXIO_LOGS_DIR", home.path())
            .stdout(writer)
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
            (Some(0), ""),
            "{words}"
        );
    }
}

#[test]
fn complaints_that_cannot_be_written_change_no_exit_code() {
    let home = tempfile::tempdir().unwrap();
    for words in ["foo", "fs -x", "getConf nosuch.key", "master extra"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_alluxio"))
            .args(words.split_whitespace())
            .env("ALLUXIO_CONF_DIR", home.path())
            .env("ALLUXIO_LOGS_DIR", home.path())
            .stdout(std::process::Stdio::null())
            .stderr(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1), "{words}");
    }
}

#[test]
fn what_the_launcher_does_the_program_does_not() {
    let told = "copyDir is a command of the launcher: run bin/alluxio copyDir\n";
    assert_eq!(alluxio(&[], &["copyDir", "/a"]), outcome("", told, 1));
}

#[test]
fn a_configuration_is_valid_or_its_mistakes_are_told() {
    let validate = |environment: &[(&str, &str)]| alluxio(environment, &["validateConf"]);
    assert_eq!(validate(&[]), outcome("All configuration entries are valid.\n", "", 0));
    // Once for all kinds of process, and those of one kind, too.
    let unknown = validate(&[("ALLUXIO_JAVA_OPTS", "-Dalluxio.mastr.hostname=m1")]);
    let reason = "alluxio.mastr.hostname (ALLUXIO_JAVA_OPTS) is not a property of Alluxio, ignored; \
                  did you mean alluxio.master.hostname?\n";
    assert_eq!(unknown, outcome("Configuration has invalid entries.\n", reason, 255));
    let wrong = validate(&[("ALLUXIO_WORKER_JAVA_OPTS", "-Dalluxio.worker.port=abc")]);
    let reason = "alluxio.worker.port = abc (ALLUXIO_WORKER_JAVA_OPTS): not a port number (1 to 65535)\n";
    assert_eq!(wrong, outcome("Configuration has invalid entries.\n", reason, 255));
}

#[test]
fn the_launchers_can_ask_for_servers_and_hosts() {
    let code = |words: &str| alluxio(&[], &words.split(' ').collect::<Vec<_>>()).code;
    assert_eq!((code("process this-host localhost"), code("process this-host 198.51.100.77")), (0, 1));
    assert_eq!((code("process running master"), code("process wait master worker")), (1, 0));
    let none = alluxio(&[], &["process", "stop"]);
    assert!(none.stdout.starts_with("Killed 0 processes on ") && none.code == 0, "{none:?}");
    assert_eq!(alluxio(&[], &["process", "stop", "x"]), outcome("", "x is no server: master or worker\n", 1));
    assert_eq!(alluxio(&[], &["process", "x"]), outcome("", "alluxio process does not take: x \n", 1));
    assert_eq!(code("process may-format -s -Dalluxio.underfs.address=hdfs://nn/"), 3);
    assert_eq!(code("process may-format x"), 2);
}
