//! The whole output of a program, up to a limit: Node's `exec` and `execFile`.

use std::ffi::OsStr;
use std::fmt;
use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Child, Command, Exit, Readable, Signal, Stdio, Writable};
use crate::error::{ChildOutput, Error, ErrorKind, Result};

/// The default of [`Exec::max_buffer`]: 1 MiB, Node's `maxBuffer`.
pub const DEFAULT_MAX_BUFFER: usize = 1024 * 1024;

/// Runs `line` with `/bin/sh -c` and returns its output: Node's `exec`.
///
/// The shell interprets the line, so untrusted text in it can run any program. [`exec_file`] uses no shell.
///
/// ```no_run
/// # async fn example() -> forklore::Result<()> {
/// let output = forklore::child_process::exec("ls /proc | wc -l").await?;
/// print!("{}", output.stdout_lossy());
/// # Ok(())
/// # }
/// ```
pub fn exec(line: impl AsRef<OsStr>) -> Exec {
    let subject = line.as_ref().to_string_lossy().into_owned();
    Exec { operation: "exec", subject, ..exec_file(Command::shell(line)) }
}

/// Runs a program with its arguments and returns its output: Node's `execFile`.
///
/// ```no_run
/// # async fn example() -> forklore::Result<()> {
/// use forklore::child_process::{Command, exec_file};
///
/// let output = exec_file(Command::new("git").args(["log", "--oneline"])).max_buffer(10_000).await?;
/// # Ok(())
/// # }
/// ```
pub fn exec_file(command: impl Into<Command>) -> Exec {
    let command = command.into();
    Exec {
        operation: "exec_file",
        subject: command.line(),
        command,
        max_buffer: DEFAULT_MAX_BUFFER,
        input: Vec::new(),
        cancel: None,
    }
}

/// A program to run for its output. Await it, or [`wait`](Exec::wait) for it.
///
/// Dropping the future before its end kills the program with SIGKILL.
#[must_use = "nothing runs until this is awaited"]
pub struct Exec {
    /// `exec` or `exec_file`, for error messages.
    operation: &'static str,
    /// The command line, for error messages.
    subject: String,
    command: Command,
    max_buffer: usize,
    input: Vec<u8>,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// The output of a program that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// All bytes of its stdout.
    pub stdout: Vec<u8>,
    /// All bytes of its stderr. Output here does not by itself mean an error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Returns stdout as text, with U+FFFD for what is not UTF-8.
    pub fn stdout_lossy(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns stderr as text, with U+FFFD for what is not UTF-8.
    pub fn stderr_lossy(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("command", &self.command).finish_non_exhaustive()
    }
}

impl Exec {
    /// Changes any other option of the [`Command`]: `exec("ls").with(|command| command.cwd("/proc"))`.
    pub fn with(mut self, options: impl FnOnce(Command) -> Command) -> Exec {
        self.command = options(self.command);
        self
    }

    /// Sets the limit of **bytes** for each stream. Default: [`DEFAULT_MAX_BUFFER`]; `usize::MAX` means no limit. A
    /// program that writes more is killed, and the error contains the output up to the limit.
    pub fn max_buffer(mut self, bytes: usize) -> Exec {
        self.max_buffer = bytes;
        self
    }

    /// Sets the time after which its pipes are closed and it is sent the kill signal. Default: none.
    pub fn timeout(mut self, timeout: Duration) -> Exec {
        self.command = self.command.timeout(timeout);
        self
    }

    /// Sets the signal to send when it exceeds a limit or the timeout, or is cancelled. Default: SIGTERM.
    pub fn kill_signal(mut self, signal: Signal) -> Exec {
        self.command = self.command.kill_signal(signal);
        self
    }

    /// Kills the whole process group, not only the program. For `exec` that is the shell, whose children would live on.
    pub fn kill_group(mut self) -> Exec {
        self.command = self.command.kill_group();
        self
    }

    /// Sets the input of the program. Default: empty, so that it reads the end of file at once (in Node it waits).
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Exec {
        self.input = bytes.into();
        self
    }

    /// Cancels when `done` completes: the result is [`ErrorKind::Cancelled`], at once. Node's `AbortSignal`.
    pub fn cancel_on(mut self, done: impl Future<Output = ()> + Send + 'static) -> Exec {
        self.cancel = Some(Box::pin(done));
        self
    }

    /// Runs the program and blocks the thread until it has ended: Node's `execFileSync`.
    ///
    /// # Errors
    ///
    /// Those of awaiting, and [`ErrorKind::InvalidInput`] inside a tokio runtime, whose other tasks would be blocked.
    pub fn wait(self) -> Result<Output> {
        if tokio::runtime::Handle::try_current().is_ok() {
            let text = "wait() would block the runtime of this thread; use .await";
            return Err(Error::invalid(self.operation, self.subject, text));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("start a runtime for", self.subject.clone(), error))?;
        runtime.block_on(self.run())
    }

    async fn run(self) -> Result<Output> {
        let Exec { operation, subject, mut command, max_buffer, input, cancel } = self;
        // The timeout is applied here, because it also closes the pipes.
        let timeout = command.timeout.take();
        let kill_signal = command.kill_signal;
        let stdin = if input.is_empty() { Stdio::Ignore } else { Stdio::Pipe };
        command.stdio.entry(0).or_insert(stdin);
        let mut child = command.stdout(Stdio::Pipe).stderr(Stdio::Pipe).kill_on_drop().spawn()?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());

        let ended = tokio::select! {
            ended = collect(&mut child, &input, max_buffer, &mut stdout, &mut stderr) => ended,
            kind = expired(timeout) => Err(kind.into()),
            () = cancelled(cancel) => Err(ErrorKind::Cancelled.into()),
        };
        let mut killed = false;
        let (kind, exit) = match ended {
            Ok(exit) => {
                // Processes that it left behind may be there on purpose.
                child.release();
                match exit.failure() {
                    None => return Ok(Output { stdout, stderr }),
                    Some(kind) => (kind, Some(exit)),
                }
            }
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Limit(kind)) => {
                killed = child.kill(kill_signal)?;
                let exit = if kind == ErrorKind::Cancelled { child.release() } else { Some(child.close().await?) };
                (kind, exit)
            }
        };
        let output = ChildOutput {
            stdout,
            stderr,
            exit_code: exit.and_then(Exit::code),
            signal: exit.and_then(Exit::signal).map(Signal::number),
            killed,
        };
        Err(Error::new(operation, subject, kind).with_output(output))
    }
}

impl IntoFuture for Exec {
    type Output = Result<Output>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Output>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Why collecting ended early.
enum Stop {
    /// A limit was exceeded, or the caller cancelled: the child must be killed.
    Limit(ErrorKind),
    /// Reading or waiting failed.
    Failed(Error),
}

impl From<ErrorKind> for Stop {
    fn from(kind: ErrorKind) -> Stop {
        Stop::Limit(kind)
    }
}

/// Writes the input and reads both outputs to their end, then waits for the exit. The pipes are closed when this
/// returns or is dropped: a child that goes on writing gets SIGPIPE.
async fn collect(
    child: &mut Child,
    input: &[u8],
    limit: usize,
    stdout: &mut Vec<u8>,
    stderr: &mut Vec<u8>,
) -> Result<Exit, Stop> {
    let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    tokio::try_join!(feed(stdin, input), take(out, "stdout", limit, stdout), take(err, "stderr", limit, stderr))?;
    child.exit().await.map_err(Stop::Failed)
}

async fn feed(stdin: Option<Writable>, input: &[u8]) -> Result<(), Stop> {
    if let Some(mut stdin) = stdin {
        // A program may leave input unread, as `head` does.
        let _ = stdin.write_all(input).await;
    }
    Ok(())
}

// ANCHOR: take
/// Reads to the end, but at most `limit` bytes.
async fn take(from: Option<Readable>, stream: &'static str, limit: usize, to: &mut Vec<u8>) -> Result<(), Stop> {
    let Some(mut from) = from else { return Ok(()) };
    let failed = |error| Stop::Failed(Error::io("read", format!("a child's {stream}"), error));
    let room = u64::try_from(limit).unwrap_or(u64::MAX);
    (&mut from).take(room).read_to_end(to).await.map_err(failed)?;
    // At the limit, only reading one more byte tells whether that was the end.
    if to.len() == limit && from.read(&mut [0]).await.map_err(failed)? > 0 {
        return Err(ErrorKind::MaxBuffer { stream, limit }.into());
    }
    Ok(())
}
// ANCHOR_END: take

async fn expired(timeout: Option<Duration>) -> ErrorKind {
    match timeout {
        None => pending().await,
        Some(after) => {
            let _ = tokio::time::timeout(after, pending::<()>()).await;
            ErrorKind::TimedOut { after }
        }
    }
}

async fn cancelled(cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>) {
    match cancel {
        None => pending().await,
        Some(cancel) => cancel.await,
    }
}
