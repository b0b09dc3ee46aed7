//! A child that shares its parent's memory until it executes another program.
//!
//! `fork(2)` copies the parent's page tables, so its cost grows with the parent's memory; `clone(2)` with
//! `CLONE_VM | CLONE_VFORK` copies nothing and stops the parent's thread until the child has executed or ended. So does
//! glibc's `posix_spawn(3)`, but it
//!
//! - cannot say which step failed: a missing working directory and a missing program are both `ENOENT`. The child here
//!   writes the step and the error number to the shared memory;
//! - can change neither the user nor the parent-death signal;
//! - returns a pid, and a pidfd only since glibc 2.39.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow};

use super::child::{ChildArgs, Plan, Report, child_main};
use super::pidfd;
pub(crate) use super::request::{Failure, Group, Request, Step};
use super::stack::Stack;

/// A process that was started.
#[derive(Debug)]
pub struct Started {
    /// Its pid, which is not reused until it has been waited for.
    pub pid: i32,
    /// A descriptor that refers to the process, close-on-exec, readable when the process has ended.
    pub pidfd: OwnedFd,
}

/// Starts a process.
///
/// ```c
/// int clone(int (*fn)(void *), void *stack, int flags, void *arg, pid_t *pidfd);   // clone(2)
/// // flags: CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD
/// ```
///
/// The child has every signal at its default and an empty mask, like Node's children: a signal that the parent ignores
/// would otherwise stay ignored after `execve(2)`. The call returns when the child runs the program or has failed to.
///
/// # Errors
///
/// The first step that failed, with its error number. There is then no process to wait for.
pub(crate) fn spawn(request: &Request<'_>) -> Result<Started, Failure> {
    let failed = |errno| Failure { step: Step::Clone, errno };
    let Some(mut plan) = Plan::new(request) else {
        return Err(Failure { step: Step::Execute, errno: Errno::EINVAL });
    };
    let mut report = Report::default();
    let stack = Stack::new().map_err(failed)?;
    let mut pidfd: RawFd = -1;

    // ANCHOR: clone
    // Between clone and execve the child has the parent's memory and handlers. No handler can run there while every
    // signal is blocked; the child empties its mask once it has reset the handlers.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(failed)?;
    let mut args = ChildArgs { plan: &mut plan, report: &mut report };
    // SAFETY: This function owns the stack, which is aligned to 16 bytes, grows down from its end and outlives the
    // child's use of it: CLONE_VFORK stops this thread until the child has executed or exited. The same holds for
    // `args`, `pidfd` and all that they point to. `child_main` only makes system calls on memory prepared beforehand.
    let pid = unsafe {
        libc::clone(
            child_main,
            stack.top(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD,
            (&raw mut args).cast(),
            &raw mut pidfd,
        )
    };
    let cloned = Errno::result(pid);
    // Restoring a mask that was just read cannot fail.
    let _ = mask.thread_set_mask();
    let pid = cloned.map_err(failed)?;
    // ANCHOR_END: clone

    // SAFETY: clone succeeded, so the kernel has stored a new descriptor there, which nothing else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    match report.failure() {
        None => Ok(Started { pid, pidfd }),
        Some(failure) => {
            // The child has called _exit or is about to, so this wait is short.
            let _ = pidfd::wait(&pidfd, pidfd::Wait::Reap);
            Err(failure)
        }
    }
}
