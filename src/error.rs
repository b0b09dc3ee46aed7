//! The one error type: what was tried, on what, why it failed.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

use nix::errno::Errno;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation that failed. Its message names the operation, its subject and the cause:
/// `spawn server.js: permission denied: the file is not executable (EACCES)`.
#[derive(Debug)]
pub struct Error {
    /// Boxed, so that a `Result` stays small where all goes well.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    operation: Cow<'static, str>,
    subject: String,
    kind: ErrorKind,
    source: Option<io::Error>,
    remains: Option<Remains>,
}

/// What is left of a child that ran and failed.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) exit_code: Option<i32>,
    /// The number of the signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Whether we sent it a signal.
    pub(crate) killed: bool,
}

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
    /// The file exists and may not be executed.
    NotExecutable,
    /// The program named is a directory.
    IsDirectory,
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
    /// Any other refusal of the kernel.
    System(Errno),
}

impl Error {
    /// An error of `operation` on `subject`.
    pub(crate) fn new(operation: impl Into<Cow<'static, str>>, subject: impl Into<String>, kind: ErrorKind) -> Error {
        let inner = Inner { operation: operation.into(), subject: subject.into(), kind, source: None, remains: None };
        Error { inner: Box::new(inner) }
    }

    /// The error of a system call that answered `errno`.
    pub(crate) fn system(operation: impl Into<Cow<'static, str>>, subject: impl Into<String>, errno: Errno) -> Error {
        let kind = match errno {
            Errno::EMFILE | Errno::ENFILE => ErrorKind::OutOfDescriptors(errno),
            Errno::EPERM => ErrorKind::NotPermitted,
            errno => ErrorKind::System(errno),
        };
        Error::new(operation, subject, kind).caused_by(errno.into())
    }

    /// The error of an operation of the standard library or of tokio.
    pub(crate) fn io(operation: impl Into<Cow<'static, str>>, subject: impl Into<String>, error: io::Error) -> Error {
        let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        Error::system(operation, subject, errno).caused_by(error)
    }

    /// The same error with its source.
    pub(crate) fn caused_by(mut self, source: io::Error) -> Error {
        self.inner.source = Some(source);
        self
    }

    /// The same error with what is left of the child.
    pub(crate) fn with_remains(mut self, remains: Remains) -> Error {
        self.inner.remains = Some(remains);
        self
    }

    /// Why it failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// What was tried, such as `spawn`.
    pub fn operation(&self) -> &str {
        &self.inner.operation
    }

    /// On what: a program, a command, an address.
    pub fn subject(&self) -> &str {
        &self.inner.subject
    }

    /// What the child had written to stdout when it failed; empty when it had not started.
    pub fn stdout(&self) -> &[u8] {
        self.inner.remains.as_ref().map_or(&[], |remains| &remains.stdout)
    }

    /// What the child had written to stderr when it failed; empty when it had not started.
    pub fn stderr(&self) -> &[u8] {
        self.inner.remains.as_ref().map_or(&[], |remains| &remains.stderr)
    }

    /// The code with which the child exited, if it did, whatever the cause of this error.
    pub fn exit_code(&self) -> Option<i32> {
        self.inner.remains.as_ref().and_then(|remains| remains.exit_code)
    }

    /// The number of the signal that ended the child, if one did, whoever sent it.
    pub fn signal(&self) -> Option<i32> {
        self.inner.remains.as_ref().and_then(|remains| remains.signal)
    }

    /// Whether we sent the child a signal: because of a limit, a timeout or a cancellation.
    pub fn killed(&self) -> bool {
        self.inner.remains.as_ref().is_some_and(|remains| remains.killed)
    }

    /// The name that Node gives to this error in `error.code`, where it has one.
    pub fn code(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::MaxBuffer { .. } => Some("ERR_CHILD_PROCESS_STDIO_MAXBUFFER".to_owned()),
            ErrorKind::Cancelled => Some("ABORT_ERR".to_owned()),
            ErrorKind::TimedOut { .. } => Some("ETIMEDOUT".to_owned()),
            ErrorKind::InvalidInput(_) => Some("ERR_INVALID_ARG_VALUE".to_owned()),
            ErrorKind::Failed { .. } => None,
            _ => self.errno().map(|errno| format!("{errno:?}")),
        }
    }

    /// The kernel's error number, where a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        match self.kind() {
            ErrorKind::ProgramNotFound { .. } | ErrorKind::InterpreterNotFound { .. } => Some(Errno::ENOENT),
            ErrorKind::NotExecutable | ErrorKind::IsDirectory => Some(Errno::EACCES),
            ErrorKind::ArgumentsTooLong { .. } => Some(Errno::E2BIG),
            ErrorKind::NotPermitted => Some(Errno::EPERM),
            ErrorKind::WorkingDirectory { errno, .. }
            | ErrorKind::OutOfDescriptors(errno)
            | ErrorKind::System(errno) => Some(*errno),
            _ => None,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_ref().map(|source| source as _)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, subject, kind, remains, .. } = &*self.inner;
        write!(f, "{operation} {subject}: {kind}")?;
        if let Some(errno) = self.errno() {
            write!(f, " ({errno:?})")?;
        }
        // What the command itself said about its failure is the best cause there is.
        let said = remains.as_ref().and_then(|r| r.stderr.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()));
        match (kind, said) {
            (ErrorKind::Failed { .. }, Some(line)) => write!(f, ": {}", String::from_utf8_lossy(line)),
            _ => Ok(()),
        }
    }
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
            ErrorKind::NotExecutable => f.write_str("permission denied: the file is not executable (chmod +x)"),
            ErrorKind::IsDirectory => f.write_str("permission denied: it is a directory"),
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
            ErrorKind::System(errno) => f.write_str(&said(*errno)),
        }
    }
}

/// The kernel's sentence for `errno`, in the middle of one of ours.
fn said(errno: Errno) -> String {
    errno.desc().to_lowercase()
}
