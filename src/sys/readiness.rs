//! A descriptor registered with `epoll(7)` must stay open and stay the same.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor with this thread's runtime, to be told when it can be read.
///
/// # Errors
///
/// Those of `epoll_ctl(2)`; the descriptor comes back with the error.
///
/// # Panics
///
/// Outside a tokio runtime, or in one whose I/O driver is not enabled.
pub fn readable(fd: OwnedFd) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: An OwnedFd is open until it is dropped, always gives the same number, and is owned by the AsyncFd from here on, which
    // hands out no more than a shared reference to it.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(|error| error.into_parts())
}

/// The same, to be told as well when it can be written.
///
/// For a socket that is a wake-up each time its peer has read. Between processes that answer each other it is of use: the one that waits
/// is being woken while the other still works on its answer. Measured on two processors, where waking is most of a round trip, it takes
/// a quarter off; when both share one processor it adds as much.
///
/// # Errors
///
/// Those of `epoll_ctl(2)`; the descriptor comes back with the error.
///
/// # Panics
///
/// As [`readable`].
pub fn readable_and_writable(fd: OwnedFd) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: As in `readable`.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE | Interest::WRITABLE) }
        .map_err(|error| error.into_parts())
}
