//! One policy, from event to event: a request comes, a worker has finished one.

use std::collections::VecDeque;
use std::iter::Peekable;

use forklore::cluster::schedule::{Policy, Scheduler};

use super::agenda::Agenda;
use super::figures::Figures;
use super::model::Model;
use super::shared::Pile;
use super::workload::{Request, Workload};

/// The workers, and what they have to do.
///
/// As in a real cluster, a request is handed over at once and waits with its worker, which serves what it has one by
/// one. Only with [`Policy::Shared`] does it wait in one queue, from which a worker takes the next one when idle.
pub(super) struct Simulation<'a> {
    model: &'a Model,
    policy: Policy,
    scheduler: Scheduler<Request>,
    coming: Peekable<Workload>,
    workers: Vec<Worker>,
    ends: Agenda,
    now: f64,
    /// When the last request came.
    arrivals_took: f64,
    /// The workers' time during which they were idle while something waited, until the last request has come.
    idle: f64,
    /// How long each request waited that has been begun.
    pub(super) waits: Vec<f64>,
    /// How many wait with their workers.
    with_workers: usize,
}

#[derive(Default)]
struct Worker {
    waiting: VecDeque<Request>,
    /// Since when it is busy.
    begun: Option<f64>,
    given: u32,
    /// How long it has been busy, until the last request has come.
    busy: f64,
}

impl<'a> Simulation<'a> {
    pub(super) fn new(policy: Policy, model: &'a Model) -> Simulation<'a> {
        let mut scheduler = Scheduler::with_order(policy.order().unwrap_or_else(|| Box::new(Pile::default())));
        for worker in 0..model.workers {
            scheduler.add(worker, model.weight(worker));
            scheduler.set_room(worker, if policy == Policy::Shared { 1 } else { usize::MAX });
        }
        Simulation {
            model,
            policy,
            scheduler,
            coming: Workload::new(model).peekable(),
            workers: (0..model.workers).map(|_| Worker::default()).collect(),
            ends: Agenda::default(),
            now: 0.0,
            arrivals_took: 0.0,
            idle: 0.0,
            waits: Vec::with_capacity(model.requests as usize),
            with_workers: 0,
        }
    }

    /// The next event; whether there was one.
    pub(super) fn step(&mut self) -> bool {
        let arrival = self.coming.peek().map_or(f64::INFINITY, |request| request.arrival);
        let end = self.ends.next_time();
        if arrival < end {
            self.pass(arrival);
            self.arrive();
        } else if end < f64::INFINITY {
            self.pass(end);
            self.finish();
        } else {
            return false;
        }
        while let Some((worker, request)) = self.scheduler.next() {
            self.give(worker, request);
        }
        true
    }

    /// Time passes until then.
    fn pass(&mut self, until: f64) {
        if self.coming.peek().is_some() && self.with_workers + self.scheduler.waiting() > 0 {
            self.idle += (self.workers.len() - self.ends.len()) as f64 * (until - self.now);
        }
        self.now = until;
    }

    fn arrive(&mut self) {
        let Some(request) = self.coming.next() else { return };
        self.scheduler.offer(request, request.client);
        if self.coming.peek().is_none() {
            self.arrivals_took = self.now;
            for worker in &mut self.workers {
                worker.busy += worker.begun.map_or(0.0, |begun| self.now - begun);
            }
        }
    }

    fn give(&mut self, number: u32, request: Request) {
        let worker = &mut self.workers[number as usize];
        worker.given += 1;
        if worker.begun.is_some() {
            worker.waiting.push_back(request);
            self.with_workers += 1;
        } else {
            self.begin(number, request);
        }
    }

    fn begin(&mut self, number: u32, request: Request) {
        self.waits.push(self.now - request.arrival);
        self.workers[number as usize].begun = Some(self.now);
        let end = self.now + request.work * self.model.slowness(number);
        self.ends.add(end, number);
    }

    /// The worker whose time it is has finished a request, and goes on to the next one, if it has one.
    fn finish(&mut self) {
        let Some(number) = self.ends.next() else { return };
        self.scheduler.done(number);
        let worker = &mut self.workers[number as usize];
        if let Some(begun) = worker.begun.take().filter(|_| self.coming.peek().is_some()) {
            worker.busy += self.now - begun;
        }
        if let Some(request) = worker.waiting.pop_front() {
            self.with_workers -= 1;
            self.begin(number, request);
        } else if self.policy == Policy::Shared {
            self.scheduler.set_room(number, 1);
        }
    }

    pub(super) fn figures(self) -> Figures {
        let time = self.arrivals_took;
        let idle = self.idle / (time * self.workers.len() as f64);
        let workers = self.workers.iter().map(|worker| (worker.given, worker.busy / time));
        Figures::new(self.waits, idle, workers)
    }
}
