//! The reasons for which an operation can fail.

use std::fmt;
use std::time::Duration;

use super::errno::Errno;

/// The reason for which an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no file of this name, or none in any directory of the child's `PATH`.
    ProgramNotFound {
        /// The `PATH` that was searched; `None` if the name contains a slash and so is a path.
        searched: Option<String>,
    },
    /// The file exists, but the interpreter that its `#!` line or its ELF header names does not.
    InterpreterNotFound {
        /// The path of the interpreter, if it could be read.
        interpreter: Option<String>,
    },
    /// The file, or the interpreter that its `#!` line names, exists but may not be executed.
    NotExecutable {
        /// Its path.
        file: String,
    },
    /// The program is a directory.
    IsDirectory {
        /// Its path.
        file: String,
    },
    /// The child's working directory cannot be entered.
    WorkingDirectory {
        /// The directory.
        path: String,
        /// `ENOENT`, `ENOTDIR`, `EACCES`, … of `chdir(2)`.
        errno: Errno,
    },
    /// Arguments and environment together, or one string of them alone, exceed the limits of the kernel.
    ArgumentsTooLong {
        /// The bytes of all arguments and variables, with their NUL bytes.
        bytes: usize,
        /// The bytes of the longest one, with its NUL byte.
        longest: usize,
    },
    /// An argument of the call is invalid; the text says which and why.
    InvalidInput(String),
    /// Only a privileged process may do this (`EPERM`), such as changing to another user.
    NotPermitted,
    /// This process or the machine has no descriptor left (`EMFILE`, `ENFILE`).
    OutOfDescriptors(Errno),
    /// The child wrote more than `max_buffer` bytes to a stream.
    MaxBuffer {
        /// `stdout` or `stderr`.
        stream: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The child did not end within its timeout.
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The caller cancelled the operation.
    Cancelled,
    /// The command ran and failed: it exited with a code other than 0, or a signal ended it.
    Failed {
        /// The exit code, if it exited.
        code: Option<i32>,
        /// The number of the signal that ended it, if one did.
        signal: Option<i32>,
    },
    /// This process has no channel to a parent; the text says why.
    NoChannel(String),
    /// The channel has been closed, at either end.
    ChannelClosed,
    /// The peer of a channel sent something that is not allowed.
    Malformed {
        /// What is wrong.
        reason: String,
        /// The number of bytes.
        length: usize,
        /// The first bytes; unprintable ones are escaped.
        beginning: String,
    },
    /// A message from the peer of a channel exceeds the limit.
    MessageTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// The first bytes of the message; unprintable ones are escaped.
        beginning: String,
    },
    /// A value cannot be written as JSON, or JSON cannot be read as the expected type; the text says why.
    Json(String),
    /// A handle holds another kind of descriptor than the caller expected.
    WrongHandle {
        /// What it is, as the kernel says.
        actual: String,
        /// What the caller expected.
        expected: String,
    },
    /// A descriptor of this kind cannot be sent over a channel.
    Unsendable {
        /// What it is.
        what: String,
    },
    /// The peer refused the handle each time: it had no descriptor left, or cannot use this kind.
    HandleRefused {
        /// The number of times that the handle was sent.
        times: u32,
    },
    /// Any other error of a system call.
    System(Errno),
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::ProgramNotFound { searched: Some(path) } => {
                write!(f, "no such program in any directory of the child's PATH, which is {path:?}")
            }
            ErrorKind::ProgramNotFound { searched: None } => f.write_str("no such file"),
            ErrorKind::InterpreterNotFound { interpreter: Some(path) } => {
                write!(f, "the file exists, but {path:?}, which it names to run it, does not")
            }
            ErrorKind::InterpreterNotFound { interpreter: None } => {
                f.write_str("the file exists, but the program that it names to run it does not")
            }
            ErrorKind::NotExecutable { file } => write!(f, "permission denied: {file:?} is not executable (chmod +x)"),
            ErrorKind::IsDirectory { file } => write!(f, "permission denied: {file:?} is a directory"),
            ErrorKind::WorkingDirectory { path, errno } => {
                write!(f, "cannot enter the working directory {path:?}: {}", description(*errno))
            }
            ErrorKind::ArgumentsTooLong { bytes, longest } => write!(
                f,
                "argument list too long: {bytes} bytes of arguments and environment, {longest} in the longest one; \
                 the limits are a quarter of `ulimit -s` in all and 131072 in one, see execve(2)"
            ),
            ErrorKind::InvalidInput(text) => f.write_str(text),
            ErrorKind::NotPermitted => f.write_str("operation not permitted"),
            ErrorKind::OutOfDescriptors(errno) if errno.raw() == libc::ENFILE => {
                f.write_str("the machine has no file descriptor left")
            }
            ErrorKind::OutOfDescriptors(_) => {
                f.write_str("this process has no file descriptor left; its limit is `ulimit -n`")
            }
            ErrorKind::MaxBuffer { stream, limit } => {
                write!(f, "{stream} holds more than max_buffer, which is {limit} bytes")
            }
            ErrorKind::TimedOut { after } => write!(f, "not done after {after:?}"),
            ErrorKind::Cancelled => f.write_str("cancelled"),
            ErrorKind::Failed { code: Some(code), .. } => write!(f, "exited with code {code}"),
            ErrorKind::Failed { signal: Some(signal), .. } => write!(f, "ended by signal {signal}"),
            ErrorKind::Failed { .. } => f.write_str("ended in an unknown way"),
            ErrorKind::NoChannel(text) | ErrorKind::Json(text) => f.write_str(text),
            ErrorKind::WrongHandle { actual, expected } => write!(f, "it is {actual}, and not {expected} as expected"),
            ErrorKind::ChannelClosed => f.write_str("the channel is closed"),
            ErrorKind::Malformed { reason, length: 0, .. } => write!(f, "{reason}; the line is empty"),
            ErrorKind::Malformed { reason, length, beginning } => {
                write!(f, "{reason}; these {length} bytes begin with \"{beginning}\"")
            }
            ErrorKind::MessageTooLong { limit, beginning } => {
                write!(f, "a message of more than {limit} bytes, which begins with \"{beginning}\"")
            }
            ErrorKind::Unsendable { what } => write!(f, "{what} cannot be sent to another process over a channel"),
            ErrorKind::HandleRefused { times } => {
                let (s, each) = if *times == 1 { ("", "") } else { ("s", " each time") };
                let reason = "the other process has no descriptor left, or no use for it";
                write!(f, "it was sent {times} time{s} and{each} not taken: {reason}")
            }
            ErrorKind::System(errno) => f.write_str(&description(*errno)),
        }
    }
}

/// Describes `errno`, in lower case for the middle of a message.
fn description(errno: Errno) -> String {
    errno.to_string().to_lowercase()
}
