//! Starting a program and outliving it, whatever signals arrive meanwhile.
//!
//! While a program runs, the signals that would end this process are blocked and read from a signalfd instead:
//!
//! - what the terminal sends (Ctrl-C, Ctrl-\) has already reached the program, since both are in the foreground process group; it
//!   is remembered, and this process ends by it when the program has ended;
//! - what somebody sent to this process alone is passed on.
//!
//! No handler is installed, so their disposition stays the default and [`Ending::end`] can die of the very signal.

use std::ffi::OsStr;
use std::fs;
use std::future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use forklore::child_process::{Child, Command, Exit, Stdio};
use forklore::sys::readiness;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, pipe2, read};
use tokio::io::unix::AsyncFd;

use crate::failure::{Ending, Failure};

/// A program about to be started; its stdin is ours, and its stdout and stderr too unless they are taken.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    name: String,
    takes: [bool; 2],
    /// Signals are for its child, because it blocks them itself, as strace does.
    stands_before_another: bool,
    /// An end in good order is a success, whoever asked for it.
    alone: bool,
}

/// Which of its streams a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Program {
    pub(crate) fn new(path: impl AsRef<OsStr>) -> Program {
        let name = path.as_ref().to_string_lossy().into_owned();
        Program { command: Command::new(path), name, takes: [false; 2], stands_before_another: false, alone: false }
    }

    pub(crate) fn arguments<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Program {
        Program { command: self.command.args(arguments), ..self }
    }

    /// Sets one of its environment variables.
    pub(crate) fn environment(self, name: &str, value: impl AsRef<OsStr>) -> Program {
        Program { command: self.command.env(name, value), ..self }
    }

    /// Its output comes to us instead of to our own stdout.
    pub(crate) fn take_stdout(self) -> Program {
        Program { takes: [true, self.takes[1]], ..self }
    }

    pub(crate) fn take_stderr(self) -> Program {
        Program { takes: [self.takes[0], true], ..self }
    }

    pub(crate) fn stands_before_another(self) -> Program {
        Program { stands_before_another: true, ..self }
    }

    /// It is all that this command is about: when it was asked to end and did so in good order, with code 0, all is well.
    pub(crate) fn alone(self) -> Program {
        Program { alone: true, ..self }
    }

    /// Runs it to its end and gives what was taken to `take`, piece by piece.
    ///
    /// # Errors
    ///
    /// [`Failure::Stopped`] when a signal asked this process to end meanwhile; the program has ended first. And the sentence for
    /// a program that could not be started.
    pub(crate) fn run(self, take: impl FnMut(Stream, &[u8])) -> Result<Ending, Failure> {
        let name = self.name.clone();
        let trouble = |error: io::Error| Failure::trouble(format!("run {name}"), error);
        let _blocked = Blocked::now().map_err(|errno| trouble(errno.into()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(trouble)?;
        runtime.block_on(self.watch(take)).map_err(|error| match error.downcast::<io::Error>() {
            Ok(error) => trouble(*error),
            Err(other) => Failure::Told { code: 1, sentence: other.to_string() },
        })?
    }

    async fn watch(
        self,
        mut take: impl FnMut(Stream, &[u8]),
    ) -> Result<Result<Ending, Failure>, Box<dyn std::error::Error>> {
        let (mut stdout, stdout_end) = Taken::new(Stream::Stdout, self.takes[0])?;
        let (mut stderr, stderr_end) = Taken::new(Stream::Stderr, self.takes[1])?;
        let signals = SignalFd::with_flags(&asking(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let arrived = watched(signals.as_fd().try_clone_to_owned()?)?;
        let command = self.command.stdin(Stdio::Inherit).stdout(stdout_end).stderr(stderr_end);
        let child = command.spawn()?;
        let mut stopped_by = None;
        let exit = loop {
            tokio::select! {
                exit = child.exit() => break exit?,
                () = stdout.readable() => stdout.rest(&mut take),
                () = stderr.readable() => stderr.rest(&mut take),
                ready = arrived.readable() => {
                    ready?.clear_ready();
                    while let Some(info) = signals.read_signal()? {
                        let signal = Signal::try_from(i32::try_from(info.ssi_signo)?)?;
                        stopped_by.get_or_insert(signal);
                        if info.ssi_code != libc::SI_KERNEL {
                            pass_on(signal, &child, self.stands_before_another);
                        }
                    }
                }
            }
        };
        // What is in a pipe now is still taken, but nobody waits for those who may hold it open.
        stdout.rest(&mut take);
        stderr.rest(&mut take);
        let ending = ending(exit);
        Ok(match stopped_by {
            Some(signal) if !(self.alone && ending == Ending::SUCCESS) => Err(Failure::Stopped(signal)),
            _ => Ok(ending),
        })
    }
}

/// Our end of one of its streams.
struct Taken {
    stream: Stream,
    /// None when it is not taken, or at its end.
    pipe: Option<AsyncFd<OwnedFd>>,
}

impl Taken {
    /// Our end and the program's.
    fn new(stream: Stream, taken: bool) -> io::Result<(Taken, Stdio)> {
        if !taken {
            return Ok((Taken { stream, pipe: None }, Stdio::Inherit));
        }
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok((Taken { stream, pipe: Some(watched(ours)?) }, Stdio::Fd(theirs)))
    }

    /// Waits until there is something to take; for ever, if there never will be.
    async fn readable(&self) {
        match &self.pipe {
            Some(pipe) => {
                if let Ok(mut ready) = pipe.readable().await {
                    ready.clear_ready();
                }
            }
            None => future::pending().await,
        }
    }

    /// Takes all that can be had without waiting.
    fn rest(&mut self, take: &mut impl FnMut(Stream, &[u8])) {
        let mut buffer = [0; 64 * 1024];
        while let Some(pipe) = &self.pipe {
            match read(pipe, &mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => take(self.stream, &buffer[..length]),
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(_) => self.pipe = None,
            }
        }
    }
}

fn ending(exit: Exit) -> Ending {
    // A real-time signal has no name in nix; the shell's number is then all that can be said.
    let signal = exit.signal().and_then(|signal| Signal::try_from(signal.number()).ok());
    signal.map_or_else(|| Ending::Code(u8::try_from(exit.shell_code()).unwrap_or(1)), Ending::Signal)
}

/// The signals that ask this process to end.
fn asking() -> SigSet {
    SigSet::from_iter([Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP])
}

/// `fd` registered with the runtime.
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    readiness::readable(fd).map_err(|(_, error)| error)
}

fn pass_on(signal: Signal, child: &Child, to_its_child: bool) {
    let Ok(pid) = i32::try_from(child.pid()).map(Pid::from_raw) else { return };
    // One that has just ended needs no signal: ESRCH is no news.
    for target in if to_its_child { children_of(pid) } else { vec![pid] } {
        let _ = kill(target, signal);
    }
}

/// The signals of [`asking`] blocked for this thread, for as long as this lives. What has arrived by then and was not read from
/// the signalfd ends this process after all.
struct Blocked {
    before: SigSet,
}

impl Blocked {
    fn now() -> nix::Result<Blocked> {
        let mut before = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&asking()), Some(&mut before))?;
        Ok(Blocked { before })
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// The processes whose parent is `parent`: the second word after the closing parenthesis of `/proc/PID/stat` (proc(5)).
fn children_of(parent: Pid) -> Vec<Pid> {
    let is_child = |pid: &Pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw);
    pids.filter(is_child).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Ending, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let program = Program::new("/bin/sh").arguments(["-c", script]).take_stdout().take_stderr();
        let ending = program.run(|stream, bytes| match stream {
            Stream::Stdout => out.extend_from_slice(bytes),
            Stream::Stderr => err.extend_from_slice(bytes),
        });
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (ending.expect("runs"), text(out), text(err))
    }

    #[test]
    fn both_streams_are_taken_to_their_end_and_the_ending_is_true() {
        let (ending, out, err) = shell("echo out; echo err >&2; exit 7");
        assert_eq!((ending, out.as_str(), err.as_str()), (Ending::Code(7), "out\n", "err\n"));
        assert_eq!(shell("kill -KILL $$").0, Ending::Signal(Signal::SIGKILL));
        assert_eq!(shell("head -c 300000 /dev/zero").1.len(), 300_000);
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() {
        let (ending, out, _) = shell("(exec sleep 60) & echo $!");
        assert_eq!(ending, Ending::SUCCESS);
        let sleeper = Pid::from_raw(out.trim().parse().expect("its pid"));
        kill(sleeper, Signal::SIGKILL).expect("it was still there, and we did not wait for it");
    }
}
