//! The scripts in `bin/`, with a program that tells how it was called in the place of the real one, and the faces of
//! the real one that need no server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What a command left behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    stdout: String,
    stderr: String,
    code: i32,
}

/// An installation with the scripts of this clone and a program of the test's.
struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    /// The program prints its arguments and the environment that it is asked for.
    fn new() -> Installation {
        let program = "#!/bin/sh\necho \"arguments:\" \"$@\"\nenv | grep '^ALLUXIO_' | sort\nexit ${FAKE_EXIT:-0}\n";
        let installation = Installation { folder: tempfile::tempdir().unwrap() };
        for file in ["bin/alluxio", "bin/alluxio-start.sh", "bin/alluxio-stop.sh", "libexec/alluxio-config.sh"] {
            let to = installation.folder.path().join(file);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), to).unwrap();
        }
        installation.write("conf/alluxio-env.sh", &std::fs::read_to_string("conf/alluxio-env.sh").unwrap());
        installation.write("libexec/alluxio", program);
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(installation.folder.path().join("libexec/alluxio"), executable).unwrap();
        installation
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs a line of shell in the installation. The folder is shown as `H`.
    fn run(&self, line: &str) -> Outcome {
        let path = std::env::var_os("PATH").unwrap();
        let output = Command::new("bash")
            .args(["-c", line])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .output()
            .unwrap();
        let home = self.folder.path().canonicalize().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(home.to_str().unwrap(), "H");
        Outcome { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code().unwrap() }
    }
}

fn outcome(stdout: &str, stderr: &str, code: i32) -> Outcome {
    Outcome { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code }
}

const ENVIRONMENT: &str = "ALLUXIO_CONF_DIR=H/conf\nALLUXIO_HOME=H\nALLUXIO_LOGS_DIR=H/logs\n";
const START_USAGE: &str = include_str!("data/launchers/start-usage.txt");
const STOP_USAGE: &str = include_str!("data/launchers/stop-usage.txt");
const ALLUXIO_USAGE: &str = include_str!("data/launchers/alluxio-usage.txt");

#[test]
fn the_program_gets_the_arguments_as_they_are_and_knows_where_it_is() {
    let installed = Installation::new();
    let expected = format!("arguments: fs mkdir /a b /*\n{ENVIRONMENT}");
    assert_eq!(installed.run("bin/alluxio fs mkdir '/a b' '/*'"), outcome(&expected, "", 0));
    assert_eq!(installed.run("cd / && $OLDPWD/bin/alluxio fs mkdir '/a b' '/*'"), outcome(&expected, "", 0));
    assert_eq!(installed.run("ln -s bin/alluxio link; ./link fs mkdir '/a b' '/*'"), outcome(&expected, "", 0));
    assert_eq!(installed.run("FAKE_EXIT=7 bin/alluxio fs").code, 7);
}

#[test]
fn what_alluxio_env_sets_reaches_the_program_without_export() {
    let installed = Installation::new();
    installed.write("conf/alluxio-env.sh", "ALLUXIO_JAVA_OPTS=\"-Da=${ALLUXIO_HOME} -Xmx1g\"\nALLUXIO_LOGS_DIR=/l\n");
    let expected = "arguments: version\nALLUXIO_CONF_DIR=H/conf\nALLUXIO_HOME=H\n\
                    ALLUXIO_JAVA_OPTS=-Da=H -Xmx1g\nALLUXIO_LOGS_DIR=/l\n";
    assert_eq!(installed.run("bin/alluxio version"), outcome(expected, "", 0));
}

#[test]
fn folders_from_the_environment_are_kept_and_the_home_is_not() {
    let installed = Installation::new();
    installed.write("other/alluxio-env.sh", "");
    let expected = "arguments: x\nALLUXIO_CONF_DIR=other\nALLUXIO_HOME=H\nALLUXIO_LOGS_DIR=/logs\n";
    let line = "ALLUXIO_HOME=/java ALLUXIO_CONF_DIR=other ALLUXIO_LOGS_DIR=/logs bin/alluxio x";
    assert_eq!(installed.run(line), outcome(expected, "", 0));
}

#[test]
fn a_layout_file_moves_everything() {
    let installed = Installation::new();
    installed.write("etc/alluxio-env.sh", "");
    let layout = "ALLUXIO_SYSTEM_INSTALLATION=TRUE\nALLUXIO_HOME=/v\nALLUXIO_CONF_DIR=etc\nALLUXIO_LOGS_DIR=/log\n";
    installed.write("libexec/alluxio-layout.sh", layout);
    let expected = "arguments: x\nALLUXIO_CONF_DIR=etc\nALLUXIO_HOME=/v\nALLUXIO_LOGS_DIR=/log\n";
    assert_eq!(installed.run("bin/alluxio x"), outcome(expected, "", 0));
}

#[test]
fn what_is_missing_is_named() {
    let installed = Installation::new();
    std::fs::remove_file(installed.folder.path().join("conf/alluxio-env.sh")).unwrap();
    for script in ["alluxio", "alluxio-start.sh -h", "alluxio-stop.sh master"] {
        let outcome = installed.run(&format!("bin/{script}"));
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1), "{script}");
        assert!(outcome.stderr.starts_with("Cannot find H/conf/alluxio-env.sh. To proceed, you can\n"), "{outcome:?}");
    }
    let installed = Installation::new();
    std::fs::remove_file(installed.folder.path().join("libexec/alluxio")).unwrap();
    let reason = "Cannot find the program alluxio in H/libexec or H/target. Build it first: cargo build --release\n";
    assert_eq!(installed.run("bin/alluxio version"), outcome("", reason, 1));
}

#[test]
fn of_two_builds_the_newer_is_run() {
    let installed = Installation::new();
    let line = "mkdir -p target/release target/debug; mv libexec/alluxio target/release; \
                printf '#!/bin/sh\\necho debug' > target/debug/alluxio; chmod +x target/debug/alluxio; \
                touch -d '1 hour ago' target/release/alluxio; bin/alluxio; \
                touch -d '2 hours ago' target/debug/alluxio; \
                bin/alluxio";
    assert_eq!(installed.run(line), outcome(&format!("debug\narguments:\n{ENVIRONMENT}"), "", 0));
}

#[test]
fn a_master_is_started_by_the_program() {
    let installed = Installation::new();
    let expected = format!(
        "ALLUXIO_LOGS_DIR: H/logs\nStarting master @ localhost. Logging to H/logs\n\
         arguments: process start master\n{ENVIRONMENT}"
    );
    assert_eq!(installed.run("bin/alluxio-start.sh master"), outcome(&expected, "", 0));
    assert!(installed.folder.path().join("logs").is_dir());
    let out = installed.run("ALLUXIO_MASTER_HOSTNAME=m1 FAKE_EXIT=3 bin/alluxio-start.sh -Nw master");
    assert!(
        out.stdout.starts_with("Starting master @ m1. Logging to H/logs\narguments: process start master -w\n"),
        "{out:?}"
    );
    assert_eq!(out.code, 3);
    let out = installed.run("FAKE_EXIT=3 bin/alluxio-start.sh master -f");
    assert_eq!(
        (out.stdout, out.code),
        (format!("arguments: format\n{ENVIRONMENT}"), 3),
        "no start after a failed format"
    );
    let old = installed.run("ALLUXIO_MASTER_ADDRESS=m2 bin/alluxio-start.sh master");
    let expected = "ALLUXIO_MASTER_ADDRESS is deprecated since version 1.1 and will be remove in version 2.0.\n\
                    Please use \"ALLUXIO_MASTER_HOSTNAME\" instead.\nStarting master @ m2. Logging to H/logs\n";
    assert!(old.stdout.starts_with(expected), "{old:?}");
}

#[test]
fn a_worker_is_started_by_the_program_in_a_folder_in_memory() {
    let installed = Installation::new();
    let started = |out: &Outcome| {
        let mut lines = out.stdout.lines().filter(|line| !line.starts_with("ALLUXIO_"));
        let host = lines.next_back().map(str::to_owned);
        (lines.map(str::to_owned).collect::<Vec<_>>(), host.unwrap_or_default())
    };
    let tmpfs = [
        "WARNING: Using tmpFS which is not guaranteed to be in memory.",
        "WARNING: Check vmstat for memory statistics (e.g. swapping).",
    ];
    let out = installed.run("ALLUXIO_RAM_FOLDER=/dev/shm FAKE_EXIT=3 bin/alluxio-start.sh worker NoMount");
    let (lines, called) = started(&out);
    assert_eq!((lines[..2].to_vec(), out.code), (tmpfs.map(str::to_owned).to_vec(), 3), "{out:?}");
    assert!(lines[2].starts_with("Starting worker @ ") && lines[2].ends_with(". Logging to H/logs"), "{out:?}");
    assert_eq!(called, "arguments: process start worker");
    // /proc is there and not in memory.
    let out = installed.run("ALLUXIO_RAM_FOLDER=/proc/ram bin/alluxio-start.sh worker NoMount");
    assert!(
        out.stdout.starts_with("WARNING: Overriding ALLUXIO_RAM_FOLDER to /dev/shm to use tmpFS now.\n"),
        "{out:?}"
    );
    assert!(out.stdout.contains("ALLUXIO_RAM_FOLDER=/dev/shm\n"), "{out:?}");
    let out = installed.run("ALLUXIO_RAM_FOLDER=/proc/ram bin/alluxio-start.sh -w worker");
    assert!(out.stderr.starts_with("SudoMount: this version does not mount a RamFS. /proc/ram is used"), "{out:?}");
    assert!(out.stdout.contains("\narguments: process start worker -w\n"), "{out:?}");
    let out = installed.run("ALLUXIO_RAM_FOLDER=/dev/shm bin/alluxio-start.sh worker Mount -f");
    assert!(out.stdout.contains("arguments: formatWorker\n"), "{out:?}");
}

#[test]
fn a_local_cluster_is_a_master_and_then_a_worker() {
    let installed = Installation::new();
    let calls = |line: &str| -> Vec<String> {
        let out = installed.run(line);
        out.stdout.lines().filter_map(|line| line.strip_prefix("arguments: ")).map(str::to_owned).collect()
    };
    let both = ["process start master", "process start worker"];
    assert_eq!(calls("ALLUXIO_RAM_FOLDER=/dev/shm bin/alluxio-start.sh -N local NoMount"), both);
    let all = ["process stop master", "process stop worker", "formatWorker", "format", both[0], both[1]];
    assert_eq!(calls("ALLUXIO_RAM_FOLDER=/dev/shm bin/alluxio-start.sh local NoMount -f"), all);
    assert_eq!(calls("ALLUXIO_RAM_FOLDER=/dev/shm FAKE_EXIT=3 bin/alluxio-start.sh -N local NoMount"), both[..1]);
}

#[test]
fn the_usage_of_start_and_stop_is_that_of_1_2_0() {
    let installed = Installation::new();
    let start = |words: &str| installed.run(&format!("bin/alluxio-start.sh {words}"));
    assert_eq!(start("-h"), outcome(START_USAGE, "", 0));
    assert_eq!(start(""), outcome("", &format!("Error: no ACTION specified\n{START_USAGE}"), 1));
    assert_eq!(start("foo"), outcome("", &format!("Error: Invalid ACTION: foo\n{START_USAGE}"), 1));
    assert_eq!(start("-x"), outcome("", &format!("bin/alluxio-start.sh: illegal option -- x\n{START_USAGE}"), 1));
    assert_eq!(start("master NoMount"), outcome("", START_USAGE, 1));
    let stop = |words: &str| installed.run(&format!("bin/alluxio-stop.sh {words}"));
    assert_eq!(stop(""), outcome(STOP_USAGE, "", 0));
    assert_eq!(stop("-h"), outcome(STOP_USAGE, "", 0));
    assert_eq!(stop("foo"), outcome("", &format!("Error: Invalid component: foo\n{STOP_USAGE}"), 1));
    assert_eq!(stop("master"), outcome(&format!("arguments: process stop master\n{ENVIRONMENT}"), "", 0));
    assert_eq!(start("worker Foo"), outcome("", &format!("Invalid mount mode: Foo\n{START_USAGE}"), 1));
    assert_eq!(start("worker NoMount x"), outcome("", START_USAGE, 1));
    assert_eq!(stop("worker"), outcome(&format!("arguments: process stop worker\n{ENVIRONMENT}"), "", 0));
    for line in ["alluxio-start.sh all", "alluxio-start.sh workers NoMount", "alluxio-stop.sh workers"] {
        let out = installed.run(&format!("bin/{line}"));
        assert_eq!((out.stdout.as_str(), out.code), ("", 1), "{line}");
        assert!(out.stderr.contains("is not available in this version"), "{out:?}");
    }
}

/// Runs the real program, apart from the environment of the machine.
fn alluxio(environment: &[(&str, &str)], words: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_alluxio"))
        .args(words)
        .env_clear()
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
    assert_eq!(
        alluxio(&[], &["readJournal"]),
        outcome("", "alluxio readJournal is not available in this version\n", 1)
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
fn a_value_that_makes_no_sense_is_refused_with_its_range() {
    for (property, range) in [
        ("alluxio.master.journal.fencing.lease=1ms", "500ms and at most 60000ms"),
        ("alluxio.zookeeper.session.timeout=0", "1000ms and at most 3600000ms"),
        ("alluxio.master.ttl.checker.interval=0", "10ms and at most 2592000000ms"),
    ] {
        let refused = alluxio(&[], &["format", &format!("-D{property}")]);
        let told = format!("{} (command line): must be at least {range}\n", property.replace('=', " = "));
        assert!(refused.stderr.ends_with(&told) && refused.code == 1, "{refused:?}");
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
fn output_that_is_closed_is_an_error() {
    let installation = Installation::new();
    let closed = outcome("", "cannot write the output: it is closed\n", 255);
    assert_eq!(installation.run("bin/alluxio fs ls / >&-"), closed);
    assert_eq!(installation.run("bin/alluxio fs ls / >/dev/null"), outcome("", "", 0));
}

#[test]
fn a_mistake_in_the_environment_file_stops_every_command() {
    for (mistake, told_as) in [
        ("A=\"not closed\nB=1\n", "alluxio-env.sh: line "),
        ("nosuchcommand\nA=1\n", "alluxio-env.sh: line "),
        ("A=\"${a.b}\"\n", "alluxio-env.sh: line "),
        ("exit 0\nA=1\n", "alluxio-env.sh ends the shell (exit) before its end"),
    ] {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("alluxio-env.sh"), mistake).unwrap();
        let launcher = concat!(env!("CARGO_MANIFEST_DIR"), "/bin/alluxio");
        let output = std::process::Command::new(launcher)
            .args(["version"])
            .env("ALLUXIO_CONF_DIR", home.path())
            .env("ALLUXIO_LOGS_DIR", home.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{mistake:?}: {told}");
        assert!(told.contains(told_as) && told.contains("Nothing was done."), "{mistake:?}: {told}");
    }
}

#[test]
fn an_environment_file_that_gives_up_is_heard_and_one_that_only_warns_is_used() {
    let installed = Installation::new();
    installed.write("conf/alluxio-env.sh", "echo 'set DATA_DISK first' >&2\nexit 1\n");
    let told = "set DATA_DISK first\nH/conf/alluxio-env.sh ends the shell (exit) before its end\n\
                Nothing was done. Mend alluxio-env.sh.\n";
    assert_eq!(installed.run("bin/alluxio version"), outcome("", told, 1));
    for harmless in [
        "return 0\n",
        "trap 'echo bye >&2' EXIT\n",
        "exec 2>/dev/null\n",
        "echo \"$0: line 1: warning: setlocale: LC_ALL: cannot change locale\" >&2\n",
    ] {
        installed.write("conf/alluxio-env.sh", &harmless.replace("$0", "${BASH_SOURCE[0]}"));
        let out = installed.run("bin/alluxio version");
        assert_eq!((out.stdout.starts_with("arguments: version\n"), out.code), (true, 0), "{harmless:?}: {out:?}");
    }
}
