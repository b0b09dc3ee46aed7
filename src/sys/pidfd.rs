//! A process held by a descriptor.
//!
//! A pid is only a number: when its process has been waited for, the kernel gives it to another one. A pidfd (pidfd_open(2)) stays
//! with its process for ever, and poll(2) finds it readable when the process has ended.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

/// How a process ended: what `waitid(2)` says in `si_code` and `si_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By `exit(n)`; the kernel keeps the low 8 bits of n.
    Exited(i32),
    /// By the signal of this number, real-time signals included.
    Killed(i32),
}

/// What becomes of an ended process when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Wait until it has ended, then let the kernel forget it, its pid included.
    Reap,
    /// The same, but do not wait.
    ReapIfEnded,
    /// Do not wait, and leave it as it is (a zombie): its pid, and so the number of its process group, stay its own.
    Peek,
}

/// Asks how a child ended; `None` when it has not and [`Wait`] says not to wait.
///
/// ```c
/// int waitid(P_PIDFD, id_t pidfd, siginfo_t *infop, WEXITED | …);   // waitid(2)
/// ```
///
/// nix's own `waitid` cannot be used: it has no value for a real-time signal, and fails when the child is reaped already.
///
/// # Errors
///
/// `ECHILD` when the process is not our child, or has been reaped.
pub fn wait(pidfd: &impl AsFd, how: Wait) -> Result<Option<End>, Errno> {
    let options = libc::WEXITED
        | match how {
            Wait::Reap => 0,
            Wait::ReapIfEnded => libc::WNOHANG,
            Wait::Peek => libc::WNOHANG | libc::WNOWAIT,
        };
    let id = pidfd.as_fd().as_raw_fd() as libc::id_t;
    // SAFETY: All zeroes is a siginfo_t, and what waitid leaves there when no child has ended yet.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: The descriptor is open, and `info` is ours to write to.
        match Errno::result(unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, options) }) {
            Err(Errno::EINTR) => {}
            answer => {
                answer?;
                break;
            }
        }
    }
    // SAFETY: waitid has filled the members for SIGCHLD, or left them zero.
    let pid = unsafe { info.si_pid() };
    // SAFETY: As above.
    let status = unsafe { info.si_status() };
    Ok(match (pid, info.si_code) {
        (0, _) => None,
        (_, libc::CLD_EXITED) => Some(End::Exited(status)),
        _ => Some(End::Killed(status)),
    })
}

/// Sends a signal to the process, and to no other, whatever has become of its pid.
///
/// ```c
/// int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned int flags);   // pidfd_send_signal(2)
/// ```
///
/// # Errors
///
/// `ESRCH` when it has been reaped, `EPERM`, or `EINVAL` when there is no such signal. Signal 0 only asks.
pub fn send_signal(pidfd: &impl AsFd, signal: i32) -> Result<(), Errno> {
    let pidfd = pidfd.as_fd().as_raw_fd();
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: An open descriptor, a number, and no pointer.
    Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal, no_info, 0) }).map(drop)
}

/// Sends a signal to every process of a group. The number means this group only as long as its leader has not been reaped or some
/// member lives; nix's `killpg` has no value for a real-time signal.
///
/// ```c
/// int killpg(int pgrp, int sig);   // killpg(3)
/// ```
///
/// # Errors
///
/// `ESRCH` when the group is empty, `EPERM`, or `EINVAL` when there is no such signal.
pub fn signal_group(group: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: Takes two numbers.
    Errno::result(unsafe { libc::killpg(group, signal) }).map(drop)
}
