//! What it costs to start `/bin/true` and wait for its end, from a small parent and from one with 1 GiB resident.
//!
//! The limit is glibc's posix_spawn(3); fork(2) and execve(2) is what the size of the parent matters to.

use std::ffi::CString;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use forklore::child_process::{Command, Stdio};
use forklore::sys::{fork, pidfd};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::unistd::execve;

const PROGRAM: &str = "/bin/true";
const MEBIBYTES: [usize; 2] = [0, 1024];

fn spawn_cost(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn_cost");
    group.sample_size(50).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let program = CString::new(PROGRAM).expect("no NUL in it");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for mebibytes in MEBIBYTES {
        // Written to, so that it is resident and its page tables exist.
        let ballast = vec![1_u8; mebibytes << 20];
        group.bench_function(BenchmarkId::new("posix_spawn", mebibytes), |bencher| {
            let (actions, attributes) = (PosixSpawnFileActions::init(), PosixSpawnAttr::init());
            let (actions, attributes) = (actions.expect("actions"), attributes.expect("attributes"));
            let (arguments, environment): ([&CString; 1], [&CString; 0]) = ([&program], []);
            bencher.iter(|| {
                let pid = posix_spawn(program.as_c_str(), &actions, &attributes, &arguments, &environment);
                #[allow(clippy::disallowed_methods, reason = "posix_spawn gives a pid and nothing else")]
                nix::sys::wait::waitpid(pid.expect("started"), None).expect("waited for")
            });
        });
        group.bench_function(BenchmarkId::new("forklore", mebibytes), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let silent = [Stdio::Ignore, Stdio::Ignore, Stdio::Ignore];
                    let child = Command::new(PROGRAM).stdio(silent).spawn().expect("started");
                    child.exit().await.expect("waited for")
                })
            });
        });
        group.bench_function(BenchmarkId::new("fork_exec", mebibytes), |bencher| {
            bencher.iter(|| {
                let copy = fork::copy(|| {
                    let _ = execve(&program, &[&program], &[] as &[&CString]);
                    127
                });
                pidfd::wait(&copy.expect("copied").pidfd, pidfd::Wait::Reap).expect("waited for")
            });
        });
        black_box(&ballast);
    }
    group.finish();
}

criterion_group!(benches, spawn_cost);
criterion_main!(benches);
