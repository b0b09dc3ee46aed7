//! One policy, from the first request to the last, as long as a thread waits for the outcome.

use forklore::cluster::schedule::Policy;

use super::events::Simulation;
use super::figures::Figures;
use super::model::Model;
use super::watch::Watch;

/// How many events there are from one look at the watch to the next.
const STRETCH: u32 = 4096;

/// Simulates all requests, from the first that comes to the last that is served. Returns `None` if the watch is over.
pub(super) fn simulate(policy: Policy, model: &Model, watch: &Watch) -> Option<Figures> {
    let mut simulation = Simulation::new(policy, model);
    let mut counted = 0;
    while !watch.is_over() {
        for _ in 0..STRETCH {
            if !simulation.step() {
                return Some(simulation.figures());
            }
        }
        let served = simulation.waits.len() as u64;
        watch.add_served(served - counted);
        counted = served;
    }
    None
}
