//! The kernel's error numbers.

use std::fmt;

use nix::errno::Errno as Known;

/// An error number of the kernel, see errno(3). It prints as the kernel's sentence: `Address already in use`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(i32);

impl Errno {
    pub(crate) fn of(errno: Known) -> Errno {
        Errno(errno as i32)
    }

    pub(crate) fn known(self) -> Known {
        Known::from_raw(self.0)
    }

    /// Returns the number, to compare with the constants of the `libc` crate.
    pub fn raw(self) -> i32 {
        self.0
    }

    /// Returns the name, such as `EADDRINUSE`: Node's `error.code`.
    pub fn name(self) -> String {
        match self.known() {
            Known::UnknownErrno => format!("errno {}", self.0),
            known => format!("{known:?}"),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.known().desc())
    }
}

impl std::error::Error for Errno {}
