//! The one error type: what was tried, on what, why it failed.

use std::borrow::Cow;
use std::fmt;
use std::io;

use nix::errno::Errno;

mod kind;

pub use kind::ErrorKind;

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

    /// The name that Node gives to this error in `error.code`, where it has one. A timeout is `ETIMEDOUT` as in Node's synchronous
    /// functions (the others give none), and a limit passed is what the asynchronous ones say (the others say `ENOBUFS`).
    pub fn code(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::MaxBuffer { .. } => Some("ERR_CHILD_PROCESS_STDIO_MAXBUFFER".to_owned()),
            ErrorKind::Cancelled => Some("ABORT_ERR".to_owned()),
            ErrorKind::TimedOut { .. } => Some("ETIMEDOUT".to_owned()),
            ErrorKind::InvalidInput(_) => Some("ERR_INVALID_ARG_VALUE".to_owned()),
            ErrorKind::ChannelClosed => Some("ERR_IPC_CHANNEL_CLOSED".to_owned()),
            ErrorKind::Unsendable { .. } => Some("ERR_INVALID_HANDLE_TYPE".to_owned()),
            ErrorKind::Failed { .. } => None,
            _ => self.errno().map(|errno| format!("{errno:?}")),
        }
    }

    /// The kernel's error number, where a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        match self.kind() {
            ErrorKind::ProgramNotFound { .. } | ErrorKind::InterpreterNotFound { .. } => Some(Errno::ENOENT),
            ErrorKind::NotExecutable { .. } | ErrorKind::IsDirectory { .. } => Some(Errno::EACCES),
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
