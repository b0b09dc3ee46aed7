//! What a process does about a signal outlives `execve(2)` if it is to ignore it.
//!
//! Who ignores SIGCHLD never learns how his children ended: the kernel then forgets each of them at its end, together with how it
//! ended, and its pid may be anybody's at once (sigaction(2), under `SA_NOCLDWAIT`). A shell has its background jobs ignore SIGINT. A
//! program may have either from whoever started it.
#![allow(unsafe_code)]

use std::ptr;

use nix::errno::Errno;

/// Sees to it that ended children are kept until they are waited for: SIGCHLD goes back to its default if it is ignored. A handler
/// stays as it is.
///
/// ```c
/// int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact);   // sigaction(2)
/// ```
///
/// # Errors
///
/// None that Linux would give for SIGCHLD.
pub fn keep_children() -> Result<(), Errno> {
    // SAFETY: All zeroes is a valid sigaction: SIG_DFL, with no flags and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: Only asks; the answer goes to a sigaction of ours.
    Errno::result(unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), &raw mut action) })?;
    if action.sa_sigaction != libc::SIG_IGN && action.sa_flags & libc::SA_NOCLDWAIT == 0 {
        return Ok(());
    }
    if action.sa_sigaction == libc::SIG_IGN {
        action.sa_sigaction = libc::SIG_DFL;
    }
    action.sa_flags &= !libc::SA_NOCLDWAIT;
    // SAFETY: The action that is in force, but for what makes the kernel forget children: a handler among them was valid before.
    Errno::result(unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, ptr::null_mut()) }).map(drop)
}

/// Has a signal do again what it does to a process that has said nothing about it: SIGINT ends it. For a program that must not go by
/// what whoever started it ignores.
///
/// # Errors
///
/// `EINVAL` when there is no such signal, or it is SIGKILL or SIGSTOP.
pub fn restore_default(signal: i32) -> Result<(), Errno> {
    // SAFETY: All zeroes is SIG_DFL, with no flags and an empty mask.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: A valid action, which runs no code of this process; the old one is not asked for.
    Errno::result(unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) }).map(drop)
}
