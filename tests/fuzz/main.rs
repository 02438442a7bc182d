//! Bytes that nobody wrote, for everything that reads bytes: each decoder gets what its files and messages look like,
//! changed at random. It may refuse them; it may not panic, and what it takes it must be able to write again.
//!
//! `FUZZ_SECONDS` for each decoder (1), `FUZZ_SEED` (the same each time, if it is not given), `FUZZ_TARGET` for one of them.
//! A failure prints the input and how to repeat it. `scripts/test --long fuzz` takes ten minutes for each.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod mutation;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use alluxio::types::time::boot_now;

use mutation::Mutator;
use targets::{TARGETS, Target};

fn number(name: &str, usual: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn fuzz(target: &Target, seed: u64, limit: Duration) -> u64 {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty() && seeds.iter().all(|seed| !seed.is_empty()), "{}: nothing to begin with", target.name);
    for whole in &seeds {
        assert!((target.feed)(whole), "{}: what was not changed is refused: {whole:02x?}", target.name);
    }
    let mut mutator = Mutator::new(seed);
    let (began, mut fed) = (boot_now(), 0);
    while boot_now().since(began) < limit {
        let mut input = mutator.change(&seeds);
        if let Some(mend) = target.mend {
            mend(&mut input);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.feed)(&input)));
        let repeat = format!("FUZZ_TARGET={} FUZZ_SEED={seed} cargo test --test fuzz", target.name);
        assert!(outcome.is_ok(), "{}: input {fed}, {input:02x?}\nto repeat: {repeat}", target.name);
        fed += 1;
    }
    fed
}

#[test]
fn decoders_refuse_what_they_cannot_read() {
    let (seed, seconds) = (number("FUZZ_SEED", 1), number("FUZZ_SECONDS", 1));
    let wanted = std::env::var("FUZZ_TARGET").ok();
    let chosen: Vec<&Target> =
        TARGETS.iter().filter(|target| wanted.as_deref().is_none_or(|wanted| wanted == target.name)).collect();
    assert!(!chosen.is_empty(), "FUZZ_TARGET is one of {:?}", TARGETS.map(|target| target.name));
    for target in chosen {
        let fed = fuzz(target, seed, Duration::from_secs(seconds));
        println!("{}: {fed} inputs in {seconds} s, seed {seed}", target.name);
        assert!(fed > 10, "{}: only {fed} inputs", target.name);
    }
}
