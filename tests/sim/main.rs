//! The simulator: the shipped driver, role, tailer, writer and state in a world where everything goes wrong.
//!
//! `scripts/sim --seeds N [--seed S]`. Environment: SIM_SEEDS, SIM_SEED (one seed, with its trace on failure), SIM_TRACE,
//! SIM_MUTANT (one of them; with SIM_SEED, too), SIM_MUTANT_SEEDS.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![expect(missing_docs, reason = "a test has no users")]

mod audit;
mod client;
mod collect;
mod coordinator;
mod coverage;
mod doom;
mod echo;
mod effects;
mod election;
mod epilogue;
mod faults;
mod folder;
mod formatter;
mod load;
mod model;
mod outsiders;
mod perform;
mod raft;
mod rng;
mod staged;
mod workers;
mod world;

use alluxio::journal::folder::CheckpointId;
use alluxio::journal::writer::WriterLimits;
use alluxio::master::checkpoints::CheckpointLimits;
use alluxio::master::driver::DriverSettings;
use alluxio::master::ops;
use alluxio::master::role::{FencingMode, RoleSettings};
use alluxio::master::state::CheckpointOrigin;
use alluxio::master::workers::WorkerLimits;
use alluxio::types::time::boot_now;
use coverage::{Coverage, Met};
use staged::Stage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use world::{CLUSTER, Options, SECOND, World};

pub fn address(host: usize) -> String {
    format!("host{host}:19998")
}

pub fn ops_settings() -> ops::Settings {
    ops::Settings {
        permission_checking: true,
        super_group: "supergroup".into(),
        umask: 0o022,
        root_ufs: effects::ROOT.into(),
        root_options: Default::default(),
        never_persisted: Vec::new(),
        journal: String::new(),
    }
}

pub fn settings(options: &Options, host: usize, incarnation: &str) -> DriverSettings {
    // Not all masters of a rolling change have the same settings.
    let lease = Duration::from_secs(if host == 1 && options.mixed_leases { 5 } else { 2 });
    DriverSettings {
        role: RoleSettings { mode: options.mode, lease, address: address(host), incarnation: incarnation.into() },
        cluster_id: CLUSTER.into(),
        limits: options.limits,
        ops: ops_settings(),
        root_owner: "root".into(),
        root_group: "root".into(),
        checkpoints: CheckpointLimits { entries: 60, bytes: 30_000, age: Duration::from_secs(30) },
        workers: WorkerLimits { timeout: Duration::from_secs(8), connect_wait: Duration::from_secs(5) },
    }
}

pub fn checkpoint_origin(id: CheckpointId, genesis: u64) -> CheckpointOrigin {
    let position = id.position();
    CheckpointOrigin { position, genesis, cluster_id: CLUSTER.into() }
}

/// A seed decides everything, the shape of the world too.
fn options(seed: u64) -> Options {
    let mut rng = rng::Rng::new(seed ^ 0x5eed);
    let busy = rng.chance(1, 2);
    let mut options = Options {
        masters: if rng.chance(1, 2) { 3 } else { 2 },
        replicas: if rng.chance(1, 2) { 3 } else { 1 },
        clients: if busy { 6 } else { 4 + rng.index(3) },
        operations: if busy { 400 } else { 220 },
        busy,
        mode: if rng.chance(1, 4) { FencingMode::Confirm } else { FencingMode::Lease },
        names: client::PATHS[rng.index(client::PATHS.len())],
        outsiders: rng.chance(1, 2),
        mixed_leases: busy && rng.chance(1, 2),
        limits: WriterLimits {
            segment_bytes: [500, 4_000, 20_000][rng.index(3)],
            unacknowledged_bytes: if rng.chance(1, 4) { 600 } else { 100_000 },
            // Both for each kind of staged seeds.
            flights: 1 + usize::from((seed / 2).is_multiple_of(2)),
        },
        stage: None,
    };
    if let Some(stage) = Stage::of(seed) {
        stage.fit(&mut options);
    }
    options
}

/// Seeds that found a fault once, of the masters or of this world. What they meet changes with the simulator; faults of
/// the masters have unit tests.
const FOUND_ONCE: &[u64] = &[
    // A paused leader that goes by ZooKeeper begins to serve too late, and is not to be asked what it knows.
    182, // First answers were forgotten by the wall clock, which stepped.
    4,   // What an epoch node says that is older than the journal, restored from a copy, was believed.
    20, 76, 526,  // A leader left the segment open whose flush had failed, and no standby could read it.
    128,  // A creation that was given up, and whose outcome came later, was taken for that of the next epoch.
    2458, // A listing that lagged made a standby forget a segment that it had followed.
    341,  // A node that ZooKeeper showed, and again after it was restored, had not stood still in between.
    324,
    3791,   // A ZooKeeper that was restored told of segments that a format had deleted, and nobody served any more.
    16_963, // A listing that lagged made a standby forget the late segment of a deposed leader, and with it the mark.
    46_045, // Without an epoch node, a leader that goes by ZooKeeper believed a listing that lagged, at once.
    6_924,  // Not ours: what a dead master had sent to the UFS came there after a format had deleted all of it.
    7_446, // A leader with nothing to write did not learn that its segment was broken: standbys that began could not follow.
    72_720, // Not ours: a clock that stood still twice at a time went back, and below zero.
    29_406, // A guardian released what an old copy said, and who started then believed a listing that lagged, at once.
    24_997, // Not ours: a server that had lost its leader showed for seconds what was before that one was restored.
    74,    // A leader left the segment open that it could not close, and standbys could not read it while it led.
];

/// Runs one seed.
fn run(seed: u64) -> Result<Coverage, String> {
    let mut world = World::new(seed, options(seed));
    let outcome = catch_unwind(AssertUnwindSafe(|| play(&mut world)));
    if world.tracing {
        println!("{}", world.trace.join("\n"));
    }
    let text = match outcome {
        Ok(Ok(())) => return Ok(world.coverage),
        Ok(Err(text)) => text,
        Err(panic) => format!("an assertion failed: {}", panic.downcast_ref::<String>().map_or("", String::as_str)),
    };
    let (step, at) = (world.coverage.of(Met::Step), world.now / 1000);
    let again = format!("scripts/sim --seed {seed}");
    Err(format!("seed {seed}, step {step}, {at} ms: {text}\nsegments {:?}\nto repeat: {again}", world.segments()))
}

/// The longest that faults may go on, and that everybody may wait for an answer afterwards.
const FAULTS_END: u64 = 120 * SECOND;
const PATIENCE: u64 = 90 * SECOND;
/// Far more than any seed needs.
const STEPS_MAX: u64 = 1_000_000;

fn play(world: &mut World) -> Result<(), String> {
    let mut healed_at = None;
    loop {
        let action = world.next().ok_or("nothing happens any more")?;
        world.mend_store();
        world.act(action)?;
        world.tell_watchers();
        if world.coverage.of(Met::Step) > STEPS_MAX {
            return Err("it goes round in circles".into());
        }
        let done = world.history.len() >= world.options.operations;
        match healed_at {
            None if done || world.now > FAULTS_END => {
                world.heal();
                healed_at = Some(world.now);
            }
            Some(_) if done && world.is_idle() && world.look_for_all() => {}
            Some(_) if done && world.is_idle() && world.workers_are_settled() && world.is_quiet() => break,
            Some(at) if world.now > at + PATIENCE => {
                return Err(format!("no progress although all faults ended; {}", world.open()));
            }
            _ => {}
        }
    }
    world.check_ufs()?;
    world.check_leftovers()?;
    world.check_copies()?;
    world.audit()?;
    model::linearize(&world.history)?;
    world.damage_and_start_again()
}

/// Runs these seeds on all processors until one fails. What they met, and the failure.
fn run_all(seeds: &[u64], prepare: impl Fn() + Sync) -> (Coverage, Option<(u64, String)>) {
    let sum = Mutex::new(Coverage::default());
    let failed = Mutex::new(None);
    let next = AtomicU64::new(0);
    let work = || {
        prepare();
        while failed.lock().unwrap().is_none() {
            let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) else { return };
            match run(*seed) {
                Ok(coverage) => sum.lock().unwrap().add(&coverage),
                Err(text) => *failed.lock().unwrap() = Some((*seed, text)),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    (sum.into_inner().unwrap(), failed.into_inner().unwrap())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn no_seed_finds_a_violation() {
    let seeds = number("SIM_SEEDS").unwrap_or(30);
    let first = number("SIM_FIRST").unwrap_or(1);
    if let Some(seed) = number("SIM_SEED") {
        #[cfg(feature = "mutants")]
        alluxio::types::mutant::set(named_mutant());
        match run(seed) {
            Ok(coverage) => println!("seed {seed} holds\n{}", coverage.table()),
            Err(text) => panic!("{text}"),
        }
        return;
    }
    let all: Vec<u64> = FOUND_ONCE.iter().copied().chain(first..first + seeds).collect();
    let began = boot_now();
    let (sum, failed) = run_all(&all, || {});
    if let Some((_, text)) = failed {
        panic!("{text}");
    }
    println!("{seeds} seeds hold, {} s\n{}", boot_now().since(began).as_secs(), sum.table());
    if seeds >= 40 {
        assert!(sum.missing().is_empty(), "no seed met: {:?}", sum.missing());
    }
}

/// The one that SIM_MUTANT names.
#[cfg(feature = "mutants")]
fn named_mutant() -> Option<alluxio::types::mutant::Mutant> {
    use alluxio::types::mutant::Mutant;
    let name = std::env::var("SIM_MUTANT").ok()?;
    let found = Mutant::ALL.iter().chain(Mutant::EMBEDDED).find(|mutant| format!("{mutant:?}") == name);
    Some(*found.unwrap_or_else(|| panic!("SIM_MUTANT={name} is not one of {:?}", Mutant::ALL)))
}

/// The first seeds for those that few seeds catch: a quick check has little time. With SIM_FIRST they are searched for.
#[cfg(feature = "mutants")]
const CAUGHT_BY: &[(alluxio::types::mutant::Mutant, u64)] = {
    use alluxio::types::mutant::Mutant;
    &[
        (Mutant::OwnLeaseOnly, 158),
        (Mutant::SuspicionIsEnough, 90),
        (Mutant::StillAcrossBreaks, 98),
        (Mutant::OldRelease, 195),
        (Mutant::ConfirmedBefore, 171),
        (Mutant::GateWithoutLease, 253),
        (Mutant::SettleTooMuch, 81),
        (Mutant::RollUnanswered, 175),
        (Mutant::CollectForeign, 135),
        (Mutant::ForeignHistory, 76),
        (Mutant::OldHistoryCounts, 55),
        (Mutant::RefusedIsAbsent, 57),
    ]
};

/// A check is believed when it has been seen to fail: each broken rule must be caught.
#[cfg(feature = "mutants")]
#[test]
fn every_mutant_is_caught() {
    use alluxio::types::mutant::{self, Mutant};
    let seeds = number("SIM_MUTANT_SEEDS").unwrap_or(2000);
    let mut survivors = Vec::new();
    std::panic::set_hook(Box::new(|_| {}));
    let only = named_mutant();
    for broken in Mutant::ALL.iter().filter(|mutant| only.is_none_or(|only| only == **mutant)) {
        let began = boot_now();
        let known = CAUGHT_BY.iter().filter(|(mutant, _)| mutant == broken && std::env::var_os("SIM_FIRST").is_none());
        let all: Vec<u64> = known.map(|(_, seed)| *seed).chain(1..=seeds).collect();
        match run_all(&all, || mutant::set(Some(*broken))).1 {
            Some((_, text)) => {
                let text = text.lines().next().unwrap_or_default();
                println!("{broken:?}: caught within {:.1} s: {text}", boot_now().since(began).as_secs_f64());
            }
            None => survivors.push(broken),
        }
    }
    let _ = std::panic::take_hook();
    assert!(survivors.is_empty(), "not caught within {seeds} seeds: {survivors:?}");
}
