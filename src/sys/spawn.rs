//! A child that borrows its parent's memory until it executes another program.
//!
//! `fork(2)` copies the parent's page tables, so its cost grows with the parent's memory; `clone(2)` with
//! `CLONE_VM | CLONE_VFORK` copies nothing and stops the parent's thread until the child has executed or ended. That is what
//! `posix_spawn(3)` does inside glibc. Here it is done by hand, because posix_spawn
//!
//! - cannot say which step failed: a missing working directory and a missing program are both `ENOENT`. Since the child works in
//!   our memory, ours just writes the step and the number down;
//! - can change neither the user nor the parent-death signal;
//! - returns a pid, and a pidfd only from glibc 2.39 on.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow};

use super::birth::{self, Report};
use super::pidfd;
pub use super::request::{Failure, Group, Request, Step};

/// A process that was started.
#[derive(Debug)]
pub struct Started {
    /// Its number, which is its own until it has been waited for.
    pub pid: libc::pid_t,
    /// A descriptor that stands for the process, close-on-exec, readable when it has ended.
    pub pidfd: OwnedFd,
}

/// How much stack the child has. What it does between clone and execve is shallow; this is what glibc's posix_spawn gives too.
const STACK: usize = 32 * 1024;

/// Starts a process.
///
/// ```c
/// int clone(int (*fn)(void *), void *stack, int flags, void *arg, pid_t *pidfd);   // clone(2)
/// // flags: CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD
/// ```
///
/// The child has every signal at its default and an empty mask, as Node's children have: a disposition that the parent has set
/// to *ignore* would otherwise survive `execve(2)`. The call returns when the child runs the new program or has failed to.
///
/// # Errors
///
/// The first step that failed, with its error number. Then there is no process, and nothing to wait for.
pub fn spawn(request: &Request<'_>) -> Result<Started, Failure> {
    let failed = |errno| Failure { step: Step::Clone, errno };
    let Some(mut plan) = birth::Plan::new(request) else {
        return Err(Failure { step: Step::Execute, errno: Errno::EINVAL });
    };
    let mut report = Report::default();
    let mut stack = Box::<[MaybeUninit<u128>]>::new_uninit_slice(STACK / size_of::<u128>());
    let mut pidfd: RawFd = -1;

    // ANCHOR: clone
    // Between clone and execve the child has our memory and our handlers. With every signal blocked none of them can run there;
    // the child empties its mask when its dispositions are the default ones.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(failed)?;
    let mut birth = birth::Birth { plan: &mut plan, report: &mut report };
    // SAFETY: The stack is ours, aligned to 16 bytes and grows down from its end, and outlives the child's use of it, because
    // CLONE_VFORK stops this thread until the child has executed or exited. The same holds for `birth`, `pidfd` and all that
    // they point to. `birth::begin` keeps to what may be done there: system calls on memory prepared beforehand.
    let pid = unsafe {
        libc::clone(
            birth::begin,
            stack.as_mut_ptr_range().end.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD,
            (&raw mut birth).cast(),
            &raw mut pidfd,
        )
    };
    let cloned = Errno::result(pid);
    // Restoring a mask that was just read cannot fail.
    let _ = mask.thread_set_mask();
    let pid = cloned.map_err(failed)?;
    // ANCHOR_END: clone

    // SAFETY: clone succeeded, so the kernel has stored a new descriptor there, which nobody else knows.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    match report.failure() {
        None => Ok(Started { pid, pidfd }),
        Some(failure) => {
            // It has called _exit, or is about to: this waits for no longer than that takes.
            let _ = pidfd::wait(&pidfd, pidfd::Wait::Reap);
            Err(failure)
        }
    }
}
