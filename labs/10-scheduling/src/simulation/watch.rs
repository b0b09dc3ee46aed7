//! Those who simulate, and the one who waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use forklore::cluster::schedule::Policy;

use super::Model;
use super::events::Simulation;
use super::figures::Figures;

/// What they tell each other.
#[derive(Debug, Default)]
pub(super) struct Watch {
    served: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    /// How many requests have been served, by all policies together.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Whether nobody waits any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Waits. Dropped, it does not any more.
pub(super) struct Waiting(pub(super) Arc<Watch>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// How many events there are from one look at the watch to the next.
const STRETCH: u32 = 4096;

/// All requests, from the first that comes to the last that is served; none if nobody waits for it.
pub(super) fn simulate(policy: Policy, model: &Model, watch: &Watch) -> Option<Figures> {
    let mut simulation = Simulation::new(policy, model, watch)?;
    let mut counted = 0;
    while !watch.is_over() {
        for _ in 0..STRETCH {
            if !simulation.step() {
                return Some(simulation.figures());
            }
        }
        let served = simulation.waits.len() as u64;
        watch.served.fetch_add(served - counted, Ordering::Relaxed);
        counted = served;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_nobody_waits() {
        let watch = Arc::new(Watch::default());
        let model = Model { seed: 1, workers: 10, requests: 1_000_000, load: 0.5 };
        drop(Waiting(watch.clone()));
        assert_eq!(simulate(Policy::RoundRobin, &model, &watch), None);
    }
}
