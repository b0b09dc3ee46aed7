//! A descriptor registered with `epoll(7)` must stay open and stay the same.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use crate::error::Error;

/// Sets whether reads and writes of this open file description return `EAGAIN` instead of waiting, in **every** process
/// that holds it. Node assumes that they do and does not set it: a blocking socket would stop a whole Node process.
///
/// # Errors
///
/// Those of `fcntl(2)`.
pub(crate) fn set_nonblocking(fd: impl AsFd, nonblocking: bool) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    if flags.contains(OFlag::O_NONBLOCK) != nonblocking {
        fcntl(fd.as_fd(), FcntlArg::F_SETFL(flags ^ OFlag::O_NONBLOCK))?;
    }
    Ok(())
}

/// Returns this thread's runtime, which registers descriptors and runs the tasks that serve them.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) outside a tokio runtime.
pub(crate) fn runtime(operation: &'static str, subject: &str) -> crate::Result<Handle> {
    let text = "this thread has no tokio runtime to serve the channel";
    Handle::try_current().map_err(|_| Error::invalid(operation, subject, text))
}

/// Registers a descriptor with this thread's runtime for readability.
///
/// # Errors
///
/// Those of `epoll_ctl(2)`; the descriptor is returned with the error.
///
/// # Panics
///
/// Outside a tokio runtime, or in one whose I/O driver is not enabled.
pub fn readable(fd: OwnedFd) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: An OwnedFd stays open and keeps its number until it is dropped; the AsyncFd lends only shared references.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(|error| error.into_parts())
}

/// Like [`readable`], for writability too.
///
/// A socket then wakes its owner each time the peer has read. That speeds up processes that answer each other: the
/// waiting one is woken while the other still works on its answer. On two processors, where waking is most of a round
/// trip, it saved a quarter; on a shared processor it cost as much.
///
/// # Errors
///
/// Those of [`readable`], which can also panic.
pub(crate) fn readable_and_writable(fd: OwnedFd) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: As in `readable`.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE | Interest::WRITABLE) }
        .map_err(|error| error.into_parts())
}
