//! The process itself: waited for, signalled, never left as a zombie.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use tokio::io::unix::AsyncFd;

use super::{Exit, Signal};
use crate::error::{Error, Result};
use crate::sys::pidfd::{self, Wait};
use crate::sys::readiness;
use crate::sys::spawn::Started;

/// A child process. Whoever holds the last reference leaves no zombie behind.
#[derive(Debug)]
pub(super) struct Process {
    pid: i32,
    /// `None` only while it is being dropped.
    pidfd: Option<AsyncFd<OwnedFd>>,
    /// Whether signals go to its whole process group, which bears its pid as its number.
    group: bool,
    stage: Mutex<Stage>,
}

/// How far its life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    /// It has ended and the kernel still keeps its pid, and with it the number of its group, from being used again.
    Ended(Exit),
    /// It has been waited for; its pid may be anybody's.
    Reaped(Exit),
    /// Somebody else in this process has waited for it: how it ended is lost, its pid may be anybody's.
    Lost,
}

/// A process that nobody waits for yet: killed and reaped if it never comes to that, by an error or a panic.
struct Unwatched(Option<OwnedFd>);

impl Drop for Unwatched {
    fn drop(&mut self) {
        if let Some(pidfd) = &self.0 {
            let _ = pidfd::send_signal(pidfd, Signal::SIGKILL.number());
            let _ = pidfd::wait(pidfd, Wait::Reap);
        }
    }
}

impl Process {
    /// # Errors
    ///
    /// Those of registering the pidfd with the runtime. The process is then killed: nobody could wait for it.
    pub(super) fn new(started: Started, group: bool) -> std::io::Result<Process> {
        let Started { pid, pidfd } = started;
        let mut unwatched = Unwatched(Some(pidfd.try_clone()?));
        let pidfd = readiness::readable(pidfd).map_err(|(_, error)| error)?;
        unwatched.0 = None;
        Ok(Process { pid, pidfd: Some(pidfd), group, stage: Mutex::new(Stage::Running) })
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    fn pidfd(&self) -> &AsyncFd<OwnedFd> {
        self.pidfd.as_ref().expect("taken by drop alone")
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it ended, if it has.
    pub(super) fn exit(&self) -> Option<Exit> {
        match *self.stage() {
            Stage::Running | Stage::Lost => None,
            Stage::Ended(exit) | Stage::Reaped(exit) => Some(exit),
        }
    }

    /// Waits for its end. A process whose group we may still want to signal is left as it is until [`reap`](Process::reap).
    pub(super) async fn ended(&self) -> Result<Exit> {
        loop {
            let mut ready = self.pidfd().readable().await.map_err(|error| self.failed("wait for", error))?;
            let mut stage = self.stage();
            if let Stage::Ended(exit) | Stage::Reaped(exit) = *stage {
                return Ok(exit);
            }
            let how = if self.group { Wait::Peek } else { Wait::ReapIfEnded };
            match pidfd::wait(self.pidfd().get_ref(), how) {
                Err(errno) => {
                    *stage = Stage::Lost;
                    return Err(self.failed("wait for", errno.into()));
                }
                Ok(Some(end)) => {
                    let exit = Exit::from(end);
                    *stage = if self.group { Stage::Ended(exit) } else { Stage::Reaped(exit) };
                    return Ok(exit);
                }
                Ok(None) => ready.clear_ready(),
            }
        }
    }

    /// Lets the kernel forget it, if it has ended.
    pub(super) fn reap(&self) {
        let mut stage = self.stage();
        if let Stage::Ended(exit) = *stage {
            let _ = pidfd::wait(self.pidfd().get_ref(), Wait::ReapIfEnded);
            *stage = Stage::Reaped(exit);
        }
    }

    /// Sends a signal, to the whole group if so asked at the start; `false` when there is nobody left to take it.
    pub(super) fn kill(&self, signal: Signal) -> Result<bool> {
        // Held until the signal is sent: the pid must not be reaped in between, when it is the group that is meant.
        let stage = self.stage();
        let sent = match *stage {
            Stage::Reaped(_) | Stage::Lost => return Ok(false),
            _ if self.group => pidfd::signal_group(self.pid, signal.number()),
            // It may have ended without our having been told: a zombie takes any signal, and says that it did.
            _ if !matches!(pidfd::wait(self.pidfd().get_ref(), Wait::Peek), Ok(None)) => return Ok(false),
            _ => pidfd::send_signal(self.pidfd().get_ref(), signal.number()),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(Errno::ESRCH) => Ok(false),
            Err(errno) => Err(Error::system("signal", format!("process {}", self.pid), errno)),
        }
    }

    fn failed(&self, operation: &'static str, error: std::io::Error) -> Error {
        Error::io(operation, format!("process {}", self.pid), error)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take().map(AsyncFd::into_inner) else { return };
        if let Stage::Reaped(_) | Stage::Lost = *self.stage() {
            return;
        }
        // Nobody waits for it any more: its runtime has gone, or it was never asked how it ended.
        if let Ok(None) = pidfd::wait(&pidfd, Wait::ReapIfEnded) {
            // It runs on. A thread waits for it, since otherwise it would be a zombie from its end to ours.
            let _ = std::thread::Builder::new()
                .name(format!("reaper {}", self.pid))
                .spawn(move || pidfd::wait(&pidfd, Wait::Reap));
        }
    }
}
