//! The scheduler of the real primary, without connections and workers, and with a time that is only counted.
//!
//! | file | what it holds |
//! |---|---|
//! | `model.rs` | what is simulated |
//! | `random.rs` | chance, the same on every machine |
//! | `workload.rs` | the requests: when they come, how long they take, and whose they are |
//! | `agenda.rs` | what is to happen when |
//! | `events.rs` | one policy, from event to event |
//! | `simulate.rs` | one policy, from the first request to the last |
//! | `shared.rs` | the order of those that wait on one socket, which the library leaves to the kernel |
//! | `figures.rs` | what comes of it |
//! | `report.rs` | the same for a reader |
//! | `watch.rs` | between the threads that simulate, and the one that waits for them |
//! | `progress.rs` | how far it is, on a terminal |

mod agenda;
mod events;
mod figures;
mod model;
mod progress;
mod random;
mod report;
mod shared;
mod simulate;
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
pub(crate) use model::Model;
use simulate::simulate;
use watch::{Watch, Watching};

pub(crate) async fn run(t: Transcript, model: Model, json: bool) -> Result<(), Box<dyn Error>> {
    report::model(&t, &model);
    let watch = Arc::new(Watch::default());
    let watching = Watching(watch.clone());
    // Each policy runs on its own thread, which does not change what comes out.
    let runs = Policy::ALL.map(|policy| {
        let watch = watch.clone();
        (policy, tokio::task::spawn_blocking(move || simulate(policy, &model, &watch)))
    });
    let all = u64::from(model.requests) * runs.len() as u64;
    let outcomes = tokio::select! {
        outcomes = outcomes(runs) => outcomes?,
        never = progress::show(&watch, all) => match never {},
    };
    drop(watching);
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
