//! What every trial here starts from.

use std::cell::RefCell;
use std::ffi::OsString;
use std::future::Future;
use std::time::Duration;

use forklore::child_process::Command;
use libtest_mimic::Trial;

use crate::harness::started::{DEADLINE, Mark};
use crate::harness::{root, trial};

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

pub(crate) const WORKER: &str = env!("CARGO_BIN_EXE_test-cluster-worker");
pub(crate) const IMPOSTOR: &str = env!("CARGO_BIN_EXE_test-cluster-impostor");

/// Both kinds of worker, by what they do.
pub(crate) const PROGRAMS: [fn(&str) -> Command; 2] = [rust, node];

thread_local! {
    /// What marks the processes of the trial that runs on this thread.
    static MARKS: RefCell<Vec<Mark>> = RefCell::default();
}

/// An environment variable for what a trial starts: at its end nobody who has it may be left.
pub(crate) fn marked() -> (OsString, OsString) {
    let mut command = std::process::Command::new("nobody");
    let mark = Mark::put_on(&mut command);
    MARKS.with_borrow_mut(|marks| marks.push(mark));
    let (name, value) = command.get_envs().next().expect("a mark");
    (name.to_owned(), value.expect("a value").to_owned())
}

/// A test with a runtime of its own, which must end and leave nothing behind.
pub(crate) fn case<F: Future<Output = Outcome> + 'static>(
    name: &'static str,
    needs: &[&str],
    test: fn() -> F,
) -> Trial {
    trial(name, needs, move || {
        MARKS.take();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let ended = runtime.block_on(async { tokio::time::timeout(DEADLINE, test()).await });
        ended.expect("it ends").expect("no error");
        drop(runtime);
        let left: Vec<String> = MARKS.take().iter().flat_map(Mark::leftovers).collect();
        assert!(left.is_empty(), "left behind: {left:#?}");
    })
}

pub(crate) fn rust(what: &str) -> Command {
    Command::new(WORKER).args([what, "127.0.0.1:0"])
}

pub(crate) fn node(what: &str) -> Command {
    Command::new("node").arg(root().join("tests/node/faulty.js")).arg(what)
}

/// Looks again and again until it is so.
pub(crate) async fn until(mut it_is_so: impl FnMut() -> bool) {
    let mut clock = tokio::time::interval(Duration::from_millis(1));
    while !it_is_so() {
        clock.tick().await;
    }
}
