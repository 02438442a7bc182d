//! The world of the embedded journal: shipped log, machine, leader and start, with openraft, on one thread from a seed.
//!
//! Environment: SIM_SEEDS, SIM_FIRST, SIM_SEED as for the other world; the numbers of the seeds have nothing in common.

mod executor;
mod member;
mod wire;
mod world;

use crate::number;
use executor::{Sim, reset, trace};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Met = BTreeMap<&'static str, u64>;

/// One seed in 5 is for the fault that chance does not meet.
const STAGED: u64 = 5;

/// Runs one seed. What it met and its trace, or what did not hold.
fn run(seed: u64) -> Result<(Met, (u64, u64)), String> {
    reset(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| world::play(seed.is_multiple_of(STAGED))));
    let trace = trace();
    reset(0);
    let text = match outcome {
        Ok(Ok(met)) => return Ok((met, trace)),
        Ok(Err(text)) => text,
        Err(panic) => format!("an assertion failed: {}", panic.downcast_ref::<String>().map_or("", String::as_str)),
    };
    Err(format!(
        "seed {seed}: {text}\nto repeat: SIM_SEED={seed} cargo test --locked --features mutants --test sim -- raft::"
    ))
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    if let Some(seed) = number("SIM_SEED") {
        return seed..=seed;
    }
    let first = number("SIM_FIRST").unwrap_or(1);
    first..=first + number("SIM_SEEDS").unwrap_or(10) - 1
}

#[test]
fn the_runtime_of_the_world_is_what_openraft_expects() {
    reset(1);
    openraft::testing::runtime::Suite::<Sim>::test_all();
    reset(0);
}

#[test]
fn the_embedded_journal_holds_for_every_seed() {
    let mut sum = Met::new();
    for seed in seeds() {
        let (met, _) = run(seed).unwrap_or_else(|text| panic!("{text}"));
        met.into_iter().for_each(|(what, times)| *sum.entry(what).or_default() += times);
    }
    println!("the embedded journal: {sum:?}");
}

#[test]
fn a_seed_is_the_same_each_time() {
    for seed in [1, STAGED] {
        assert_eq!(run(seed), run(seed));
    }
}

/// Each broken rule must be caught.
#[cfg(feature = "mutants")]
#[test]
fn every_mutant_of_the_embedded_journal_is_caught() {
    use alluxio::types::mutant::{self, Mutant};
    let only = std::env::var("SIM_MUTANT").ok();
    let broken =
        Mutant::EMBEDDED.iter().filter(|mutant| only.as_ref().is_none_or(|only| format!("{mutant:?}") == *only));
    for broken in broken {
        mutant::set(Some(*broken));
        let caught = (1..=number("SIM_MUTANT_SEEDS").unwrap_or(300)).find_map(|seed| run(seed).err());
        mutant::set(None);
        let text = caught.unwrap_or_else(|| panic!("{broken:?} is not caught"));
        println!("{broken:?}: {text}");
    }
}
