//! Descriptors that this process was born with.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};

/// A close-on-exec duplicate of descriptor `number`, which itself stays as it is: to hand it to a child.
///
/// ```c
/// int fcntl(int fd, F_DUPFD_CLOEXEC, 0);   // fcntl(2)
/// ```
///
/// # Errors
///
/// `EBADF` when no such descriptor is open, `EMFILE` when there is no room for the duplicate.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: Takes numbers. Whatever the first of them is, the kernel checks it: nothing is read or changed but this process's table,
    // in a place that was free. If somebody else in this process owns the descriptor, both then share its open file description,
    // as with any file that is opened through /proc/self/fd.
    let copy = Errno::result(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) })?;
    // SAFETY: A new descriptor, which nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// The inherited descriptor `number` itself, if `check` likes it. From then on it belongs to the caller and is close-on-exec. One of 0,
/// 1 and 2 is moved to another number and `/dev/null` put in its place: the standard library goes on using those numbers.
///
/// The caller answers for it that the number was announced by whoever started this process, and that nobody here has opened a descriptor
/// of that number without close-on-exec, as a C library might: Rust's own are close-on-exec, and so cannot be taken by mistake.
///
/// ```c
/// int fcntl(int fd, F_GETFD | F_SETFD);   // fcntl(2)
/// ```
///
/// # Errors
///
/// `EBADF` when no such descriptor is open; `EBUSY` when it is close-on-exec, and therefore not inherited: whoever opened it in this
/// process owns it, and so does who took it before; the error of `check`; `EMFILE` when one of 0, 1 and 2 cannot be moved.
pub fn take(number: RawFd, check: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // Held until the descriptor is close-on-exec: of two threads that take the same one, the second finds it taken.
    static TAKING: Mutex<()> = Mutex::new(());
    let _taking = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: Not negative. The borrow is used for questions only; if the number is not open the kernel answers EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = FdFlag::from_bits_retain(fcntl(borrowed, FcntlArg::F_GETFD)?);
    if flags.contains(FdFlag::FD_CLOEXEC) {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    check(borrowed)?;
    if number > 2 {
        fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        // SAFETY: The descriptor is open, and was not close-on-exec until now. What Rust's libraries open is close-on-exec from its
        // birth, so none of them owns this one: it came through execve(2), when nothing of this program existed yet. It is taken
        // once, since the next call finds it close-on-exec.
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
