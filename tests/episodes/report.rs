//! The figures of many episodes.

use std::collections::BTreeMap;
use std::fmt;

use crate::budget::exceeded;
use crate::episode::{Found, Outage, Silence};

#[derive(Default)]
pub struct Report {
    episodes: usize,
    calls: usize,
    unanswered: usize,
    failed: usize,
    repeated: u64,
    repeated_elsewhere: u64,
    misused: u64,
    /// By name of the fault.
    outages: BTreeMap<String, Times>,
    pub violations: Vec<String>,
    /// Faults that cost more than they may.
    pub exceeded: Vec<String>,
    java_errors: Vec<String>,
}

/// In milliseconds.
#[derive(Default)]
struct Times {
    /// How long no change was answered.
    silence: Vec<u64>,
    /// From the end of the fault to the first answered change.
    back: Vec<u64>,
    /// How long no change in Alluxio alone was answered.
    alone: Vec<u64>,
    /// How long no change in the UFS was answered.
    through: Vec<u64>,
    /// From the end of the fault to the first of these.
    through_back: Vec<u64>,
    /// The longest wait of each client.
    clients: Vec<u64>,
}

impl Report {
    /// Adds an episode, in which a fault may cost `slack` times its budget.
    pub fn add(&mut self, found: Found, slack: u64) {
        let Found { seed, outages, calls, unanswered, failed, repeated, repeated_elsewhere, misused, .. } = found;
        let Found { violations, java_errors, .. } = found;
        let waits: Vec<_> = outages.iter().map(|o| format!("{}: {}", o.fault, told(o))).collect();
        println!(
            "episode {seed}: {calls} calls, {unanswered} unanswered, {failed} refused by the UFS, {repeated} repeated, \
             {repeated_elsewhere} at another leader, {misused} misused; {}",
            waits.join(", ")
        );
        for violation in &violations {
            println!("VIOLATION, to repeat the choices: --seed {seed} --count 1: {violation}");
        }
        java_errors.iter().for_each(|error| println!("episode {seed}: Java: {error}"));
        self.episodes += 1;
        self.calls += calls;
        self.unanswered += unanswered;
        self.failed += failed;
        self.repeated += repeated;
        self.repeated_elsewhere += repeated_elsewhere;
        self.misused += misused;
        for outage in outages {
            if let Some(text) = exceeded(&outage, slack) {
                println!("TOO LONG: episode {seed}: {text}");
                self.exceeded.push(format!("episode {seed}: {text}"));
            }
            let times = self.outages.entry(outage.fault.to_string()).or_default();
            times.silence.push(outage.service.longest_ms);
            times.back.push(outage.service.back_ms);
            times.alone.push(outage.alone.longest_ms);
            times.through.push(outage.through.longest_ms);
            times.through_back.push(outage.through.back_ms);
            times.clients.extend(outage.client_ms);
        }
        self.violations.extend(violations);
        self.java_errors.extend(java_errors);
    }
}

/// For how long which changes were not answered.
fn told(outage: &Outage) -> String {
    let of = |silence: &Silence| format!("{} ms, {} ms after it", silence.longest_ms, silence.back_ms);
    let Outage { service, alone, through, lasted_ms, .. } = outage;
    format!(
        "away for {lasted_ms} ms, no change for {} (in Alluxio alone {}; in the UFS {})",
        of(service),
        of(alone),
        of(through)
    )
}

/// The value below which `part` of 100 lie.
fn percentile(values: &[u64], part: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    let at = (values.len() * part).div_ceil(100).saturating_sub(1);
    values[at] as f64 / 1000.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { episodes, calls, unanswered, failed, repeated, repeated_elsewhere, misused, .. } = self;
        writeln!(
            f,
            "{episodes} episodes, {calls} calls, {unanswered} without an answer ({} of Java), {failed} refused by the UFS, \
             {repeated} repeated with their first answer ({repeated_elsewhere} at another leader), {misused} refused because \
             their id was used for something else, {} violations, {} faults that took too long\n",
            self.java_errors.len(),
            self.violations.len(),
            self.exceeded.len()
        )?;
        writeln!(
            f,
            "| fault | times | no change answered, p50 s | p99 | max | after its end, max s | in Alluxio alone, max s | \
             in the UFS, max s | after its end, max s | longest wait of a client, p50 s | p99 | max |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for (fault, Times { silence, back, alone, through, through_back, clients }) in &self.outages {
            let of = |values: &[u64]| [50, 99, 100].map(|part| format!("{:.2}", percentile(values, part))).join(" | ");
            let max = [back, alone, through, through_back].map(|values| format!("{:.2}", percentile(values, 100)));
            writeln!(f, "| {fault} | {} | {} | {} | {} |", silence.len(), of(silence), max.join(" | "), of(clients))?;
        }
        Ok(())
    }
}
