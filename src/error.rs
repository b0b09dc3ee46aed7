//! The error type: the operation, its subject and the cause.

use std::borrow::Cow;
use std::fmt;
use std::io;

use nix::errno::Errno as Known;

mod errno;
mod kind;

pub use errno::Errno;
pub use kind::ErrorKind;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation that failed. Its message names the operation, its subject and the cause:
/// `spawn server.js: permission denied: the file is not executable (EACCES)`.
#[derive(Debug)]
pub struct Error {
    /// Boxed, so that a `Result` stays small.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    operation: Cow<'static, str>,
    subject: String,
    kind: ErrorKind,
    source: Option<io::Error>,
    output: Option<ChildOutput>,
}

/// What a failed child wrote, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct ChildOutput {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) exit_code: Option<i32>,
    /// The number of the signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Whether this process sent it a signal.
    pub(crate) killed: bool,
}

impl Error {
    /// Creates the error of `operation` on `subject`.
    pub(crate) fn new(operation: impl Into<Cow<'static, str>>, subject: impl Into<String>, kind: ErrorKind) -> Error {
        let inner = Inner { operation: operation.into(), subject: subject.into(), kind, source: None, output: None };
        Error { inner: Box::new(inner) }
    }

    /// Creates the error of a call with an invalid argument.
    pub(crate) fn invalid(
        operation: impl Into<Cow<'static, str>>,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Error {
        Error::new(operation, subject, ErrorKind::InvalidInput(text.into()))
    }

    /// Creates the error of a system call that failed with `errno`.
    pub(crate) fn system(operation: impl Into<Cow<'static, str>>, subject: impl Into<String>, errno: Known) -> Error {
        let kind = match errno {
            Known::EMFILE | Known::ENFILE => ErrorKind::OutOfDescriptors(Errno::of(errno)),
            Known::EPERM => ErrorKind::NotPermitted,
            errno => ErrorKind::System(Errno::of(errno)),
        };
        Error::new(operation, subject, kind).caused_by(errno.into())
    }

    /// Creates the error of an operation of the standard library or of tokio.
    pub(crate) fn io(operation: impl Into<Cow<'static, str>>, subject: impl Into<String>, error: io::Error) -> Error {
        let errno = error.raw_os_error().map_or(Known::EIO, Known::from_raw);
        Error::system(operation, subject, errno).caused_by(error)
    }

    /// Adds the source of the error.
    pub(crate) fn caused_by(mut self, source: io::Error) -> Error {
        self.inner.source = Some(source);
        self
    }

    /// Adds the output and the end of the child.
    pub(crate) fn with_output(mut self, output: ChildOutput) -> Error {
        self.inner.output = Some(output);
        self
    }

    /// Returns the reason for the failure.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// Returns the operation that failed, such as `spawn`.
    pub fn operation(&self) -> &str {
        &self.inner.operation
    }

    /// Returns the subject of the operation: a program, a command, an address.
    pub fn subject(&self) -> &str {
        &self.inner.subject
    }

    /// Returns what the child had written to stdout when it failed; empty if it had not started.
    pub fn stdout(&self) -> &[u8] {
        self.inner.output.as_ref().map_or(&[], |output| &output.stdout)
    }

    /// Returns what the child had written to stderr when it failed; empty if it had not started.
    pub fn stderr(&self) -> &[u8] {
        self.inner.output.as_ref().map_or(&[], |output| &output.stderr)
    }

    /// Returns the exit code of the child, if it exited, whatever the cause of this error.
    pub fn exit_code(&self) -> Option<i32> {
        self.inner.output.as_ref().and_then(|output| output.exit_code)
    }

    /// Returns the number of the signal that ended the child, if one did, whichever process sent it.
    pub fn signal(&self) -> Option<i32> {
        self.inner.output.as_ref().and_then(|output| output.signal)
    }

    /// Whether this process sent the child a signal, because of a limit, a timeout or a cancellation.
    pub fn killed(&self) -> bool {
        self.inner.output.as_ref().is_some_and(|output| output.killed)
    }

    /// Returns Node's `error.code`, where Node has one. A timeout is `ETIMEDOUT`, as in Node's synchronous functions
    /// (the others have no code); an exceeded limit has the code of the asynchronous ones (the others have `ENOBUFS`).
    pub fn code(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::MaxBuffer { .. } => Some("ERR_CHILD_PROCESS_STDIO_MAXBUFFER".to_owned()),
            ErrorKind::Cancelled => Some("ABORT_ERR".to_owned()),
            ErrorKind::TimedOut { .. } => Some("ETIMEDOUT".to_owned()),
            ErrorKind::InvalidInput(_) => Some("ERR_INVALID_ARG_VALUE".to_owned()),
            ErrorKind::ChannelClosed => Some("ERR_IPC_CHANNEL_CLOSED".to_owned()),
            ErrorKind::Unsendable { .. } => Some("ERR_INVALID_HANDLE_TYPE".to_owned()),
            ErrorKind::Failed { .. } => None,
            _ => self.errno().map(Errno::name),
        }
    }

    /// Returns the kernel's error number, if a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        let known = match self.kind() {
            ErrorKind::ProgramNotFound { .. } | ErrorKind::InterpreterNotFound { .. } => Known::ENOENT,
            ErrorKind::NotExecutable { .. } | ErrorKind::IsDirectory { .. } => Known::EACCES,
            ErrorKind::ArgumentsTooLong { .. } => Known::E2BIG,
            ErrorKind::NotPermitted => Known::EPERM,
            ErrorKind::WorkingDirectory { errno, .. }
            | ErrorKind::OutOfDescriptors(errno)
            | ErrorKind::System(errno) => return Some(*errno),
            _ => return None,
        };
        Some(Errno::of(known))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_ref().map(|source| source as _)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, subject, kind, output, .. } = &*self.inner;
        write!(f, "{operation} {subject}: {kind}")?;
        if let Some(errno) = self.errno() {
            write!(f, " ({})", errno.name())?;
        }
        // The last line that the command wrote to stderr is usually the best explanation.
        let lines = output.as_ref().map(|output| output.stderr.split(|byte| *byte == b'\n'));
        match (kind, lines.and_then(|mut lines| lines.rfind(|line| !line.is_empty()))) {
            (ErrorKind::Failed { .. }, Some(line)) => write!(f, ": {}", String::from_utf8_lossy(line)),
            _ => Ok(()),
        }
    }
}
