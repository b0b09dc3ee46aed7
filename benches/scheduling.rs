//! Measures one decision: which of 2, 16 and 1,000 workers gets the next connection, by each policy of the primary.
//!
//! Each worker has two connections. Any one of them is closed, another one comes, and a worker must get it: `done`,
//! `offer` and `next` together are one decision. Weights are from 1 to 10, clients are many.

#[path = "pace.rs"]
mod pace;

use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forklore::cluster::schedule::{Policy, Scheduler};
use forklore_benches::contestants::scheduling::{COUNTER, WORKERS};

/// How many numbers are drawn beforehand.
const DRAWN: usize = 1 << 16;

fn scheduling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scheduling");
    group.throughput(Throughput::Elements(1));
    pace::set(&mut group, 600);
    for workers in WORKERS {
        let parameter = format!("{workers} workers");
        let numbers = draw();
        group.bench_function(BenchmarkId::new(COUNTER.name, &parameter), |bencher| {
            let (mut queue, mut next) = (VecDeque::new(), 0);
            bencher.iter(|| {
                queue.push_back(next);
                next = if next + 1 == workers { 0 } else { next + 1 };
                (black_box(next), queue.pop_front())
            });
        });
        for policy in Policy::ALL {
            let Some(scheduler) = Scheduler::new(policy) else { continue };
            let mut crowd = Traffic::new(scheduler, workers, &numbers);
            group.bench_function(BenchmarkId::new(policy.name(), &parameter), |bencher| {
                bencher.iter(|| crowd.decide());
            });
        }
    }
    group.finish();
}

/// Workers, and which connection is whose.
struct Traffic {
    scheduler: Scheduler<()>,
    /// The worker of each connection that is open.
    open: Vec<u32>,
    /// What is drawn: which connection is closed, and which client the next one is of.
    drawn: Vec<(u32, u64)>,
    at: usize,
}

impl Traffic {
    fn new(mut scheduler: Scheduler<()>, workers: u32, numbers: &[u64]) -> Traffic {
        for worker in 0..workers {
            scheduler.add(worker, 1 + worker % 10);
            scheduler.set_room(worker, usize::MAX);
        }
        let connections = 2 * workers;
        let mut open = Vec::new();
        for number in &numbers[..connections as usize] {
            scheduler.offer((), *number);
            open.extend(scheduler.next().map(|(worker, ())| worker));
        }
        let drawn = numbers.iter().map(|number| ((number >> 32) as u32 % connections, *number)).collect();
        Traffic { scheduler, open, drawn, at: 0 }
    }

    fn decide(&mut self) {
        self.at = (self.at + 1) % DRAWN;
        let (closed, client) = self.drawn[self.at];
        let worker = &mut self.open[closed as usize];
        self.scheduler.done(*worker);
        self.scheduler.offer((), client);
        if let Some((next, ())) = self.scheduler.next() {
            *worker = next;
        }
    }
}

/// Numbers without a pattern, the same in every run (xorshift).
fn draw() -> Vec<u64> {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..DRAWN).map(|_| next()).collect()
}

criterion_group!(benches, scheduling);
criterion_main!(benches);
