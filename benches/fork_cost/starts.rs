//! Each way to start something, once; or, where only the beginning counts, so many times.

use std::ffi::CString;
use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio as StdStdio;
use std::thread;
use std::time::{Duration, Instant};

use forklore::child_process::{Command, Stdio};
use forklore::sys::{fork, pidfd};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions};
use nix::unistd::{Pid, execve};
use tokio::runtime::Runtime;

const PROGRAM: &str = "/bin/true";
const GREETER: &str = env!("CARGO_BIN_EXE_bench-greeter");

pub(crate) fn copy() {
    let copy = fork::copy(|| 0).expect("copied");
    pidfd::wait(&copy.pidfd, pidfd::Wait::Reap).expect("waited for");
}

pub(crate) fn copy_and_execute() {
    let program = CString::new(PROGRAM).expect("no NUL in it");
    let copy = fork::copy(|| {
        let _ = execve(&program, &[&program], &[] as &[&CString]);
        127
    });
    pidfd::wait(&copy.expect("copied").pidfd, pidfd::Wait::Reap).expect("waited for");
}

pub(crate) fn posix_spawn() {
    let actions = PosixSpawnFileActions::init().expect("actions");
    wait(start(&[PROGRAM], &actions));
}

fn start(words: &[&str], actions: &PosixSpawnFileActions) -> Pid {
    let attributes = PosixSpawnAttr::init().expect("attributes");
    let words: Vec<_> = words.iter().map(|word| CString::new(*word).expect("no NUL in it")).collect();
    // What the greeter's `raw` needs; the other programs do not look at it.
    let environment = [c"BENCH_SOCKET_FD=3"];
    nix::spawn::posix_spawn(words[0].as_c_str(), actions, &attributes, &words, &environment).expect("started")
}

fn wait(pid: Pid) {
    #[allow(clippy::disallowed_methods, reason = "posix_spawn gives a pid and nothing else")]
    nix::sys::wait::waitpid(pid, None).expect("waited for");
}

pub(crate) fn std_command() {
    let mut command = std::process::Command::new(PROGRAM);
    command.stdin(StdStdio::null()).stdout(StdStdio::null()).stderr(StdStdio::null());
    command.status().expect("waited for");
}

pub(crate) fn spawn(runtime: &Runtime) {
    let silent = [Stdio::Ignore, Stdio::Ignore, Stdio::Ignore];
    let command = Command::new(PROGRAM).stdio(silent);
    runtime.block_on(async { command.spawn().expect("started").exit().await }).expect("waited for");
}

/// How long it takes until so many programs, one after the other, have sent a byte.
pub(crate) fn first_bytes(count: u64) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..count {
        let begun = Instant::now();
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        let mut actions = PosixSpawnFileActions::init().expect("actions");
        actions.add_dup2(theirs.as_raw_fd(), 3).expect("an action");
        let pid = start(&[GREETER, "raw"], &actions);
        drop(theirs);
        ours.read_exact(&mut [0]).expect("a byte");
        total += begun.elapsed();
        drop(ours);
        wait(pid);
    }
    total
}

/// How long it takes until so many programs, one after the other, have sent a message.
pub(crate) async fn first_messages(count: u64) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..count {
        let begun = Instant::now();
        let (mut child, channel) = Command::new(GREETER).kill_on_drop().fork().expect("started");
        channel.recv().await.expect("no error").expect("a message");
        total += begun.elapsed();
        channel.disconnect().await;
        child.close().await.expect("waited for");
    }
    total
}

/// A thread that was joined may be there for another moment, and a process with two threads is not copied.
pub(crate) fn wait_for_threads() {
    while fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        thread::yield_now();
    }
}
