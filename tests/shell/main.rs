//! The shell as users of 1.2.0 and 2.9.6 know it: recordings of the originals, replayed on a master of ours.
//! Those of 2.9.6 are the business of `dialect_2_9.rs`.
//!
//! `tests/data/legacy-1.2.0` holds what 1.2.0 printed, and in `22-unrecorded` what it would have. Times are masked, listings are compared as sets (1.2.0 lists by
//! time of creation, we by name). With `ALLUXIO_TEST_MASTER=host:port` and `ALLUXIO_TEST_HDFS=folder` the recordings are
//! replayed on a cluster that runs already and whose namespace is empty, for example a Java one of 2.9.6; its UFS must be
//! `ufs` in that folder.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod dialect_2_9;
mod different_2_9;
mod fixture;
#[path = "../harness/free_port.rs"]
mod free_port;
mod fsadmin;
mod journal;
mod master;
mod transcript;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use alluxio::client::{ClientSettings, DataSettings, Fixed, RetrySettings};
use alluxio::conf::WriteType;
use alluxio::rpc::channel::{ChannelSettings, Identity};
use alluxio::rpc::worker::WorkerSettings;
use alluxio::shell::{self, CreateSettings, Dialect, Face, Output, ShellSettings, WebPorts};
use alluxio::types::TtlAction;

use fixture::Fixture;
use master::Master;
use transcript::{Line, Outcome, Step, read};

/// In the order of the recordings, which build on one another.
const TRANSCRIPTS: [&str; 18] = [
    "01-usage",
    "02-mkdir",
    "03-touch",
    "04-copyFromLocal",
    "05-ls",
    "06-cat-tail",
    "07-copyToLocal",
    "08-count-du",
    "09-fileInfo-location",
    "10-mv-cp",
    "11-rm",
    "12-chmod-chown-chgrp",
    "13-pin-unpin",
    "14-persist-free-load",
    "15-ttl",
    "16-mount-unmount",
    "17-cluster",
    "18-lineage",
];

/// Lines that are not compared, by transcript and words.
const LEFT_OUT: [(&str, &str); 2] = [
    // It shows what was in the UFS before, which HDFS gives to another group.
    ("19-permissions", "ls /"),
    // 1.2.0 refuses for a reason that it names wrongly: the directory may be searched, the file may not be written.
    ("19-permissions", "setTtl /p1/h.txt 100000"),
];
/// Where no master is.
const NOWHERE: &str = "127.0.0.1:1";
/// A master that has just begun to lead waits for its workers.
const PATIENCE: Duration = Duration::from_secs(20);
/// Lines of the recordings.
const LINES: usize = 208;
const LINES_ABOUT_USERS: usize = 22;
const LINES_UNRECORDED: usize = 191;

/// Commands that change nothing: what they show may need a heartbeat of the worker to come true.
const LOOKS: [&str; 6] = ["ls", "fileInfo", "location", "getUsedBytes", "count", "du"];
const LOOKS_MAX: Duration = Duration::from_secs(15);

#[test]
fn the_shell_answers_as_1_2_0_did() {
    replay(&TRANSCRIPTS, LINES, Look::Of1_2);
}

#[test]
fn users_are_told_what_1_2_0_told_them() {
    replay(&["19-permissions"], LINES_ABOUT_USERS, Look::Of1_2WithOwners);
}

#[test]
fn what_was_not_recorded_is_answered_in_the_words_of_1_2_0() {
    replay(&["22-unrecorded"], LINES_UNRECORDED, Look::Of1_2);
}

/// Replays recordings on a fresh cluster. `lines` is how many there are.
fn replay(transcripts: &[&str], lines: usize, look: Look) {
    let replay = Replay { fixture: Fixture::enter(), master: Master::start(), look };
    let (mut differences, mut compared, mut left_out) = (Vec::new(), 0, 0);
    for name in transcripts {
        for step in read(name) {
            match step {
                Step::Make(words) if is_left_out(name, &words) => {}
                Step::Make(words) => {
                    let outcome = replay.run(&words, None);
                    if outcome.code != 0 {
                        differences.push(format!("{name}: {words:?} is made for what follows: {outcome:?}"));
                    }
                }
                Step::Write(path, text) => fixture::write(&replay.master.hdfs, &path, &text),
                Step::Compare(line) if is_left_out(name, &line.words) => left_out += 1,
                Step::Compare(line) => {
                    compared += 1;
                    differences.extend(replay.difference(&line).map(|text| format!("{name}: {text}")));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{} of {compared} differ\n{}", differences.len(), differences.join("\n"));
    assert_eq!(compared + left_out, lines, "all commands of the recordings were compared");
}

#[test]
fn the_tests_of_1_2_0_pass_in_its_words() {
    let master = Master::start();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/legacy-1.2.0/21-runTests.txt");
    let recorded = std::fs::read_to_string(path).unwrap();
    let lines: String =
        recorded.lines().filter(|line| !line.starts_with(['#', '['])).map(|line| line.to_owned() + "\n").collect();
    let expected = Outcome { stdout: lines, stderr: String::new(), code: 0 };
    assert_eq!(run_tests(&[], &master), expected);
    // Again, with the files of the first time in the way.
    let passed = Outcome { stdout: "\u{1b}[32mPassed the test!\u{1b}[0m\n".into(), ..expected };
    assert_eq!(run_tests(&["Basic", "CACHE", "THROUGH"], &master), passed);
    let refused = run_tests(&["Basic", "CACHE", "through"], &master);
    let text = "Exception in thread \"main\" java.lang.IllegalArgumentException: No enum constant \
                alluxio.client.WriteType.through\n";
    assert_eq!(refused, Outcome { stdout: String::new(), stderr: text.into(), code: 1 });
    assert!(run_tests(&["Basic"], &master).stdout.starts_with("Usage:\n"));
}

fn run_tests(words: &[&str], master: &Master) -> Outcome {
    alluxio(Face::RunTests, None, Look::Of1_2, words, &master.address)
}

/// How the shell is set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Of1_2,
    /// `ls` shows mode, owner and group.
    Of1_2WithOwners,
    Of2_9,
}

impl Look {
    fn dialect(self) -> Dialect {
        if self == Look::Of2_9 { Dialect::Of2_9 } else { Dialect::Of1_2 }
    }

    /// The defaults of the release.
    fn create(self) -> CreateSettings {
        match self {
            Look::Of1_2 | Look::Of1_2WithOwners => CreateSettings::default(),
            Look::Of2_9 => CreateSettings {
                umask: 0o022,
                block_size_bytes: 64 << 20,
                write_type: WriteType::AsyncThrough,
                ttl_action: TtlAction::Free,
            },
        }
    }
}

struct Replay {
    fixture: Fixture,
    master: Master,
    look: Look,
}

impl Replay {
    /// How what the command gives differs from the recording, if it does.
    #[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
    fn difference(&self, line: &Line) -> Option<String> {
        let Line { user: other, words, expected } = line;
        let expected = expected.clone().with("<CWD>", &self.fixture.path().display().to_string());
        let expected = match words.first().map(String::as_str) {
            Some("leader") => expected.with("127.0.1.1", self.master.host()),
            Some("location") => expected.with("\nlocalhost\n", &format!("\n{}\n", self.master.worker_host)),
            // The recordings were made by root.
            Some("ls") => expected.with(&columns("root", "root"), &columns(&user(), &group())),
            _ => expected,
        };
        let expected = expected.comparable(words);
        let begin = Instant::now();
        loop {
            let found = self.run(words, other.as_deref()).comparable(words);
            if found == expected {
                return None;
            }
            let may_change = words.first().is_some_and(|word| LOOKS.contains(&word.as_str()));
            if !may_change || begin.elapsed() > LOOKS_MAX {
                return Some(format!("{words:?}\nexpected {expected:#?}\nfound {found:#?}"));
            }
        }
    }

    /// Runs a command with a folder in place of the HDFS of the recordings.
    fn run(&self, words: &[String], user: Option<&str>) -> Outcome {
        const HDFS: &str = "hdfs://localhost:20820";
        let hdfs = self.master.hdfs.display().to_string();
        let words: Vec<String> = words.iter().map(|word| word.replace(HDFS, &hdfs)).collect();
        let outcome = alluxio(Face::Fs, user, self.look, &words, &self.master.address);
        // A path alone, where that of HDFS had no host either.
        outcome.with(&format!("message:Ufs path {hdfs}"), "message:Ufs path ").with(&hdfs, HDFS)
    }
}

fn is_left_out(name: &str, words: &[String]) -> bool {
    LEFT_OUT.iter().any(|(transcript, left_out)| *transcript == name && *left_out == words.join(" "))
}

#[test]
fn what_needs_no_master_answers_without_one() {
    // The recording begins with what needs none: no arguments, unknown commands.
    for step in read("01-usage").into_iter().take(4) {
        let Step::Compare(line) = step else { panic!("nothing has to be made for them") };
        assert_eq!(alluxio_fs(&line.words, NOWHERE), line.expected, "{:?}", line.words);
    }
    for words in [&["nosuch", "/a"][..], &["ls"], &["ls", "/a", "-R"], &["mkdir", "relative"]] {
        let outcome = alluxio_fs(words, NOWHERE);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (255, ""), "{words:?}");
        assert!(!outcome.stdout.contains("Failed to connect"), "{words:?}: {outcome:?}");
    }
}

#[test]
fn a_master_that_is_not_there_is_named() {
    let outcome = alluxio_fs(&["ls", "/"], NOWHERE);
    assert_eq!(outcome.code, 255);
    let head = "Failed to connect to FileSystemMasterClient master @ 127.0.0.1:1 after ";
    assert!(outcome.stdout.starts_with(head), "{outcome:?}");
}

/// Runs `alluxio fs <words>` against the master at `address`.
fn alluxio_fs(words: &[impl AsRef<str>], address: &str) -> Outcome {
    alluxio(Face::Fs, None, Look::Of1_2, words, address)
}

/// Runs a command as the user `other`, or as who runs the test.
fn alluxio(face: Face, other: Option<&str>, look: Look, words: &[impl AsRef<str>], address: &str) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let identity = Some(Identity { user: other.map_or_else(user, str::to_owned), on_behalf_of: None });
    let retry = RetrySettings {
        max_duration: if address == NOWHERE { Duration::ZERO } else { PATIENCE },
        ..RetrySettings::default()
    };
    let channel = ChannelSettings { identity, ..ChannelSettings::default() };
    let worker = WorkerSettings { channel: channel.clone(), ..WorkerSettings::default() };
    let settings = ShellSettings {
        masters: Box::new(Fixed { address: address.to_owned() }),
        client: ClientSettings { channel, retry, ..ClientSettings::default() },
        data: DataSettings { worker, ..DataSettings::default() },
        create: look.create(),
        show_owners: look != Look::Of1_2,
        dialect: look.dialect(),
        web_ports: WebPorts { master: 1, worker: 1 },
        worker_list_refresh: Duration::ZERO,
    };
    let mut output = Output::new(Box::new(&mut stdout), Box::new(&mut stderr), false);
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let code = shell::run_on(face, &words, settings, &mut output);
    drop(output);
    Outcome { stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap(), code }
}

/// Who runs the test, and so owns the root of a master that the test starts.
fn user() -> String {
    id("-un")
}

/// The first group of who runs the test.
fn group() -> String {
    id("-gn")
}

fn id(option: &str) -> String {
    let id = Command::new("id").arg(option).output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

/// As `ls` shows an owner and a group.
fn columns(owner: &str, group: &str) -> String {
    format!("{owner:<15}{group:<15}")
}
