//! Descriptors that this process inherited.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Duplicates descriptor `number`, close-on-exec, to pass it to a child. The original does not change.
///
/// ```c
/// int fcntl(int fd, F_DUPFD_CLOEXEC, 0);   // fcntl(2)
/// ```
///
/// # Errors
///
/// `EBADF` when the descriptor is not open, `EMFILE` when there is no room for the duplicate.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: Takes numbers, which the kernel checks, and changes only a free place of this process's table. If other
    // code owns the descriptor, both share its open file description, as with a file opened through /proc/self/fd.
    let copy = Errno::result(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) })?;
    // SAFETY: A new descriptor, which nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Takes the inherited descriptor `number` if `check` accepts it: the caller then owns it, and it is close-on-exec. 0,
/// 1 and 2 are moved to another number and replaced by `/dev/null`, because the standard library goes on using them.
///
/// The caller must know that its parent announced the number, and that no code in this process, such as a C library,
/// has opened that descriptor without close-on-exec. Rust's libraries open theirs close-on-exec.
///
/// ```c
/// int fcntl(int fd, F_GETFD | F_SETFD);   // fcntl(2)
/// ```
///
/// # Errors
///
/// `EBADF` when the descriptor is not open; `EBUSY` when it is close-on-exec, and so either not inherited or already
/// taken; the error of `check`; `EMFILE` when 0, 1 or 2 cannot be moved.
pub fn take(number: RawFd, check: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // Held until the descriptor is close-on-exec, so that the second of two threads finds it taken.
    static TAKING: Mutex<()> = Mutex::new(());
    let _taking = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: Not negative, and only used for queries: if the number is not open, the kernel returns EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = FdFlag::from_bits_retain(fcntl(borrowed, FcntlArg::F_GETFD)?);
    if flags.contains(FdFlag::FD_CLOEXEC) {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    check(borrowed)?;
    if number > 2 {
        fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        // SAFETY: The descriptor is open and was not close-on-exec until now. Rust's libraries open theirs
        // close-on-exec, so none of them owns this one: it came through execve(2). The next call finds it
        // close-on-exec, so it is taken once.
        return Ok(unsafe { OwnedFd::from_raw_fd(number) });
    }
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    let moved = borrowed.try_clone_to_owned()?;
    match number {
        0 => dup2_stdin(null)?,
        1 => dup2_stdout(null)?,
        _ => dup2_stderr(null)?,
    }
    Ok(moved)
}
