//! Descriptors that are known by their numbers: those that this process inherited, and those that its user announced.
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};

/// The number of a descriptor that the user of this crate announced, in a call that says so: `Stdio::Inherit` at a
/// number, or an option that allows workers to name one. Nothing that came from another process makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Announced(RawFd);

impl Announced {
    /// Creates it from the number in the user's call.
    pub(crate) fn by_user(number: RawFd) -> Announced {
        Announced(number)
    }

    /// Duplicates the descriptor, close-on-exec. The original does not change.
    ///
    /// ```c
    /// int fcntl(int fd, F_DUPFD_CLOEXEC, 0);   // fcntl(2)
    /// ```
    ///
    /// # Errors
    ///
    /// `EBADF` when the descriptor is not open, `EMFILE` when there is no room for the duplicate.
    pub(crate) fn duplicate(self) -> io::Result<OwnedFd> {
        // SAFETY: Takes numbers, which the kernel checks, and changes only a free place of this process's table. The
        // user announced the number, so whatever owns that descriptor expects its open file description to be shared.
        let copy = Errno::result(unsafe { libc::fcntl(self.0, libc::F_DUPFD_CLOEXEC, 0) })?;
        // SAFETY: A new descriptor, which nothing else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(copy) })
    }
}

/// The number of a descriptor that this process inherited, as the process that started it announced in the environment.
///
/// Code that invents a number cannot make one, and so cannot take a descriptor that other code owns. The environment is
/// trusted to tell the truth, like the program file itself.
#[derive(Debug)]
pub struct Inherited(RawFd);

impl Inherited {
    /// Reads the number in an environment variable. `None` when the variable is not set or is not a descriptor's number.
    pub fn in_environment(variable: &str) -> Option<Inherited> {
        let number = std::env::var(variable).ok()?.parse().ok();
        number.filter(|number| *number >= 0).map(Inherited)
    }

    /// Returns the number.
    pub fn number(&self) -> RawFd {
        self.0
    }

    /// Takes the descriptor if `check` accepts it: the caller then owns it, and it is close-on-exec. 0, 1 and 2 are
    /// moved to another number and replaced by `/dev/null`, because the standard library goes on using them.
    ///
    /// ```c
    /// int fcntl(int fd, F_GETFD | F_SETFD);   // fcntl(2)
    /// ```
    ///
    /// # Errors
    ///
    /// `EBADF` when the descriptor is not open; `EBUSY` when it has been taken before, or is close-on-exec and so was
    /// not inherited; the error of `check`; `EMFILE` when 0, 1 or 2 cannot be moved.
    pub fn take(self, check: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>) -> io::Result<OwnedFd> {
        let Inherited(number) = self;
        // Each number is taken once: after that it can be closed and reused. Locked until the end of this function, so
        // that the second of two threads finds it taken.
        static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: Not negative, and only used for queries: if the number is not open, the kernel returns EBADF.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        let flags = FdFlag::from_bits_retain(fcntl(borrowed, FcntlArg::F_GETFD)?);
        if flags.contains(FdFlag::FD_CLOEXEC) || taken.contains(&number) {
            return Err(io::Error::from_raw_os_error(libc::EBUSY));
        }
        check(borrowed)?;
        if number > 2 {
            fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
            taken.insert(number);
            // SAFETY: The process that started this one announced the number, and the descriptor is open and was not
            // close-on-exec until now. Rust's libraries open theirs close-on-exec, so none of them owns this one: it
            // came through execve(2). `taken` says that this function has not given it out before.
            return Ok(unsafe { OwnedFd::from_raw_fd(number) });
        }
        let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
        let moved = borrowed.try_clone_to_owned()?;
        match number {
            0 => dup2_stdin(null)?,
            1 => dup2_stdout(null)?,
            _ => dup2_stderr(null)?,
        }
        taken.insert(number);
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    /// A descriptor that is not close-on-exec, as if it were inherited, at a number that only this test uses.
    fn like_an_inherited_one(number: RawFd) -> RawFd {
        let null = std::fs::File::open("/dev/null").expect("/dev/null");
        // SAFETY: Only this test uses the number, so nothing that is open is replaced.
        Errno::result(unsafe { libc::dup2(null.as_raw_fd(), number) }).expect("room")
    }

    #[test]
    fn a_number_is_taken_once_even_if_it_is_reused() {
        let number = like_an_inherited_one(201);
        let taken = Inherited(number).take(|_| Ok(())).expect("it is inherited");
        assert_eq!((taken.as_raw_fd(), fcntl(&taken, FcntlArg::F_GETFD)), (number, Ok(FdFlag::FD_CLOEXEC.bits())));
        drop(taken);
        // As a C library would open it. A second owner would close it under that library.
        let again = Inherited(like_an_inherited_one(number)).take(|_| Ok(()));
        assert_eq!(again.expect_err("taken before").raw_os_error(), Some(libc::EBUSY));
        assert!(Announced::by_user(number).duplicate().is_ok(), "it is still open");
        // SAFETY: This test opened it and nothing owns it.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
        assert_eq!(
            Announced::by_user(number).duplicate().map_err(|error| error.raw_os_error()).err(),
            Some(Some(libc::EBADF))
        );
    }

    #[test]
    fn a_variable_that_is_absent_or_not_a_number_announces_nothing() {
        assert!(Inherited::in_environment("FORKLORE_NO_SUCH_VARIABLE").is_none());
        assert!(Inherited::in_environment("PATH").is_none());
    }
}
