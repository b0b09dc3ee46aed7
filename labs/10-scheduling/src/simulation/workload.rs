//! The requests: the same ones for every policy.

use super::model::Model;
use super::random::Random;

/// How many clients there are for each worker.
const CLIENTS: f64 = 100.0;

/// Times are in units of the mean service time of a worker that is not slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// When it comes.
    pub(super) arrival: f64,
    /// How long it takes a worker that is not slow.
    pub(super) work: f64,
    pub(super) client: u64,
}

/// Requests in the order in which they come.
#[derive(Debug)]
pub(super) struct Workload {
    random: Random,
    left: u32,
    now: f64,
    /// Between two requests, on average.
    gap: f64,
    clients: f64,
}

impl Workload {
    pub(super) fn new(model: &Model) -> Workload {
        let clients = f64::from(model.workers) * CLIENTS;
        let gap = 1.0 / (model.load * model.capacity());
        Workload { random: Random::new(model.seed), left: model.requests, now: 0.0, gap, clients }
    }
}

impl Iterator for Workload {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.left = self.left.checked_sub(1)?;
        self.now += self.random.exponential() * self.gap;
        let work = self.random.exponential();
        // The square of a uniform number has a density in proportion to 1/√x.
        let place = self.random.uniform();
        let client = (place * place * self.clients) as u64;
        Some(Request { arrival: self.now, work, client })
    }
}
