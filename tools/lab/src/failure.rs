//! How the command can end, and its exit codes.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal, raise};

/// How a program ended, and how this one therefore ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Code(u8),
    Signal(Signal),
}

impl Ending {
    pub(crate) const SUCCESS: Ending = Ending::Code(0);

    /// Ends this process in the same way. A signal that does not end it, because it was started with that signal ignored (Rust
    /// ignores SIGPIPE itself), becomes the code by which a shell would report it.
    pub(crate) fn end(self) -> ExitCode {
        match self {
            Ending::Code(code) => ExitCode::from(code),
            Ending::Signal(signal) => {
                let mut set = SigSet::empty();
                set.add(signal);
                // Nothing is left to be done about an error of either: the code below says what happened.
                let _ = set.thread_unblock();
                let _ = raise(signal);
                ExitCode::from(u8::try_from(128 + signal as i32).unwrap_or(1))
            }
        }
    }
}

impl Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Code(code) => write!(f, "exit code {code}"),
            Ending::Signal(signal) => write!(f, "{signal}"),
        }
    }
}

/// Why the command did not get as far as a lab's end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something that one sentence tells, and the exit code for it.
    Told { code: u8, sentence: String },
    /// The user, or whoever else sent that signal, knows.
    Stopped(Signal),
    /// Whoever read our output has enough.
    ReaderGone,
}

impl Failure {
    /// A thing that should have worked did not.
    pub(crate) fn trouble(what: impl Display, why: impl Display) -> Failure {
        Failure::Told { code: 1, sentence: format!("{what}: {why}") }
    }

    pub(crate) fn usage(sentence: String) -> Failure {
        Failure::Told { code: 2, sentence }
    }

    pub(crate) fn missing(sentence: String) -> Failure {
        Failure::Told { code: 3, sentence }
    }

    pub(crate) fn build(sentence: String) -> Failure {
        Failure::Told { code: 4, sentence }
    }

    /// An error of writing what was asked for.
    pub(crate) fn output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::trouble("write the output", error),
        }
    }

    /// Says the sentence, if there is one to say.
    pub(crate) fn report(self) -> Ending {
        match self {
            Failure::Told { code, sentence } => {
                eprintln!("lab: {sentence}");
                Ending::Code(code)
            }
            Failure::Stopped(signal) => Ending::Signal(signal),
            Failure::ReaderGone => Ending::Signal(Signal::SIGPIPE),
        }
    }
}
