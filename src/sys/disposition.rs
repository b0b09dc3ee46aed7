//! An ignored signal stays ignored across `execve(2)`.
//!
//! A process that ignores SIGCHLD cannot learn how its children ended: the kernel discards each child's status when it
//! ends, and can reuse the pid at once (sigaction(2), under `SA_NOCLDWAIT`). A shell makes its background jobs ignore
//! SIGINT. A program can inherit either from the process that started it.
#![allow(unsafe_code)]

use std::io;
use std::ptr;

use nix::errno::Errno;

/// Makes the kernel keep ended children until they are waited for: stops ignoring SIGCHLD. A handler stays.
///
/// ```c
/// int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact);   // sigaction(2)
/// ```
///
/// # Errors
///
/// Linux has none for SIGCHLD.
pub(crate) fn keep_children() -> Result<(), Errno> {
    // SAFETY: All zeroes is a valid sigaction: SIG_DFL, with no flags and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: Changes nothing, and writes to a sigaction that this function owns.
    Errno::result(unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), &raw mut action) })?;
    if action.sa_sigaction != libc::SIG_IGN && action.sa_flags & libc::SA_NOCLDWAIT == 0 {
        return Ok(());
    }
    if action.sa_sigaction == libc::SIG_IGN {
        action.sa_sigaction = libc::SIG_DFL;
    }
    action.sa_flags &= !libc::SA_NOCLDWAIT;
    // SAFETY: The action in force, except that the kernel keeps children. A handler in it was valid before.
    Errno::result(unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, ptr::null_mut()) }).map(drop)
}

/// Restores the default action of a signal, for a program that must not inherit ignored signals.
///
/// # Errors
///
/// `EINVAL` when there is no such signal, or it is SIGKILL or SIGSTOP.
pub fn restore_default(signal: i32) -> io::Result<()> {
    // SAFETY: All zeroes is SIG_DFL, with no flags and an empty mask.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: A valid action without a handler; the old one is not requested.
    Ok(Errno::result(unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) }).map(drop)?)
}
