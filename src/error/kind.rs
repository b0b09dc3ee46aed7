//! Why an operation can fail.

use std::fmt;
use std::time::Duration;

use nix::errno::Errno;

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No file of this name, or none in any folder of the child's `PATH`.
    ProgramNotFound {
        /// The `PATH` that was searched; none when the name holds a slash and so is a path itself.
        searched: Option<String>,
    },
    /// The file exists, but the program that its `#!` line or its ELF header names, and that would run it, does not.
    InterpreterNotFound {
        /// The path of the missing program, where it could be read.
        interpreter: Option<String>,
    },
    /// The file exists and may not be executed, or the interpreter that its `#!` line names may not.
    NotExecutable {
        /// Its path.
        file: String,
    },
    /// The program named is a directory.
    IsDirectory {
        /// Its path.
        file: String,
    },
    /// The child's working directory cannot be entered.
    WorkingDirectory {
        /// The directory asked for.
        path: String,
        /// `ENOENT`, `ENOTDIR`, `EACCES`, … of `chdir(2)`.
        errno: Errno,
    },
    /// Arguments and environment together, or one of them alone, are more than the kernel takes.
    ArgumentsTooLong {
        /// Bytes of all arguments and variables, their final NUL bytes included.
        bytes: usize,
        /// The longest single one of them, in bytes with its NUL.
        longest: usize,
    },
    /// An argument to the call cannot be right; the sentence says which and why.
    InvalidInput(String),
    /// Something that only a privileged process may do (`EPERM`), such as changing to another user.
    NotPermitted,
    /// This process, or the whole machine, has no descriptor left (`EMFILE`, `ENFILE`).
    OutOfDescriptors(Errno),
    /// A stream of the child held more than `max_buffer` bytes.
    MaxBuffer {
        /// `stdout` or `stderr`.
        stream: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The time was up before the child ended.
    TimedOut {
        /// The time it had.
        after: Duration,
    },
    /// The caller asked for the end.
    Cancelled,
    /// The command ran and ended badly: with a code other than 0, or by a signal.
    Failed {
        /// Its exit code, if it exited.
        code: Option<i32>,
        /// The number of the signal that ended it, if one did.
        signal: Option<i32>,
    },
    /// This process has no channel to a parent; the sentence says why.
    NoChannel(String),
    /// The channel has been closed, by us or by the process at its other end.
    ChannelClosed,
    /// The process at the other end of a channel sent what is not allowed there.
    Malformed {
        /// What is wrong with it.
        reason: String,
        /// How many bytes there were of it.
        length: usize,
        /// The first of them, what is not printable escaped.
        beginning: String,
    },
    /// A message of the process at the other end of a channel is longer than the limit.
    MessageTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// The first bytes of the message, what is not printable escaped.
        beginning: String,
    },
    /// A value cannot be written as JSON, or a message does not have the expected type; the sentence says why.
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
    /// The process at the other end did not take the handle, each time that it was sent: it had no descriptor left, or cannot use what
    /// this is.
    HandleRefused {
        /// How often it was sent.
        times: u32,
    },
    /// Any other refusal of the kernel.
    System(Errno),
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::ProgramNotFound { searched: Some(path) } => {
                write!(f, "no such program in any folder of the child's PATH, which is {path:?}")
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
                write!(f, "cannot enter the working directory {path:?}: {}", said(*errno))
            }
            ErrorKind::ArgumentsTooLong { bytes, longest } => write!(
                f,
                "argument list too long: {bytes} bytes of arguments and environment, {longest} in the longest one; \
                 the limits are a quarter of `ulimit -s` in all and 131072 in one, see execve(2)"
            ),
            ErrorKind::InvalidInput(sentence) => f.write_str(sentence),
            ErrorKind::NotPermitted => f.write_str("operation not permitted"),
            ErrorKind::OutOfDescriptors(Errno::ENFILE) => f.write_str("the machine has no file descriptor left"),
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
            ErrorKind::NoChannel(sentence) | ErrorKind::Json(sentence) => f.write_str(sentence),
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
            ErrorKind::System(errno) => f.write_str(&said(*errno)),
        }
    }
}

/// The kernel's sentence for `errno`, in the middle of one of ours.
fn said(errno: Errno) -> String {
    errno.desc().to_lowercase()
}
