//! The shell as users of 2.9.6 know it: its recordings, replayed on a master of ours with `alluxio.compatibility=2.9`.
//!
//! `tests/data/alluxio-2.9.6-transcripts` has what the original printed, without what other programs and Java's terminal
//! library did. `+ ` lines are made for the state that they
//! leave: the recordings do not show all that was typed. What cannot be the same yet is in [`DIFFERENT`], with the reason;
//! a line there that has become the same fails the test, too.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::different_2_9::DIFFERENT;
use crate::fixture::{self, Fixture};
use crate::master::Master;
use crate::transcript::{FIELDS, Outcome, mask_field, mask_random_name, mask_time, split};
use crate::{LOOKS_MAX, Look, alluxio, columns, group, user};
use alluxio::shell::Face;

/// In the order of the recordings, which build on one another.
const TRANSCRIPTS: [&str; 11] = [
    "fs-01-usage",
    "fs-02-mkdir-touch",
    "fs-03-copy-cat-head-tail",
    "fs-04-ls",
    "fs-05-stat-du-count-test",
    "fs-06-perm-acl",
    "fs-07-pin-free-load-persist-ttl",
    "fs-08-mount",
    "fs-09-rm",
    "fs-10-freeworker",
    "fsadmin",
];

/// Begins a command of `alluxio fsadmin`; the others are of `alluxio fs`.
const FS_ADMIN: &str = "fsadmin";

/// Lines of the recordings.
const LINES: usize = 370;

/// Commands whose answer needs a heartbeat of the worker, or a file on its way to the UFS, to come true.
const LOOKS: [&str; 7] = ["ls", "stat", "du", "count", "location", "getUsedBytes", "persist"];

/// Commands that print what they did in an order that is the original's by chance.
const WITHOUT_ORDER: [&str; 3] = ["cp", "copyFromLocal", "mount"];

/// What differs from run to run beside what does in 1.2.0, too.
const MORE_FIELDS: [&str; 4] = ["(node=", "Time elapsed ", "capacity=", "used="];

#[test]
fn the_shell_answers_as_2_9_6_did() {
    let replay = Replay { fixture: Fixture::enter_2_9(), master: Master::start() };
    let (mut complaints, mut compared) = (Vec::new(), 0);
    for name in TRANSCRIPTS {
        let mut same: Vec<(String, bool)> = Vec::new();
        for step in read(name) {
            match step {
                Step::Make(command) => {
                    let outcome = replay.run(&command);
                    if outcome.code != 0 {
                        complaints.push(format!("{name}: {command} is made for what follows: {outcome:?}"));
                    }
                }
                Step::Write(path, text) => fixture::write(&replay.master.hdfs, &path, &text),
                Step::Compare(command, expected) => {
                    compared += 1;
                    let different = DIFFERENT.iter().any(|(n, c, _)| *n == name && *c == command);
                    let patience = if different { Duration::ZERO } else { LOOKS_MAX };
                    let difference = replay.difference(&command, expected, patience);
                    same.push((command, difference.is_none()));
                    if !different {
                        complaints.extend(difference.map(|text| format!("{name}: {text}")));
                    }
                }
            }
        }
        for (_, command, _) in DIFFERENT.iter().filter(|(transcript, _, _)| *transcript == name) {
            if same.iter().filter(|(made, _)| made == command).all(|(_, same)| *same) {
                complaints.push(format!("{name}: {command} is answered as it was recorded, or never made"));
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
    assert_eq!(compared, LINES, "all commands of the recordings were made");
}

struct Replay {
    fixture: Fixture,
    master: Master,
}

impl Replay {
    /// How what the command gives differs from the recording, if it does.
    #[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
    fn difference(&self, command: &str, expected: Outcome, patience: Duration) -> Option<String> {
        let words = split(command);
        let expected = comparable(expected, &words);
        let may_change = words.first().is_some_and(|word| LOOKS.contains(&word.as_str()));
        let begin = Instant::now();
        loop {
            let found = comparable(self.run(command), &words);
            if found == expected {
                return None;
            }
            if !may_change || begin.elapsed() >= patience {
                return Some(format!("{command}\nexpected {expected:#?}\nfound {found:#?}"));
            }
        }
    }

    /// Runs a command with the places of this test instead of those of the recordings, and tells it with the latter.
    fn run(&self, command: &str) -> Outcome {
        let places = self.places();
        let (command, pipe) =
            command.split_once(" | ").map_or((command, None), |(command, pipe)| (command, Some(pipe)));
        let mut words = split(command);
        for (theirs, ours) in &places {
            words.iter_mut().for_each(|word| *word = word.replace(theirs, ours));
        }
        // The group of who made the recordings.
        words.iter_mut().filter(|word| *word == "root").for_each(|word| *word = group());
        const USER: &str = "-Dalluxio.security.login.username=";
        let other = words.first().and_then(|word| word.strip_prefix(USER)).map(str::to_owned);
        let words = if other.is_some() { &words[1..] } else { &words[..] };
        let (face, words) = match words.split_first() {
            Some((first, rest)) if first == FS_ADMIN => (Face::FsAdmin, rest),
            _ => (Face::Fs, words),
        };
        let mut outcome = alluxio(face, other.as_deref(), Look::Of2_9, words, &self.master.address);
        for (theirs, ours) in &places {
            outcome = outcome.with(ours, theirs);
        }
        let (user, group) = (user(), group());
        for (theirs, ours) in [
            (columns("root", "root"), columns(&user, &group)),
            ("owner=root, group=root".into(), format!("owner={user}, group={group}")),
            ("owner: root\n# group: root".into(), format!("owner: {user}\n# group: {group}")),
            ("owner=root, inode group=root".into(), format!("owner={user}, inode group={group}")),
            ("|root|root|".into(), format!("|{user}|{group}|")),
        ] {
            outcome = outcome.with(&ours, &theirs);
        }
        match pipe {
            None => outcome,
            Some(pipe) => Outcome { stdout: piped(&outcome.stdout, pipe), ..outcome },
        }
    }

    /// Places of the recordings, and what stands for them here.
    fn places(&self) -> [(&'static str, String); 6] {
        let (path, host) = (self.fixture.path(), self.master.host());
        let port = self.master.address.rsplit_once(':').unwrap().1;
        [
            ("/lab/local", path.join("local").display().to_string()),
            ("/lab/run", path.join("run").display().to_string()),
            ("/lab/data", self.master.hdfs.display().to_string()),
            ("127.0.2.1:21001", self.master.address.clone()),
            ("127.0.2.1/<unresolved>:21001", format!("{host}/<unresolved>:{port}")),
            ("127.0.2.1", host.to_owned()),
        ]
    }
}

/// What the programs behind the recorded pipes make of `text`.
fn piped(text: &str, program: &str) -> String {
    match program {
        "head -3" => text.lines().take(3).map(|line| format!("{line}\n")).collect(),
        "wc -c" => format!("{}\n", text.len()),
        other => panic!("{other} is in no recording"),
    }
}

enum Step {
    Make(String),
    Write(String, String),
    Compare(String, Outcome),
}

fn read(name: &str) -> Vec<Step> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/alluxio-2.9.6-transcripts");
    let text = std::fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap();
    let mut lines = text.lines();
    let mut steps = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("+ ") {
            steps.push(Step::Make(command.to_owned()));
        } else if let Some((path, text)) = line.strip_prefix("! /").and_then(|rest| rest.split_once(' ')) {
            steps.push(Step::Write(path.to_owned(), format!("{text}\n")));
        } else if let Some(command) = line.strip_prefix("$ alluxio ").filter(|command| command.starts_with(FS_ADMIN)) {
            steps.push(Step::Compare(command.trim().to_owned(), outcome(&mut lines)));
        } else if let Some(command) = line.strip_prefix("$ alluxio fs") {
            steps.push(Step::Compare(command.trim().to_owned(), outcome(&mut lines)));
        } else {
            panic!("{name}: a line that belongs to no command: {line}");
        }
    }
    steps
}

fn outcome<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Outcome {
    let mut streams = [String::new(), String::new()];
    let mut stream = 0;
    for line in lines {
        if let Some(code) = line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')) {
            let [stdout, stderr] = streams;
            return Outcome { stdout, stderr, code: code.parse().unwrap() };
        }
        match line {
            "[stderr]" => stream = 1,
            line => streams[stream] += &format!("{line}\n"),
        }
    }
    panic!("a recorded command has no [exit …] line");
}

/// Without what differs from run to run: times, ids, ports, the room of a disk.
fn comparable(outcome: Outcome, words: &[String]) -> Outcome {
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(mask).collect();
        if words.first().is_some_and(|word| WITHOUT_ORDER.contains(&word.as_str())) {
            lines.sort();
        }
        lines.join("\n")
    };
    // That a text ends without a newline is not recorded.
    Outcome { stdout: lines(&outcome.stdout), stderr: lines(&outcome.stderr), code: outcome.code }
}

fn mask(line: &str) -> String {
    let mut line = mask_random_name(&mask_time(line));
    for field in FIELDS.into_iter().chain(MORE_FIELDS) {
        line = mask_field(&line, field);
    }
    line = mask_numbers(&line);
    // The part of the disk that is used.
    if let (Some(at), true) = (line.find("%), "), line.contains("capacity=")) {
        let start = line[..at].rfind('(').unwrap();
        line.replace_range(start..at + 2, "");
    }
    // Id and times of `stat -f`.
    match line.split_once("|root|root|") {
        Some((head, _)) => format!("{head}|root|root|…"),
        None => line,
    }
}

/// `line` with each number of eight digits and more replaced: ids and times.
fn mask_numbers(line: &str) -> String {
    let mut masked = String::new();
    let mut digits = String::new();
    for c in line.chars().chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        masked += if digits.len() >= 8 { "…" } else { &digits };
        digits.clear();
        masked.push(c);
    }
    masked.pop();
    masked
}

#[test]
fn in_2_9_what_needs_no_master_answers_without_one() {
    for words in [&["ls"][..], &["nosuch"], &["help", "nosuch"], &["ls", "relative"], &["distributedCp", "/a", "/b"]] {
        let outcome = alluxio(Face::Fs, None, Look::Of2_9, words, crate::NOWHERE);
        assert_eq!(outcome.code, 255, "{words:?}");
        assert!(!outcome.stdout.contains("Failed to connect"), "{words:?}: {outcome:?}");
    }
    // Commands of 1.2.0 alone are unknown here, and those of 2.9 alone are unknown there.
    for (look, name) in [(Look::Of2_9, "fileInfo"), (Look::Of2_9, "lsr"), (Look::Of1_2, "stat")] {
        let outcome = alluxio(Face::Fs, None, look, &[name, "/"], crate::NOWHERE);
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(told.contains(&format!("{name} is an unknown command.")), "{outcome:?}");
    }
}

#[test]
fn in_2_9_what_needs_a_scheduler_names_it() {
    for (words, lacks) in [
        (&["load", "/a", "--submit"][..], "the scheduler of load jobs"),
        (&["load", "/a", "--progress", "--verbose"], "the scheduler of load jobs"),
        (&["distributedCp", "/a", "/b"], "the job service"),
    ] {
        let outcome = alluxio(Face::Fs, None, Look::Of2_9, words, crate::NOWHERE);
        assert_eq!(outcome.code, 255);
        assert!(outcome.stdout.contains(lacks), "{outcome:?}");
    }
}
