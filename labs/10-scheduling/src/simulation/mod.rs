//! The scheduler of the real primary, without connections and workers, and with a time that is only counted.
//!
//! | file | what it holds |
//! |---|---|
//! | `model.rs` | what is simulated |
//! | `random.rs` | chance, the same on every machine |
//! | `workload.rs` | the requests: when they come, how long they take, and whose they are |
//! | `agenda.rs` | what is to happen when |
//! | `events.rs` | one policy, from event to event |
//! | `shared.rs` | the order of those that wait on one socket, which the library leaves to the kernel |
//! | `figures.rs` | what comes of it |
//! | `report.rs` | the same for a reader |
//! | `progress.rs` | how far it is, on a terminal |

mod agenda;
mod events;
mod figures;
mod model;
mod progress;
mod random;
mod report;
mod shared;
#[cfg(test)]
mod tests;
mod workload;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use forklore::cluster::schedule::Policy;
use tokio::sync::oneshot;
use transcript::Transcript;

use events::Simulation;
use figures::Figures;
pub(crate) use model::Model;

pub(crate) async fn run(t: Transcript, model: Model, json: bool) -> kit::Result {
    report::model(&t, &model);
    let served = Arc::new(AtomicU64::new(0));
    let runs = Policy::ALL.map(|policy| {
        let (done, outcome) = oneshot::channel();
        let served = served.clone();
        // Each policy runs on its own thread, which does not change what comes out. After Ctrl-C it ends with the process.
        thread::spawn(move || done.send(simulate(policy, &model, &served)));
        (policy, outcome)
    });
    let progress = progress::show(&served, u64::from(model.requests) * runs.len() as u64);
    let outcomes = async {
        let mut outcomes = Vec::new();
        for (policy, outcome) in runs {
            outcomes.push((policy, outcome.await?));
        }
        kit::Result::Ok(outcomes)
    };
    let outcomes = tokio::select! {
        outcomes = outcomes => outcomes?,
        never = progress => match never {},
    };
    report::outcomes(&t, &outcomes, json);
    Ok(())
}

/// Simulates all requests, from the first that comes to the last that is served. Adds to `served`, now and then.
fn simulate(policy: Policy, model: &Model, served: &AtomicU64) -> Figures {
    let mut simulation = Simulation::new(policy, model);
    let mut counted = 0;
    while simulation.step() {
        let more = simulation.waits.len() - counted;
        if more >= 4096 {
            served.fetch_add(more as u64, Ordering::Relaxed);
            counted += more;
        }
    }
    simulation.figures()
}
