//! Waits for the process, signals it and never leaves a zombie.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use tokio::io::unix::AsyncFd;

use super::{Exit, Signal};
use crate::error::{Error, Result};
use crate::sys::pidfd::{self, Wait};
use crate::sys::readiness;
use crate::sys::spawn::Started;

/// A child process. Dropping the last reference leaves no zombie.
#[derive(Debug)]
pub(super) struct Process {
    pid: i32,
    /// `None` only while it is being dropped.
    pidfd: Option<AsyncFd<OwnedFd>>,
    /// Whether signals go to its whole process group, whose id is its pid.
    group: bool,
    stage: Mutex<Stage>,
}

/// The stage of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    /// It has ended and is a zombie, which keeps its pid and the id of its group from being reused.
    Ended(Exit),
    /// It has been reaped; its pid may be reused.
    Reaped(Exit),
    /// Other code in this process has reaped it: how it ended is unknown, and its pid may be reused.
    Lost,
}

/// Kills and reaps a process if an error or a panic keeps it from being watched.
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
    /// Watches a process that was started.
    ///
    /// # Errors
    ///
    /// Those of registering the pidfd with the runtime. The process is then killed and reaped.
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
        self.pidfd.as_ref().expect("only drop takes it")
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how it ended, if it has.
    pub(super) fn exit(&self) -> Option<Exit> {
        match *self.stage() {
            Stage::Running | Stage::Lost => None,
            Stage::Ended(exit) | Stage::Reaped(exit) => Some(exit),
        }
    }

    /// Waits for its end. The leader of a group stays a zombie until [`reap`](Process::reap), to keep the group's id.
    pub(super) async fn ended(&self) -> Result<Exit> {
        loop {
            let mut ready = self.pidfd().readable().await.map_err(|error| self.failed("wait for", error))?;
            let mut stage = self.stage();
            if let Stage::Ended(exit) | Stage::Reaped(exit) = *stage {
                return Ok(exit);
            }
            let how = if self.group { Wait::Peek } else { Wait::ReapIfEnded };
            match pidfd::wait(self.pidfd().get_ref(), how) {
                Err(error) => {
                    *stage = Stage::Lost;
                    return Err(self.failed("wait for", error));
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

    /// Reaps it, if it has ended.
    pub(super) fn reap(&self) {
        let mut stage = self.stage();
        if let Stage::Ended(exit) = *stage {
            let _ = pidfd::wait(self.pidfd().get_ref(), Wait::ReapIfEnded);
            *stage = Stage::Reaped(exit);
        }
    }

    /// Sends a signal to the process, or to its group. Returns `false` if there is no process left to signal.
    pub(super) fn kill(&self, signal: Signal) -> Result<bool> {
        // Locked until the signal is sent: the leader of a group must not be reaped before.
        let stage = self.stage();
        let sent = match *stage {
            Stage::Reaped(_) | Stage::Lost => return Ok(false),
            _ if self.group => pidfd::signal_group(self.pid, signal.number()),
            // It may have ended unnoticed: signals to a zombie succeed.
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
        // No task waits for it any more: its runtime has gone, or it is a zombie that leads a group.
        if let Ok(None) = pidfd::wait(&pidfd, Wait::ReapIfEnded) {
            // It runs on. A thread waits for it, since otherwise it would stay a zombie until this process ends.
            let _ = std::thread::Builder::new()
                .name(format!("reaper {}", self.pid))
                .spawn(move || pidfd::wait(&pidfd, Wait::Reap));
        }
    }
}
