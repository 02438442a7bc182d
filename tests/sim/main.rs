//! The simulator: the shipped driver, role, tailer, writer and state in a world where everything goes wrong.
//!
//! `scripts/sim --seeds N [--seed S]`. Environment: SIM_SEEDS, SIM_SEED (one seed, with its trace on failure), SIM_TRACE,
//! SIM_MUTANT (one of them), SIM_MUTANT_SEEDS.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![expect(missing_docs, reason = "a test has no users")]

mod client;
mod effects;
mod faults;
mod load;
mod model;
mod perform;
mod rng;
mod workers;
mod world;

use alluxio::journal::chain::Position;
use alluxio::journal::folder::CheckpointId;
use alluxio::journal::writer::WriterLimits;
use alluxio::master::driver::DriverSettings;
use alluxio::master::ops;
use alluxio::master::role::{FencingMode, RoleSettings};
use alluxio::master::state::CheckpointOrigin;
use alluxio::master::workers::WorkerLimits;
use std::time::Duration;
use world::{CLUSTER, Coverage, Options, SECOND, World};

pub fn address(host: usize) -> String {
    format!("host{host}:19998")
}

pub fn ops_settings() -> ops::Settings {
    ops::Settings {
        permission_checking: true,
        super_group: "supergroup".into(),
        umask: 0o022,
        root_ufs: effects::ROOT.into(),
    }
}

pub fn settings(mode: FencingMode, host: usize, incarnation: &str) -> DriverSettings {
    // Not all masters of a rolling change have the same settings.
    let lease = Duration::from_secs(if host == 1 { 3 } else { 2 });
    DriverSettings {
        role: RoleSettings { mode, lease, address: address(host), incarnation: incarnation.into() },
        cluster_id: CLUSTER.into(),
        limits: WriterLimits { segment_bytes: 20_000, unacknowledged_bytes: 100_000 },
        ops: ops_settings(),
        root_owner: "root".into(),
        root_group: "root".into(),
        checkpoint_entries: 60,
        workers: WorkerLimits { timeout: Duration::from_secs(8), connect_wait: Duration::from_secs(5) },
    }
}

pub fn checkpoint_origin(id: CheckpointId, genesis: u64) -> CheckpointOrigin {
    let position = Position { sequence: id.sequence, hash: id.hash };
    CheckpointOrigin { position, genesis, cluster_id: CLUSTER.into() }
}

/// A seed decides everything, the shape of the world too.
fn options(seed: u64) -> Options {
    let mut rng = rng::Rng::new(seed ^ 0x5eed);
    Options {
        masters: if rng.chance(1, 3) { 3 } else { 2 },
        replicas: if rng.chance(1, 2) { 3 } else { 1 },
        clients: 4 + rng.index(3),
        operations: 220,
        mode: if rng.chance(1, 4) { FencingMode::Confirm } else { FencingMode::Lease },
        names: if rng.chance(1, 2) { 2 } else { client::PATHS.len() },
    }
}

/// Seeds that found a fault once, of the masters or of this world.
const FOUND_ONCE: &[u64] = &[
    // A paused leader that goes by ZooKeeper begins to serve too late, and is not to be asked what it knows.
    182,
];

/// Runs one seed.
fn run(seed: u64) -> Result<Coverage, String> {
    let mut world = World::new(seed, options(seed));
    let outcome = play(&mut world);
    match outcome {
        Ok(()) => Ok(world.coverage),
        Err(text) => {
            let trace = if world.tracing { world.trace.join("\n") + "\n" } else { String::new() };
            let (step, at) = (world.coverage.steps, world.now / 1000);
            let again = format!("scripts/sim --seed {seed}");
            Err(format!(
                "{trace}seed {seed}, step {step}, {at} ms: {text}\nsegments {:?}\nto repeat: {again}",
                world.segments()
            ))
        }
    }
}

/// The longest that faults may go on, and that everybody may wait for an answer afterwards.
const FAULTS_END: u64 = 120 * SECOND;
const PATIENCE: u64 = 90 * SECOND;

fn play(world: &mut World) -> Result<(), String> {
    let mut healed_at = None;
    loop {
        let action = world.next().ok_or("nothing happens any more")?;
        world.mend_store();
        world.act(action)?;
        world.tell_watchers();
        let done = world.history.len() >= world.options.operations;
        match healed_at {
            None if done || world.now > FAULTS_END => {
                world.heal();
                healed_at = Some(world.now);
            }
            Some(_) if done && world.is_idle() && world.workers_are_settled() => break,
            Some(at) if world.now > at + PATIENCE => {
                return Err(format!("no progress although all faults ended; {}", world.open()));
            }
            _ => {}
        }
    }
    world.check_ufs()?;
    world.check_copies()?;
    model::linearize(&world.history)
}

fn add(sum: &mut Coverage, one: Coverage) {
    let Coverage { steps, faults, takeovers, ambiguous, zombie_writes, failed_flushes, .. } = one;
    sum.steps += steps;
    sum.faults += faults;
    sum.takeovers += takeovers;
    sum.ambiguous += ambiguous;
    sum.zombie_writes += zombie_writes;
    sum.failed_flushes += failed_flushes;
    sum.torn_tails += one.torn_tails;
    sum.checkpoints_loaded += one.checkpoints_loaded;
    sum.held_reads += one.held_reads;
    sum.unknown_lengths += one.unknown_lengths;
    sum.fenced += one.fenced;
    sum.stops_under_load += one.stops_under_load;
    sum.deaths_under_load += one.deaths_under_load;
    sum.usurped += one.usurped;
    sum.effects += one.effects;
    sum.settled += one.settled;
    sum.files_written += one.files_written;
    sum.worker_deaths += one.worker_deaths;
    sum.dropped += one.dropped;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn no_seed_finds_a_violation() {
    let seeds = number("SIM_SEEDS").unwrap_or(30);
    let first = number("SIM_FIRST").unwrap_or(1);
    if let Some(seed) = number("SIM_SEED") {
        match run(seed) {
            Ok(coverage) => println!("seed {seed} holds: {coverage:?}"),
            Err(text) => panic!("{text}"),
        }
        return;
    }
    let mut sum = Coverage::default();
    for seed in FOUND_ONCE.iter().copied().chain(first..first + seeds) {
        match run(seed) {
            Ok(coverage) => add(&mut sum, coverage),
            Err(text) => panic!("{text}"),
        }
    }
    println!("{seeds} seeds hold: {sum:?}");
    if seeds >= 30 {
        let Coverage { takeovers, ambiguous, zombie_writes, failed_flushes, torn_tails, .. } = sum;
        for (what, count) in [
            ("takeovers", takeovers),
            ("ambiguous replies", ambiguous),
            ("zombie writes", zombie_writes),
            ("failed flushes", failed_flushes),
            ("torn tails", torn_tails),
            ("reloaded standbys", sum.checkpoints_loaded),
            ("held reads", sum.held_reads),
            ("fenced leaders", sum.fenced),
            ("stops under load", sum.stops_under_load),
            ("deaths under load", sum.deaths_under_load),
            ("usurped leaders", sum.usurped),
            ("changes of the UFS", sum.effects),
            ("intents of dead masters", sum.settled),
            ("files of writers", sum.files_written),
            ("dead workers", sum.worker_deaths),
            ("dropped copies", sum.dropped),
        ] {
            assert!(count > 0, "no seed met {what}: {sum:?}");
        }
    }
}

/// A check is believed when it has been seen to fail: each broken rule must be caught.
#[cfg(feature = "mutants")]
#[test]
fn every_mutant_is_caught() {
    use alluxio::types::mutant::{self, Mutant};
    let seeds = number("SIM_MUTANT_SEEDS").unwrap_or(2000);
    let mut survivors = Vec::new();
    std::panic::set_hook(Box::new(|_| {}));
    let only = std::env::var("SIM_MUTANT").ok();
    for broken in Mutant::ALL.iter().filter(|mutant| only.as_ref().is_none_or(|only| format!("{mutant:?}") == *only)) {
        mutant::set(Some(*broken));
        let caught = (1..=seeds).find_map(|seed| match std::panic::catch_unwind(|| run(seed)) {
            Ok(Ok(_)) => None,
            Ok(Err(text)) => Some((seed, text.lines().next().unwrap_or_default().to_owned())),
            Err(_) => Some((seed, "an assertion failed".to_owned())),
        });
        mutant::set(None);
        match caught {
            Some((seed, text)) => println!("{broken:?}: caught by seed {seed}: {text}"),
            None => survivors.push(broken),
        }
    }
    let _ = std::panic::take_hook();
    assert!(survivors.is_empty(), "not caught within {seeds} seeds: {survivors:?}");
}
