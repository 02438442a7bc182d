//! Recordings of a shell: read, and made comparable.

use std::fs;
use std::path::Path;

/// A line to be made of a recording.
pub enum Step {
    /// Made for the state it leaves.
    Make(Vec<String>),
    /// A file in the UFS.
    Write(String, String),
    /// Compared with what was recorded.
    Compare(Line),
}

/// A command and what it gave.
pub struct Line {
    /// The user who typed it; none for the one who runs the servers.
    pub user: Option<String>,
    pub words: Vec<String>,
    pub expected: Outcome,
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
        let (user, command) = match line.strip_prefix("(as ").and_then(|rest| rest.split_once(") ")) {
            Some((user, command)) => (Some(user.to_owned()), command),
            None => (None, line),
        };
        if let Some(words) = line.strip_prefix("+ ") {
            steps.push(Step::Make(split(words)));
        } else if let Some((path, text)) = line.strip_prefix("! /").and_then(|rest| rest.split_once(' ')) {
            steps.push(Step::Write(path.to_owned(), format!("{text}\n")));
        } else if let Some(words) = command.strip_prefix("$ alluxio fs") {
            steps.push(Step::Compare(Line { user, words: split(words), expected: outcome(&mut lines, usage) }));
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
pub fn split(line: &str) -> Vec<String> {
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

/// Commands that print what they did in an order that is the original's by chance.
const WITHOUT_ORDER: [&str; 4] = ["ls", "cp", "copyFromLocal", "copyToLocal"];

/// What replaces what differs from run to run. In `fileInfo` names stand before values.
pub const FIELDS: [&str; 12] = [
    "fileId=",
    "blockIds=",
    "{id=",
    "workerId=",
    "host=",
    "rpcPort=",
    "dataPort=",
    "webPort=",
    "TimeMs=",
    "TimesMs=",
    "file id ",
    // Which DataNodes have a block; the UFS of this test is a folder.
    "ufsLocations=",
];

impl Outcome {
    /// Without what differs from run to run: times, ids, addresses, who owns what (nobody, in the recordings).
    pub fn comparable(self, words: &[String]) -> Outcome {
        let mut lines: Vec<String> = self.stdout.lines().map(mask).collect();
        if words.first().is_some_and(|word| WITHOUT_ORDER.contains(&word.as_str())) {
            lines.sort();
        }
        // Of an exception, the stack is not ours.
        let stderr = match self.stderr.starts_with("Exception in thread") {
            true => self.stderr.lines().next().unwrap_or_default().to_owned(),
            false => self.stderr,
        };
        Outcome { stdout: lines.join("\n"), stderr, code: self.code }
    }

    /// With `text` in place of each `pattern`.
    pub fn with(self, pattern: &str, text: &str) -> Outcome {
        Outcome { stdout: self.stdout.replace(pattern, text), stderr: self.stderr.replace(pattern, text), ..self }
    }
}

fn mask(line: &str) -> String {
    let mut line = mask_random_name(&mask_time(line));
    for field in FIELDS {
        line = mask_field(&line, field);
    }
    if line.starts_with("FileInfo{") {
        for (from, to) in [("ufsPath=", ", length="), ("owner=", ", mode=")] {
            let start = line.find(from).unwrap() + from.len();
            let end = start + line[start..].find(to).unwrap();
            line.replace_range(start..end, "…");
        }
    }
    line
}

/// `line` with the value behind each `field` replaced.
pub fn mask_field(line: &str, field: &str) -> String {
    let mut parts = line.split(field);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let value = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
        masked += &format!("{field}…{}", part.trim_start_matches(value));
    }
    masked
}

/// `line` with a name that a copy has while it is made replaced.
pub fn mask_random_name(line: &str) -> String {
    match line.split_once("_copyToLocal_") {
        Some((head, tail)) => format!("{}…_copyToLocal_{tail}", &head[..head.len() - 8]),
        None => line.to_owned(),
    }
}

/// `line` with each digit of a time `MM-dd-yyyy HH:mm:ss:SSS` replaced.
pub fn mask_time(line: &str) -> String {
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
fn only_what_differs_from_run_to_run_is_masked() {
    assert_eq!(mask_time("5.00B  11-21-2026 20:15:56:419  /d1"), "5.00B  00-00-0000 00:00:00:000  /d1");
    assert_eq!(mask_time("5.00B  11/21/2026 20:15:56:419  /d1"), "5.00B  11/21/2026 20:15:56:419  /d1");
    assert_eq!(mask("BlockInfo{id=7, length=14, locations=[]}"), "BlockInfo{id=…, length=14, locations=[]}");
    assert_eq!(mask("/a/out.YIctxq3N_copyToLocal_ (No)"), "/a/out.…_copyToLocal_ (No)");
    assert_eq!(mask("/d1 is 5514 bytes"), "/d1 is 5514 bytes");
    assert_eq!(split("ls '/d1/*' \"/with space\" /x"), ["ls", "/d1/*", "/with space", "/x"]);
}
