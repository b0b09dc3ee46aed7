//! What it costs to start something, from a parent that has nothing, 64, 256 or 1024 MiB resident.
//!
//! A copy by fork(2) and everything that begins with one depends on the parent's memory, since its page tables are copied. posix_spawn(3)
//! and ours borrow the parent's memory until the new program is there. With a channel the clock stops when the child's first message has
//! come; that the child ends, and is waited for, is not counted then.
//!
//! fork(2) is measured by `sys::fork::copy`, which also counts our threads and opens a pidfd: some microseconds.

#[path = "../pace.rs"]
mod pace;
mod starts;

use std::cell::{OnceCell, RefCell};
use std::thread;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use forklore_benches::ballast::Ballast;
use forklore_benches::contestants::fork_cost::{self, RESIDENT};
use forklore_benches::partner::{NodePartner, has_node, runtime};

fn fork_cost(criterion: &mut Criterion) {
    let runtime = runtime().expect("a runtime");
    let ballast = RefCell::new(Ballast::default());
    let mut group = criterion.benchmark_group("fork_cost");
    pace::set(&mut group, 160);
    let has_node = has_node(&[fork_cost::NODE_FIRST_MESSAGE.name]);
    for mebibytes in RESIDENT {
        let id = |name: &str| BenchmarkId::new(name, format!("{mebibytes} MiB"));
        let mut measure = |name: &str, start: &dyn Fn()| {
            group.bench_function(id(name), |bencher| {
                ballast.borrow_mut().hold(mebibytes);
                bencher.iter(start);
            });
        };
        measure(fork_cost::FORK.name, &starts::copy);
        measure(fork_cost::FORK_EXEC.name, &starts::copy_and_execute);
        measure(fork_cost::POSIX_SPAWN.name, &starts::posix_spawn);
        measure(fork_cost::STD.name, &starts::std_command);
        measure(fork_cost::SPAWN.name, &|| starts::spawn(&runtime));
        measure(fork_cost::THREAD.name, &|| thread::spawn(|| ()).join().expect("joined"));
        starts::wait_for_threads();

        group.bench_function(id(fork_cost::FIRST_BYTE.name), |bencher| {
            ballast.borrow_mut().hold(mebibytes);
            bencher.iter_custom(starts::first_bytes);
        });
        group.bench_function(id(fork_cost::FIRST_MESSAGE.name), |bencher| {
            ballast.borrow_mut().hold(mebibytes);
            bencher.iter_custom(|count| runtime.block_on(starts::first_messages(count)));
        });
        // Its parent is Node, and has the ballast.
        let node = OnceCell::new();
        if has_node {
            group.bench_function(id(fork_cost::NODE_FIRST_MESSAGE.name), |bencher| {
                let resident = mebibytes.to_string();
                let node = node.get_or_init(|| RefCell::new(NodePartner::start(&runtime, "fork.js", &[&resident])));
                let mut node = node.borrow_mut();
                let node = node.as_mut().expect("started").as_mut().expect("installed");
                bencher.iter_custom(|count| node.ask(&count).expect("it answers"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, fork_cost);
criterion_main!(benches);
