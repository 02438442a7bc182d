//! Random calls, by several users, sent to a master of 2.9.6 and to one of ours: answers, errors, the namespace that comes
//! of them and the files in the UFS are the same, but for what `known.rs` lists.
//!
//! A sequence of calls happens below a directory of its own, so it can be repeated, and shortened, at once. Needs Java and
//! its jars (`scripts/java-master`); `scripts/test --long differential --seed S --calls N` runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod call;
mod compare;
#[path = "../harness/free_port.rs"]
mod free_port;
mod known;
mod masters;
mod report;
mod requests;
#[path = "../sim/rng.rs"]
mod rng;
mod run;
mod sequence;
mod shrink;

use std::env;
use std::fs;

use call::Call;
use report::Report;
use run::Runner;
use sequence::Sequence;

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
#[ignore = "needs the original master: scripts/test --long differential"]
fn random_calls_are_answered_as_by_2_9_6() {
    let seed = number("DIFFERENTIAL_SEED").unwrap_or(1);
    let calls_min = number("DIFFERENTIAL_CALLS").unwrap_or(20_000);
    let mut runner = Runner::new();
    let mut report = Report::new(seed);
    if let Ok(file) = env::var("DIFFERENTIAL_REPLAY") {
        let lines = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let calls: Vec<Call> = lines.lines().filter(|line| !line.starts_with('#')).filter_map(Call::parse).collect();
        runner.replay(&calls);
        return;
    }
    let only = number("DIFFERENTIAL_SEQUENCE");
    let mut at = only.unwrap_or(0);
    while report.calls() < calls_min && report.goes_on() {
        let sequence = Sequence::draw(seed, at);
        let outcome = runner.run(&sequence);
        report.count(&outcome);
        if let Some(found) = outcome.unknown
            && report.is_new(&found)
        {
            // A start of both takes longer than to read the sequence.
            let shortest =
                if outcome.fatal { sequence.all()[..=found.at].to_vec() } else { runner.shortest(&sequence, &found) };
            report.add(at, found, &shortest);
        }
        if only.is_some() {
            break;
        }
        at += 1;
    }
    report.end(at);
}
