//! Tests without libtest's harness, which cannot say at run time that a test was ignored, and why.

use std::any::type_name;
use std::cell::RefCell;
use std::env;
use std::path::PathBuf;
use std::process::{ExitCode, Termination};
use std::sync::Arc;

use forklore::child_process::Command;
use libtest_mimic::{Failed, Trial};
use manifest::programs;

use crate::DEADLINE;
use crate::process::ProcessMark;

thread_local! {
    /// The mark of the [`Case`] that runs on this thread.
    static MARK: RefCell<Option<ProcessMark>> = const { RefCell::new(None) };
}

/// Marks a command of this thread's [`Case`], which may leave no marked process behind.
pub fn marked(command: Command) -> Command {
    MARK.with_borrow(|mark| match mark {
        Some(mark) => command.env(mark.variable().0, mark.variable().1),
        None => command,
    })
}

/// Runs an asynchronous test in a runtime of its own. It must end, and leave no marked process behind.
pub fn run<F: Future<Output: Termination>>(test: impl FnOnce() -> F) {
    let mark = ProcessMark::unique();
    MARK.set(Some(mark.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(DEADLINE, test()).await });
    assert_eq!(ended.expect("it ends in time").report(), ExitCode::SUCCESS);
    drop(runtime);
    assert_eq!(mark.leftovers(), [""; 0], "processes were left behind");
}

/// An asynchronous test.
#[derive(Clone)]
pub struct Case {
    pub(crate) name: String,
    pub(crate) run: Arc<dyn Fn() + Send + Sync>,
}

impl Case {
    /// Makes a case of a test.
    pub fn new(name: String, test: impl Fn() + Send + Sync + 'static) -> Case {
        Case { name, run: Arc::new(test) }
    }
}

/// Makes a case of a function, and names it by the function's path: `deaths::before_it_is_online`.
pub fn case<T: Fn() -> F + Send + Sync + 'static, F: Future<Output: Termination>>(test: T) -> Case {
    let path = type_name::<T>();
    named(path.split_once("::").map_or(path, |(_, name)| name), test)
}

/// Makes a case of a function, and names it.
pub fn named<T: Fn() -> F + Send + Sync + 'static, F: Future<Output: Termination>>(name: &str, test: T) -> Case {
    Case::new(name.to_owned(), move || run(&test))
}

/// Makes trials of cases that need these tools.
pub fn cases(needs: &[&str], cases: Vec<Case>) -> Vec<Trial> {
    cases.into_iter().map(|Case { name, run }| trial(&name, needs, move || run())).collect()
}

/// Returns a test that runs where every tool of `needs` is installed. Elsewhere it is reported as ignored, with the reason, and as
/// a failure when `FORKLORE_REQUIRE_TOOLS` is 1.
pub fn trial(name: &str, needs: &[&str], test: impl FnOnce() + Send + 'static) -> Trial {
    trial_unless(missing(needs), name, test)
}

/// Returns the reason why a test cannot run: the first of these tools that is not installed.
pub fn missing(needs: &[&str]) -> Option<String> {
    needs.iter().find_map(|tool| programs::find(tool).err()).map(|error| error.to_string())
}

/// Returns a test that is reported in the same ways if there is a reason why it cannot run.
pub fn trial_unless(reason: Option<String>, name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let Some(reason) = reason else {
        return Trial::test(name, move || {
            test();
            Ok(())
        });
    };
    if env::var_os("FORKLORE_REQUIRE_TOOLS").is_some_and(|value| value == "1") {
        let failed = Failed::from(format!("{reason} (FORKLORE_REQUIRE_TOOLS is 1)"));
        return Trial::test(name, move || Err(failed));
    }
    Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true)
}

/// Runs the trials as the command line says, and ends as libtest would.
pub fn conclude(trials: Vec<Trial>) -> ExitCode {
    // A background job of a script ignores SIGINT, and so would everything that a test interrupts.
    forklore::sys::disposition::restore_default(nix::libc::SIGINT).expect("SIGINT has a default");
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit_code()
}

/// Returns where `tool` is.
pub fn find(tool: &str) -> Option<PathBuf> {
    programs::find(tool).ok()
}
