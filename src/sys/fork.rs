//! `fork(2)` itself: the copy that Node's `fork()` is not.
//!
//! The library does not start children like this (`sys/spawn.rs` says why). Labs and benchmarks use it.
#![allow(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::unistd::{ForkResult, fork};

pub use super::spawn::Started;

/// Copies this process. The copy runs `part` and exits with the code that it returns, or with 101 if it panics.
///
/// ```c
/// pid_t fork(void);   // fork(2)
/// ```
///
/// # Errors
///
/// `EBUSY` when this process has more than one thread: the copy has only the calling one, and a lock that another one
/// held, such as the allocator's, stays locked there for ever. Otherwise the errors of `fork(2)` and `pidfd_open(2)`.
// ANCHOR: copy
pub fn copy(part: impl FnOnce() -> i32) -> io::Result<Started> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(Errno::EBUSY.into());
    }
    // Both processes would write what is still in the buffer.
    let _ = std::io::stdout().flush();
    // SAFETY: There is no other thread that could leave anything in the copy locked or half changed.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            let pid = child.as_raw();
            // SAFETY: Takes two numbers. The child has not been waited for, so the pid is its own.
            let opened = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) });
            let fd = opened.inspect_err(|_| kill_and_reap(pid))?;
            // SAFETY: A new descriptor, which nothing else owns; pidfd_open makes it close-on-exec.
            let pidfd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
            Ok(Started { pid, pidfd })
        }
        ForkResult::Child => run_to_exit(part),
    }
}
// ANCHOR_END: copy

/// Ends a copy that cannot be returned to the caller.
fn kill_and_reap(pid: libc::pid_t) {
    // SAFETY: Takes numbers. The child has not been waited for, so the pid is its own.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    // SAFETY: As above; the status is not requested.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
}

fn run_to_exit(part: impl FnOnce() -> i32) -> ! {
    // A panic must not unwind into the caller's frames, which only the parent may go on with.
    let code = catch_unwind(AssertUnwindSafe(part)).unwrap_or(101);
    let _ = std::io::stdout().flush();
    // SAFETY: Ends the copy without running the parent's atexit functions.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_several_threads_is_not_copied() {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        assert_eq!(copy(|| 0).expect_err("not alone").raw_os_error(), Some(libc::EBUSY));
        drop(release);
        assert!(other.join().is_ok(), "the thread waits for the sender to go, no more");
    }
}
