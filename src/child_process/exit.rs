//! How a child ended.

use std::fmt;

use super::Signal;
use crate::error::ErrorKind;
use crate::sys::pidfd::End;

/// How a process ended: it exited with a code, or a signal ended it. The kernel has no third way.
///
/// Node has the pair `(code, signal)`, of which one is null. It has no names for real-time signals, and reports code 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// `exit(n)`: the low 8 bits of n.
    Code(i32),
    /// This signal ended it.
    Signal(Signal),
}

impl Exit {
    /// Whether it exited with code 0.
    pub fn success(self) -> bool {
        self == Exit::Code(0)
    }

    /// Returns the code, if it exited.
    pub fn code(self) -> Option<i32> {
        match self {
            Exit::Code(code) => Some(code),
            Exit::Signal(_) => None,
        }
    }

    /// Returns the signal that ended it, if one did.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Exit::Code(_) => None,
            Exit::Signal(signal) => Some(signal),
        }
    }

    /// Returns one number for both, like `$?` in a shell: the exit code, or 128 plus the number of the signal. It does
    /// not tell a signal from an exit with such a code.
    pub fn shell_code(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal.number(),
        }
    }

    /// Returns the error of a command that ended like this; `None` for success.
    pub(super) fn failure(self) -> Option<ErrorKind> {
        let (code, signal) = (self.code(), self.signal().map(Signal::number));
        (!self.success()).then_some(ErrorKind::Failed { code, signal })
    }
}

impl From<End> for Exit {
    fn from(end: End) -> Exit {
        match end {
            End::Exited(code) => Exit::Code(code),
            End::Killed(number) => Signal::from_number(number).map_or(Exit::Code(128 + number), Exit::Signal),
        }
    }
}

impl fmt::Display for Exit {
    /// `code 3`, `SIGTERM`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "code {code}"),
            Exit::Signal(signal) => signal.fmt(f),
        }
    }
}
