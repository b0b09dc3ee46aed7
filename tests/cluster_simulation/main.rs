//! The real state machines of a primary and its workers in one thread, with a virtual clock, random faults, and
//! invariants after every step.
//!
//! | file | what it holds |
//! |---|---|
//! | `step.rs`, `options.rs` | what can happen, and how groups are served |
//! | `plan.rs`, `random.rs` | which of it happens next, from a seed |
//! | `world/` | the cluster; carries steps out |
//! | `process/` | workers, honest and not, and their channels |
//! | `ledger/` | what must follow from what the primary was told: **the invariants** |
//! | `run.rs` | draws, replays, shortens and describes runs |
//! | `coverage.rs` | which rules and effects runs have reached |
//! | `rules/` | a property test for each rule |
//!
//! `FORKLORE_SEED=7` replays one seed, `FORKLORE_SIMULATION_SECONDS=30` sets how long new seeds are tried. Default: 10.

mod broken;
mod coverage;
mod ledger;
mod options;
mod plan;
mod process;
mod random;
mod rules;
mod run;
mod step;
mod world;

use std::env;
use std::io::{Write, stderr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use coverage::Coverage;

/// The seeds that every run of the test tries. They reach every rule and every effect.
const FIXED: u64 = 2000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

/// Runs seeds, and fails with the shortened run of the first that fails.
fn check(seeds: impl Iterator<Item = u64>) -> Coverage {
    let (start, mut coverage, mut tried) = (Instant::now(), Coverage::default(), 0);
    let (mut steps, mut inputs) = (0, 0);
    for seed in seeds {
        let run = run::draw(seed);
        (tried, steps, inputs) = (tried + 1, steps + run.steps.len(), inputs + run.inputs);
        coverage.extend(run.coverage);
        if let Some(broken) = run.broken {
            let failed_at = run.steps.len();
            let short = run::shorten(&run.groups, run.steps, broken.invariant);
            let story = run::describe(&run.groups, &short);
            panic!(
                "seed {seed} fails after {steps} steps ({failed_at} of its own), shortened to {}:\n{story}",
                short.len()
            );
        }
    }
    let rate = steps as f64 / start.elapsed().as_secs_f64();
    // Not captured by the test harness, in contrast to what `eprintln!` writes.
    let _ = writeln!(
        stderr(),
        "simulation: {tried} seeds, {steps} steps, {inputs} inputs of the primary, {rate:.0} steps/s"
    );
    coverage
}

#[test]
fn fixed_seeds_keep_every_invariant_and_reach_every_rule() {
    if let Some(seed) = number("FORKLORE_SEED") {
        let run = run::draw(seed);
        let _ = writeln!(stderr(), "{}", run::describe(&run.groups, &run.steps));
        check(std::iter::once(seed));
        return;
    }
    let missing = check(0..FIXED).missing();
    assert!(missing.is_empty(), "the fixed seeds do not reach {missing:?}");
}

#[test]
fn new_seeds_keep_every_invariant() {
    if number("FORKLORE_SEED").is_some() {
        return;
    }
    let time = Duration::from_secs(number("FORKLORE_SIMULATION_SECONDS").unwrap_or(10));
    let first = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64);
    let end = Instant::now() + time;
    check((0..).map(|number| first.wrapping_add(number)).take_while(|_| Instant::now() < end));
}
