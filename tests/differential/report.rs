//! What came of all sequences.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::call::Call;
use crate::known::{KNOWN, State};
use crate::run::{Found, Outcome};

/// After so many classes of unknown differences a run ends.
const CLASSES_MAX: usize = 40;

/// Counts, and what is unknown.
pub struct Report {
    seed: u64,
    calls: u64,
    equal: u64,
    known: BTreeMap<&'static str, u64>,
    /// By class; how often each was met, in the order of the first time.
    unknown: Vec<(String, u64)>,
}

impl Report {
    pub fn new(seed: u64) -> Report {
        Report { seed, calls: 0, equal: 0, known: BTreeMap::new(), unknown: Vec::new() }
    }

    /// Calls that were compared.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    pub fn goes_on(&self) -> bool {
        self.unknown.len() < CLASSES_MAX
    }

    pub fn count(&mut self, outcome: &Outcome) {
        self.calls += outcome.calls;
        self.equal += outcome.equal;
        for known in &outcome.known {
            *self.known.entry(known.name).or_default() += 1;
        }
    }

    /// The first of its class.
    pub fn is_new(&mut self, found: &Found) -> bool {
        let class = found.difference.class();
        if let Some((_, times)) = self.unknown.iter_mut().find(|(known, _)| *known == class) {
            *times += 1;
            return false;
        }
        true
    }

    /// Shows a difference with the calls that lead to it, and keeps those in a file.
    pub fn add(&mut self, sequence: u64, found: Found, shortest: &[Call]) {
        let file = folder().join(format!("{}-{sequence}.calls", self.seed));
        let class = found.difference.class();
        let seed = self.seed;
        let mut text = format!("# {class}\n# seed {seed}, sequence {sequence}\n");
        text += &shortest.iter().map(|call| format!("{call}\n")).collect::<String>();
        if !shortest.contains(&found.difference.call) {
            text += &format!("{}\n", found.difference.call);
        }
        fs::create_dir_all(folder()).unwrap();
        fs::write(&file, &text).unwrap();
        let field =
            if found.difference.field.is_empty() { String::new() } else { format!("{}: ", found.difference.field) };
        println!("DIFFERENT {class}");
        println!("{text}  2.9.6: {field}{}\n  ours : {field}{}", found.difference.java, found.difference.ours);
        println!("  2.9.6: {}\n  ours : {}", found.java, found.ours);
        println!("  repeat: scripts/test --long differential --seed {seed} --sequence {sequence}");
        println!("  or    : scripts/test --long differential --replay {}\n", file.display());
        self.unknown.push((class, 1));
    }

    /// The summary; fails if anything is unknown.
    pub fn end(&self, sequences: u64) {
        let (calls, equal) = (self.calls, self.equal);
        println!("seed {}: {sequences} sequences, {calls} calls compared, {equal} answered alike", self.seed);
        for state in [State::NotYet, State::ByDesign] {
            println!("{state:?}:");
            for known in KNOWN.iter().filter(|known| known.state == state) {
                let times = self.known.get(known.name).copied().unwrap_or_default();
                println!("{times:8}  {}: {}", known.name, known.why);
            }
        }
        for (class, times) in &self.unknown {
            println!("{times:8}  UNKNOWN {class}");
        }
        assert!(self.unknown.is_empty(), "{} unknown differences to 2.9.6, see above", self.unknown.len());
    }
}

/// Where sequences are kept.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("differential")
}
