//! All of a program's output, up to a limit: Node's `exec` and `execFile`.

use std::ffi::OsStr;
use std::fmt;
use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Child, Command, Exit, Readable, Signal, Stdio, Writable};
use crate::error::{Error, ErrorKind, Remains, Result};

/// How many bytes of each stream are taken if not said otherwise: 1 MiB, Node's `maxBuffer`.
pub const DEFAULT_MAX_BUFFER: usize = 1024 * 1024;

/// Has `/bin/sh -c` run `line`, and gives its output: Node's `exec`.
///
/// The shell reads the line, with all that means for text in it that came from elsewhere; [`exec_file`] does not.
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

/// Runs a program with its arguments, and gives its output: Node's `execFile`.
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

/// A program to be run for its output. Await it, or [`wait`](Exec::wait) for it.
///
/// When the future is dropped before its end, the program is killed with SIGKILL.
#[must_use = "nothing runs until this is awaited"]
pub struct Exec {
    /// `exec` or `exec_file`, for messages.
    operation: &'static str,
    /// What the caller asked to run, for messages.
    subject: String,
    command: Command,
    max_buffer: usize,
    input: Vec<u8>,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What a program that ended well has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// All bytes of its stdout.
    pub stdout: Vec<u8>,
    /// All bytes of its stderr. Something here is no error by itself.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Its stdout as text; what is not UTF-8 becomes U+FFFD.
    pub fn stdout_lossy(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its stderr as text; what is not UTF-8 becomes U+FFFD.
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
    /// Everything else that a [`Command`] can be told: `exec("ls").with(|command| command.cwd("/proc"))`.
    pub fn with(mut self, options: impl FnOnce(Command) -> Command) -> Exec {
        self.command = options(self.command);
        self
    }

    /// How many **bytes** of each stream are taken; [`DEFAULT_MAX_BUFFER`] if not said otherwise, `usize::MAX` for no limit. With one
    /// byte more the program is killed, and the output up to the limit is in the error.
    pub fn max_buffer(mut self, bytes: usize) -> Exec {
        self.max_buffer = bytes;
        self
    }

    /// How long it may take until its pipes are closed and it is sent the kill signal.
    pub fn timeout(mut self, timeout: Duration) -> Exec {
        self.command = self.command.timeout(timeout);
        self
    }

    /// The signal to send when a limit is passed, the time is up or it is cancelled; SIGTERM if not said otherwise.
    pub fn kill_signal(mut self, signal: Signal) -> Exec {
        self.command = self.command.kill_signal(signal);
        self
    }

    /// Kills the whole process group and not just the program: for `exec` that is the shell, whose children otherwise live on.
    pub fn kill_group(mut self) -> Exec {
        self.command = self.command.kill_group();
        self
    }

    /// What the program reads. If nothing is given it finds its input at its end at once (Node leaves it waiting).
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Exec {
        self.input = bytes.into();
        self
    }

    /// Ends the program when `done` is ready, at once: the result is then [`ErrorKind::Cancelled`]. Node's `AbortSignal`.
    pub fn cancel_on(mut self, done: impl Future<Output = ()> + Send + 'static) -> Exec {
        self.cancel = Some(Box::pin(done));
        self
    }

    /// Runs it and blocks the thread until it has ended: Node's `execFileSync`.
    ///
    /// # Errors
    ///
    /// As when awaited; and [`ErrorKind::InvalidInput`] inside a tokio runtime, whose other tasks would stand still.
    pub fn wait(self) -> Result<Output> {
        if tokio::runtime::Handle::try_current().is_ok() {
            let sentence = "wait() would block the runtime of this thread; use .await".to_owned();
            return Err(Error::new(self.operation, self.subject, ErrorKind::InvalidInput(sentence)));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("start a runtime for", self.subject.clone(), error))?;
        runtime.block_on(self.run())
    }

    async fn run(self) -> Result<Output> {
        let Exec { operation, subject, mut command, max_buffer, input, cancel } = self;
        // Here, since the pipes are to be closed with it.
        let timeout = command.timeout.take();
        let kill_signal = command.kill_signal;
        let given = if input.is_empty() { Stdio::Ignore } else { Stdio::Pipe };
        command.stdio.entry(0).or_insert(given);
        let mut child = command.stdout(Stdio::Pipe).stderr(Stdio::Pipe).kill_on_drop().spawn()?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());

        let ended = tokio::select! {
            ended = collect(&mut child, &input, max_buffer, &mut stdout, &mut stderr) => ended,
            kind = time_is_up(timeout) => Err(kind.into()),
            () = cancelled(cancel) => Err(ErrorKind::Cancelled.into()),
        };
        let mut killed = false;
        let (kind, exit) = match ended {
            Ok(exit) => match exit.failure() {
                None => {
                    // It may have left something running on purpose.
                    child.let_go();
                    return Ok(Output { stdout, stderr });
                }
                Some(kind) => {
                    child.let_go();
                    (kind, Some(exit))
                }
            },
            Err(Stop::Broken(error)) => return Err(error),
            Err(Stop::Because(kind)) => {
                killed = child.kill(kill_signal)?;
                let exit = if kind == ErrorKind::Cancelled { child.let_go() } else { Some(child.close().await?) };
                (kind, exit)
            }
        };
        let remains = Remains {
            stdout,
            stderr,
            exit_code: exit.and_then(Exit::code),
            signal: exit.and_then(Exit::signal).map(Signal::number),
            killed,
        };
        Err(Error::new(operation, subject, kind).with_remains(remains))
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
    /// A limit: the child is to be killed.
    Because(ErrorKind),
    /// It could not be read or waited for.
    Broken(Error),
}

impl From<ErrorKind> for Stop {
    fn from(kind: ErrorKind) -> Stop {
        Stop::Because(kind)
    }
}

/// Feeds and reads the child until both of its outputs are at their end and it has exited. Its pipes are closed when this returns
/// or is dropped: a child that goes on writing gets SIGPIPE.
async fn collect(
    child: &mut Child,
    input: &[u8],
    limit: usize,
    stdout: &mut Vec<u8>,
    stderr: &mut Vec<u8>,
) -> Result<Exit, Stop> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (stdin, out, err) = pipes;
    tokio::try_join!(feed(stdin, input), take(out, "stdout", limit, stdout), take(err, "stderr", limit, stderr))?;
    child.exit().await.map_err(Stop::Broken)
}

async fn feed(stdin: Option<Writable>, input: &[u8]) -> Result<(), Stop> {
    if let Some(mut stdin) = stdin {
        // A program need not read all of its input: `head` does not.
        let _ = stdin.write_all(input).await;
    }
    Ok(())
}

// ANCHOR: take
/// Reads to the end, but no more than `limit` bytes.
async fn take(from: Option<Readable>, stream: &'static str, limit: usize, to: &mut Vec<u8>) -> Result<(), Stop> {
    let Some(mut from) = from else { return Ok(()) };
    let broken = |error| Stop::Broken(Error::io("read", format!("a child's {stream}"), error));
    let room = u64::try_from(limit).unwrap_or(u64::MAX);
    (&mut from).take(room).read_to_end(to).await.map_err(broken)?;
    // At the limit, whether that was all is known only by asking for one byte more.
    if to.len() == limit && from.read(&mut [0]).await.map_err(broken)? > 0 {
        return Err(ErrorKind::MaxBuffer { stream, limit }.into());
    }
    Ok(())
}
// ANCHOR_END: take

async fn time_is_up(timeout: Option<Duration>) -> ErrorKind {
    match timeout {
        None => pending().await,
        Some(after) => {
            // The end of a timeout is the one thing that only time can tell.
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
