//! Sends sequences to both masters and compares what they answer.

use crate::call::{Answer, Call};
use crate::compare::{Difference, differences};
use crate::known::{Known, silent};
use crate::masters::Pair;
use crate::sequence::Sequence;
use crate::shrink::shrink;
use std::time::Duration;

/// How often a sequence is repeated to shorten it.
const TRIES_MAX: usize = 40;

/// Longer than ours remembers that something was not in the UFS (src/master/ufs/absent.rs); 2.9.6 notes that later.
const ABSENT: Duration = Duration::from_millis(1_100);

/// What came of a sequence.
#[derive(Default)]
pub struct Outcome {
    /// Calls whose answers were compared.
    pub calls: u64,
    /// Of them, those that were answered alike.
    pub equal: u64,
    /// What was known, once for each call.
    pub known: Vec<&'static Known>,
    /// The first that was not; with it the sequence ends.
    pub unknown: Option<Found>,
    /// A master ended in it.
    pub fatal: bool,
}

/// A difference that nobody knows of.
#[derive(Debug, Clone)]
pub struct Found {
    /// The number of the call in the sequence.
    pub at: usize,
    /// The first difference of its answers that is not known.
    pub difference: Difference,
    /// The whole answers.
    pub java: Answer,
    pub ours: Answer,
}

/// The masters, and the number of the next sequence.
pub struct Runner {
    pair: Pair,
    number: u64,
}

impl Runner {
    pub fn new() -> Runner {
        Runner { pair: fresh_pair(), number: 1 }
    }

    /// Runs a sequence up to its first unknown difference, or one after which the masters go different ways.
    pub fn run(&mut self, sequence: &Sequence) -> Outcome {
        self.run_calls(&sequence.all())
    }

    fn run_calls(&mut self, calls: &[Call]) -> Outcome {
        self.pair.begin(self.number);
        self.number += 1;
        let mut outcome = Outcome::default();
        for (at, call) in calls.iter().enumerate() {
            if call.what == "local" && calls[..at].iter().any(|call| call.what != "local") {
                std::thread::sleep(ABSENT);
            }
            let (java, ours) = self.pair.ask(call);
            if matches!(&java, Answer::Refused(code, _) if ["CANCELLED", "UnavailableException"].contains(&code.as_str()))
            {
                self.pair.wait_for_end();
            }
            let differences = differences(call, &java, &ours);
            outcome.calls += 1;
            outcome.equal += u64::from(differences.is_empty());
            if let Some(difference) = differences.iter().find(|difference| difference.known().is_none()) {
                outcome.unknown = Some(Found { at, difference: difference.clone(), java, ours });
                break;
            }
            let mut known: Vec<&'static Known> = differences.iter().filter_map(Difference::known).collect();
            known.dedup_by_key(|known| known.name);
            outcome.known.extend(known);
            let silent = silent(call, &java).is_some();
            if silent || differences.iter().any(Difference::parts) {
                break;
            }
        }
        outcome.fatal = self.pair.is_over();
        if outcome.fatal {
            self.pair = fresh_pair();
        } else {
            self.clean_up();
        }
        outcome
    }

    /// The fewest of the drawn calls after which the same is seen.
    pub fn shortest(&mut self, sequence: &Sequence, found: &Found) -> Vec<Call> {
        let class = found.difference.class();
        let sent = (found.at + 1).saturating_sub(sequence.first.len());
        let drawn = &sequence.drawn[..sent.min(sequence.drawn.len())];
        let shortest = shrink(drawn, TRIES_MAX, |drawn| {
            let outcome = self.run(&sequence.with(drawn));
            outcome.unknown.is_some_and(|found| found.difference.class() == class)
        });
        [&sequence.first[..], &shortest].concat()
    }

    /// Sends them and shows what both say.
    pub fn replay(&mut self, calls: &[Call]) {
        self.pair.begin(self.number);
        for call in calls {
            let (java, ours) = self.pair.ask(call);
            let all = differences(call, &java, &ours);
            let mark = if all.is_empty() { "   same" } else { "   2.9.6" };
            println!("{call}\n{mark}: {java}");
            if !all.is_empty() {
                println!("   ours : {ours}");
            }
            let parts = all.iter().any(Difference::parts);
            for difference in all {
                let known = difference.known().map_or("UNKNOWN", |known| known.name);
                println!("   {known}: {}", difference.class());
            }
            if parts {
                println!("   what follows cannot be compared");
                break;
            }
        }
        self.clean_up();
    }

    /// Nothing of a sequence may show in the next one. Each master has mounts of its own by now.
    fn clean_up(&mut self) {
        let (java, ours) = self.pair.ask(&Call::new("root", "GetMountTable", &["checkUfs: false"]));
        let mut points: Vec<String> = [java, ours].iter().flat_map(mount_points).collect();
        points.sort_by_key(|point| std::cmp::Reverse(point.len()));
        points.dedup();
        for point in points {
            self.pair.ask(&Call::new(
                "root",
                "Unmount",
                &[&format!("alluxioPath: {}", crate::sequence::quote(&point))],
            ));
        }
        let all = "path: \"{T}\" options { recursive: true unchecked: true deleteMountPoint: true }";
        self.pair.ask(&Call::new("root", "Remove", &[all]));
        for folder in ["{U}", "{O}"] {
            self.pair.ask(&Call::new("root", "local", &["rm", folder]));
        }
    }
}

fn fresh_pair() -> Pair {
    let mut pair = Pair::start();
    pair.begin(0);
    pair.register_worker();
    pair
}

/// Paths of the mounts below the directory of the sequence.
fn mount_points(table: &Answer) -> Vec<String> {
    let Answer::Done(fields) = table else { return Vec::new() };
    let points = fields.iter().filter_map(|(name, _)| name.strip_prefix("mountPoints[")?.strip_suffix("].ufsUri"));
    points.filter(|point| *point != "/").map(|point| point.replace("\\\\", "\\")).collect()
}

#[test]
fn mounts_are_read_from_their_table() {
    let table =
        Answer::parse("ok\tmountPoints[/].ufsUri=/x\tmountPoints[{T}/a].ufsUri={O}\tmountPoints[{T}/a].mountId=#1");
    assert_eq!(mount_points(&table), ["{T}/a"]);
}
