//! How a child ended.

use std::fmt;

use super::Signal;
use crate::error::ErrorKind;
use crate::sys::pidfd::End;

/// How a process ended: by itself, with a code, or by a signal. Never both, never neither.
///
/// Node hands out the pair `(code, signal)`, of which one is null; a real-time signal, for which it has no name, becomes code 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// `exit(n)`: the low 8 bits of n.
    Code(i32),
    /// Ended by this signal.
    Signal(Signal),
}

impl Exit {
    /// Whether it ended by itself, with code 0.
    pub fn success(self) -> bool {
        self == Exit::Code(0)
    }

    /// The exit code, if it ended by itself.
    pub fn code(self) -> Option<i32> {
        match self {
            Exit::Code(code) => Some(code),
            Exit::Signal(_) => None,
        }
    }

    /// The signal that ended it, if one did.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Exit::Code(_) => None,
            Exit::Signal(signal) => Some(signal),
        }
    }

    /// One number for both, as a shell says it in `$?`: the exit code, or 128 and the number of the signal. What ended by a signal cannot be
    /// told by it from what exited with such a code.
    pub fn shell_code(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal.number(),
        }
    }

    /// The kind of error that a command which ended like this has, if that is one.
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
