//! What it costs to run a program for its output, by a shell (`exec`) and without one (`exec_file`): `/bin/true`, which writes none.

#[path = "pace.rs"]
mod pace;

use std::cell::{OnceCell, RefCell};
use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use forklore::child_process::{exec, exec_file};
use forklore_benches::contestants::exec_cost::{self, WAYS};
use forklore_benches::partner::{NodePartner, has_node, runtime};
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions};
use nix::unistd::pipe2;

const PROGRAM: &str = "/bin/true";

fn exec_cost(criterion: &mut Criterion) {
    let runtime = runtime().expect("a runtime");
    let mut group = criterion.benchmark_group("exec_cost");
    pace::set(&mut group, 1000);
    let has_node = has_node(&[exec_cost::NODE.name]);
    let node = OnceCell::new();
    for way in WAYS {
        let words: &[&str] = if way == "exec" { &["/bin/sh", "-c", PROGRAM] } else { &[PROGRAM] };
        group.bench_function(BenchmarkId::new(exec_cost::POSIX_SPAWN.name, way), |bencher| {
            bencher.iter(|| posix_spawn(words));
        });
        group.bench_function(BenchmarkId::new(exec_cost::OURS.name, way), |bencher| {
            bencher.iter(|| {
                let running = if way == "exec" { exec(PROGRAM) } else { exec_file(PROGRAM) };
                runtime.block_on(async { running.await }).expect("it ends well")
            });
        });
        group.bench_function(BenchmarkId::new(exec_cost::STD.name, way), |bencher| {
            bencher.iter(|| std::process::Command::new(words[0]).args(&words[1..]).output().expect("started"));
        });
        if has_node {
            group.bench_function(BenchmarkId::new(exec_cost::NODE.name, way), |bencher| {
                let node = node.get_or_init(|| RefCell::new(NodePartner::start(&runtime, "exec.js", &[])));
                let mut node = node.borrow_mut();
                let node = node.as_mut().expect("started").as_mut().expect("installed");
                bencher.iter_custom(|count| node.ask(&(way, PROGRAM, count)).expect("it answers"));
            });
        }
    }
    group.finish();
}

/// The system calls that this takes, and none besides: two pipes, a start, two ends, a wait.
fn posix_spawn(words: &[&str]) -> Vec<u8> {
    let words: Vec<_> = words.iter().map(|word| CString::new(*word).expect("no NUL in it")).collect();
    let mut actions = PosixSpawnFileActions::init().expect("actions");
    let attributes = PosixSpawnAttr::init().expect("attributes");
    let ends: Vec<_> = [1, 2]
        .into_iter()
        .map(|number| {
            let (ours, theirs) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
            actions.add_dup2(theirs.as_raw_fd(), number).expect("an action");
            (File::from(ours), theirs)
        })
        .collect();
    let environment: [&CString; 0] = [];
    let pid = nix::spawn::posix_spawn(words[0].as_c_str(), &actions, &attributes, &words, &environment);
    let mut output = Vec::new();
    for (mut ours, theirs) in ends {
        drop(theirs);
        ours.read_to_end(&mut output).expect("read");
    }
    #[allow(clippy::disallowed_methods, reason = "posix_spawn gives a pid and nothing else")]
    nix::sys::wait::waitpid(pid.expect("started"), None).expect("waited for");
    output
}

criterion_group!(benches, exec_cost);
criterion_main!(benches);
