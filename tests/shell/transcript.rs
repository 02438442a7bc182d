//! Recordings of a shell: read, and made comparable.

use std::fs;
use std::path::Path;

/// A line to be made of a recording.
pub enum Step {
    /// Made for the state it leaves.
    Make(Vec<String>),
    /// Compared with what was recorded.
    Compare(Vec<String>, Outcome),
}

/// What a command gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

/// The steps of `tests/data/legacy-1.2.0/<name>.txt`.
pub fn read(name: &str) -> Vec<Step> {
    let usage = recorded("01-usage");
    let usage = &usage[usage.find("Usage: ").unwrap()..usage.find("[exit 255]").unwrap()];
    let mut steps = Vec::new();
    let text = recorded(name);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix("+ ") {
            steps.push(Step::Make(split(words)));
        } else if let Some(words) = line.strip_prefix("$ alluxio fs") {
            steps.push(Step::Compare(split(words), outcome(&mut lines, usage)));
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{name}: a line that belongs to no command: {line}");
        }
    }
    steps
}

fn recorded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/legacy-1.2.0").join(format!("{name}.txt"));
    fs::read_to_string(&path).unwrap()
}

fn outcome<'a>(lines: &mut impl Iterator<Item = &'a str>, usage: &str) -> Outcome {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for line in lines {
        if let Some(code) = line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')) {
            return Outcome { stdout, stderr, code: code.parse().unwrap() };
        }
        match line.strip_prefix("2> ") {
            Some(line) => stderr += &format!("{line}\n"),
            None if line.starts_with("<usage text exactly as") => stdout += usage,
            None => stdout += &format!("{line}\n"),
        }
    }
    panic!("a recorded command has no [exit …] line");
}

/// The words of a command line, with quotes as the recordings use them.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c));
        let (word, after) = match quote {
            Some(quote) => rest[1..].split_once(quote).unwrap(),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

impl Outcome {
    /// With the host of our master in place of the recorded one, where it is all of the output.
    pub fn with_leader(mut self, host: &str) -> Outcome {
        if self.stdout == "127.0.1.1\n" {
            self.stdout = format!("{host}\n");
        }
        self
    }

    /// Without times, and listings in one order.
    pub fn comparable(self, words: &[String]) -> Outcome {
        let mut lines: Vec<String> = self.stdout.lines().map(mask_time).collect();
        if words.first().is_some_and(|word| word == "ls") {
            lines.sort();
        }
        Outcome { stdout: lines.join("\n"), ..self }
    }
}

/// `line` with each digit of a time `MM-dd-yyyy HH:mm:ss:SSS` replaced.
fn mask_time(line: &str) -> String {
    const SHAPE: &str = "00-00-0000 00:00:00:000";
    let fits = |part: &str| {
        part.len() == SHAPE.len()
            && part.bytes().zip(SHAPE.bytes()).all(
                |(found, shape)| {
                    if shape == b'0' { found.is_ascii_digit() } else { found == shape }
                },
            )
    };
    let found = (0..line.len()).find(|&at| line.get(at..at + SHAPE.len()).is_some_and(fits));
    match found {
        Some(at) => format!("{}{SHAPE}{}", &line[..at], &line[at + SHAPE.len()..]),
        None => line.to_owned(),
    }
}

#[test]
fn only_times_are_masked() {
    assert_eq!(mask_time("5.00B  11-21-2026 20:15:56:419  /d1"), "5.00B  00-00-0000 00:00:00:000  /d1");
    assert_eq!(mask_time("5.00B  11/21/2026 20:15:56:419  /d1"), "5.00B  11/21/2026 20:15:56:419  /d1");
    assert_eq!(split("ls '/d1/*' \"/with space\" /x"), ["ls", "/d1/*", "/with space", "/x"]);
}
