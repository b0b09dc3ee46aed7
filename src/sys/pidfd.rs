//! A descriptor that refers to a process.
//!
//! A pid is only a number: once its process has been waited for, the kernel can give it to another one. A pidfd
//! (pidfd_open(2)) refers to the same process for ever, and poll(2) reports it readable when the process has ended.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

/// How a process ended; there is no third way. `si_code` and `si_status` of `waitid(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By `exit(n)`; the kernel keeps the low 8 bits of n.
    Exited(i32),
    /// By the signal of this number, real-time signals included.
    Killed(i32),
}

/// What [`wait`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Waits for the end and reaps the process, which frees its pid.
    Reap,
    /// Reaps the process if it has ended; does not block.
    ReapIfEnded,
    /// Neither blocks nor reaps: an ended process stays a zombie and keeps its pid, and so the id of its process group.
    Peek,
}

/// Returns how a child ended; `None` if it has not and `how` does not block.
///
/// ```c
/// int waitid(P_PIDFD, id_t pidfd, siginfo_t *infop, WEXITED | …);   // waitid(2)
/// ```
///
/// nix's `waitid` cannot be used: it cannot represent a real-time signal, and then fails with the child already reaped.
///
/// # Errors
///
/// `ECHILD` when the process is not a child of this one, or has been reaped.
pub fn wait(pidfd: &impl AsFd, how: Wait) -> io::Result<Option<End>> {
    let options = libc::WEXITED
        | match how {
            Wait::Reap => 0,
            Wait::ReapIfEnded => libc::WNOHANG,
            Wait::Peek => libc::WNOHANG | libc::WNOWAIT,
        };
    let id = pidfd.as_fd().as_raw_fd() as libc::id_t;
    // SAFETY: All zeroes is a valid siginfo_t, and means that no child has ended.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: The descriptor is open, and this function owns `info`.
        match Errno::result(unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, options) }) {
            Err(Errno::EINTR) => {}
            result => {
                result?;
                break;
            }
        }
    }
    // SAFETY: waitid has set the members for SIGCHLD, or left them zero.
    let pid = unsafe { info.si_pid() };
    // SAFETY: As above.
    let status = unsafe { info.si_status() };
    Ok(match (pid, info.si_code) {
        (0, _) => None,
        (_, libc::CLD_EXITED) => Some(End::Exited(status)),
        _ => Some(End::Killed(status)),
    })
}

/// Sends a signal to the process, never to another one that has its pid now. Signal 0 only checks.
///
/// ```c
/// int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned int flags);   // pidfd_send_signal(2)
/// ```
///
/// # Errors
///
/// `ESRCH` when it has been reaped; `EPERM`; `EINVAL` when the signal does not exist.
pub(crate) fn send_signal(pidfd: &impl AsFd, signal: i32) -> Result<(), Errno> {
    let pidfd = pidfd.as_fd().as_raw_fd();
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: An open descriptor, numbers and a null pointer.
    Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal, no_info, 0) }).map(drop)
}

/// Sends a signal to every process of a group. The number refers to this group only while its leader has not been
/// reaped or a member lives. nix's `killpg` cannot represent a real-time signal.
///
/// ```c
/// int killpg(int pgrp, int sig);   // killpg(3)
/// ```
///
/// # Errors
///
/// `ESRCH` when the group is empty; `EPERM`; `EINVAL` when the signal does not exist.
pub(crate) fn signal_group(group: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: Takes two numbers.
    Errno::result(unsafe { libc::killpg(group, signal) }).map(drop)
}
