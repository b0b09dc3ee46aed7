//! The thread that starts the workers.

use std::sync::{OnceLock, mpsc};
use std::thread;

use crate::child_process::{Child, Command};
use crate::error::{Error, Result};
use crate::ipc::Channel;
use crate::sys::readiness;

type Job = Box<dyn FnOnce() + Send>;

/// Forks on a thread that lives as long as the process. Linux sends the parent-death signal when the *thread* that started a child ends
/// (`PR_SET_PDEATHSIG` in `prctl(2)`): a thread of a pool would end its workers when the pool drops it.
///
/// # Errors
///
/// Those of [`Command::fork`], and when the thread could not be started.
pub(super) fn fork(command: Command) -> Result<(Child, Channel)> {
    static JOBS: OnceLock<Option<mpsc::Sender<Job>>> = OnceLock::new();
    let jobs = JOBS.get_or_init(|| {
        let (jobs, work) = mpsc::channel::<Job>();
        let run = move || work.into_iter().for_each(|job| job());
        thread::Builder::new().name("spawn workers".to_owned()).spawn(run).is_ok().then_some(jobs)
    });
    let runtime = readiness::runtime("fork", "a worker")?;
    let (done, forked) = mpsc::sync_channel(1);
    let job = move || {
        let _inside = runtime.enter();
        let _ = done.send(command.fork());
    };
    let gone = || Error::invalid("fork", "a worker", "the thread that starts the workers could not be started");
    jobs.as_ref().and_then(|jobs| jobs.send(Box::new(job)).ok()).ok_or_else(gone)?;
    // About a millisecond: until the new program runs, or is known not to.
    forked.recv().map_err(|_| gone())?
}
