//! Which processor runs what.

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Two threads kept on a processor each, until this is dropped.
///
/// Left to itself the kernel moves two processes that wait for each other now onto one processor and now onto two, and a round trip takes
/// twice as long in one run as in the next. Apart is how they run on a machine that has something to do, and the dearer case: each message
/// wakes another processor.
///
/// Of a process that has several threads only the first one is kept in its place, in Node the one that runs JavaScript.
#[derive(Debug)]
pub struct Apart(Vec<(Pid, CpuSet)>);

impl Apart {
    /// Puts the first threads of two processes (0: this thread) on the first two processors that we may use. With only one nothing is
    /// done.
    ///
    /// # Errors
    ///
    /// `ESRCH` when a process has ended, `EPERM` when it is another user's.
    pub fn put(one: u32, other: u32) -> Result<Apart, Errno> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let processors = (0..CpuSet::count()).filter(|number| allowed.is_set(*number) == Ok(true));
        let processors: Vec<_> = processors.take(2).collect();
        let mut apart = Apart(Vec::new());
        if let [_, _] = processors[..] {
            for (pid, processor) in [one, other].into_iter().zip(processors) {
                let pid = Pid::from_raw(pid.cast_signed());
                let mut only = CpuSet::new();
                only.set(processor)?;
                let before = sched_getaffinity(pid)?;
                sched_setaffinity(pid, &only)?;
                apart.0.push((pid, before));
            }
        }
        Ok(apart)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        for (pid, before) in &self.0 {
            // It may have ended.
            let _ = sched_setaffinity(*pid, before);
        }
    }
}
