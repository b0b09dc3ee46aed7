//! The scheduler of the real primary, with neither connections nor workers, nor time but what is counted here.
//!
//! | file | what it holds |
//! |---|---|
//! | `random.rs` | chance, the same on every machine |
//! | `workload.rs` | the requests: when they come, how long they take, and whose they are |
//! | `agenda.rs` | what is to happen when |
//! | `events.rs` | one policy, from event to event |
//! | `figures.rs` | what comes of it |
//! | `report.rs` | the same for a reader |
//! | `watch.rs` | those who simulate, and the one who waits for them |
//! | `progress.rs` | how far it is, on a terminal |

mod agenda;
mod events;
mod figures;
mod progress;
mod random;
mod report;
#[cfg(test)]
mod tests;
mod watch;
mod workload;

use std::error::Error;
use std::sync::Arc;

use forklore::cluster::schedule::Policy;
use tokio::task::JoinHandle;
use transcript::Transcript;

use figures::Figures;
use watch::{Waiting, Watch, simulate};

/// What is simulated. Every tenth worker is slow.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub(crate) struct Model {
    /// Other requests with each number, and the same ones with the same
    #[arg(long, value_name = "N", default_value = "1", requires = "simulate", allow_negative_numbers = true,
        value_parser = seed)]
    pub(super) seed: u64,

    /// How many workers, up to 4096; every tenth one is three times slower than the others
    #[arg(long, value_name = "N", default_value = "1000", requires = "simulate", allow_negative_numbers = true,
        value_parser = number::<4096>)]
    pub(super) workers: u32,

    /// How many requests, up to 10000000
    #[arg(long, value_name = "N", default_value = "1000000", requires = "simulate", allow_negative_numbers = true,
        value_parser = number::<10_000_000>)]
    pub(super) requests: u32,

    /// How much of what all workers together can do is asked of them, from 0.01 to 2
    #[arg(long, value_name = "SHARE", default_value = "0.9", requires = "simulate", allow_negative_numbers = true,
        value_parser = load)]
    pub(super) load: f64,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "that is no number from 0 on".to_owned())
}

fn number<const MOST: u32>(text: &str) -> Result<u32, String> {
    let known = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    known.ok_or_else(|| format!("that is no number from 1 to {MOST}"))
}

fn load(text: &str) -> Result<f64, String> {
    let known = text.parse().ok().filter(|load| (0.01..=2.0).contains(load));
    known.ok_or_else(|| "that is no number from 0.01 to 2".to_owned())
}

impl Model {
    /// How much longer than others this worker takes.
    fn slowness(&self, worker: u32) -> f64 {
        if worker % 10 == 9 { 3.0 } else { 1.0 }
    }

    /// What [`Policy::Weighted`] knows: how much it can do, in proportion to the others.
    fn weight(&self, worker: u32) -> u32 {
        if worker % 10 == 9 { 1 } else { 3 }
    }

    /// How much all workers can do, in units of one that is not slow.
    fn capacity(&self) -> f64 {
        let slow = self.workers / 10;
        f64::from(self.workers - slow) + f64::from(slow) / 3.0
    }
}

pub(crate) async fn run(t: Transcript, model: Model, json: bool) -> Result<(), Box<dyn Error>> {
    report::model(&t, &model);
    let watch = Arc::new(Watch::default());
    let waiting = Waiting(watch.clone());
    // Each policy on a thread of its own: what comes out does not depend on it.
    let runs = Policy::ALL.map(|policy| {
        let watch = watch.clone();
        (policy, tokio::task::spawn_blocking(move || simulate(policy, &model, &watch)))
    });
    let all = u64::from(model.requests) * runs.len() as u64;
    let outcomes = tokio::select! {
        outcomes = outcomes(runs) => outcomes?,
        never = progress::show(&watch, all) => match never {},
    };
    drop(waiting);
    report::outcomes(&t, &outcomes, json);
    Ok(())
}

async fn outcomes<const N: usize>(
    runs: [(Policy, JoinHandle<Option<Figures>>); N],
) -> Result<Vec<(Policy, Figures)>, Box<dyn Error>> {
    let mut outcomes = Vec::new();
    for (policy, run) in runs {
        outcomes.push((policy, run.await?.ok_or("the simulation was ended")?));
    }
    Ok(outcomes)
}
