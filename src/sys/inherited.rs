//! Descriptors that this process was born with.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// A close-on-exec duplicate of the inherited descriptor `number`, which itself becomes close-on-exec, so that our own children
/// do not inherit it in turn. For descriptors that a parent announces by number, as Node does in `NODE_CHANNEL_FD`.
///
/// ```c
/// int fcntl(int fd, F_DUPFD_CLOEXEC, 0);   // fcntl(2)
/// ```
///
/// # Errors
///
/// `EBADF` when no such descriptor is open, `EMFILE` when there is no room for the duplicate.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: The number is not negative, which is all that the type demands of its bits. The borrow ends with this function,
    // which only asks the kernel for a duplicate and sets a flag; if the number is not open the kernel answers EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let duplicate = borrowed.as_fd().try_clone_to_owned()?;
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(duplicate)
}
