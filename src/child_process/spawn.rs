//! From a [`Command`] to a running [`Child`].

use std::ffi::{CString, OsStr, OsString};
use std::future::{Pending, pending};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::pin::Pin;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use tokio::sync::{mpsc, watch};

use super::child::Ends;
use super::command::inherited_environment;
use super::process::Process;
use super::refusal::Attempt;
use super::{Child, Command, Exit, Signal, Stdio, lookup};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::Channel;
use crate::sys::disposition;
use crate::sys::spawn::{self, Group, Request};

impl Command {
    /// Starts the program. When this returns, it runs (Node's event `spawn`) or there is no process at all (event `error`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind`] tells apart: a missing program, interpreter or working directory, a file that may not be executed, a
    /// directory, arguments that are too long, a missing privilege, no descriptor left; an empty name, a NUL byte, and a call
    /// outside a tokio runtime are [`ErrorKind::InvalidInput`].
    ///
    /// # Panics
    ///
    /// In a tokio runtime whose I/O or time driver is not enabled, which cannot be asked beforehand.
    pub fn spawn(mut self) -> Result<Child> {
        let invalid = |program: &OsStr, sentence: String| {
            Error::new("spawn", program.to_string_lossy(), ErrorKind::InvalidInput(sentence))
        };
        if tokio::runtime::Handle::try_current().is_err() {
            let sentence = "this thread is in no tokio runtime, which would wait for the child";
            return Err(invalid(&self.program, sentence.to_owned()));
        }
        if self.program.is_empty() {
            return Err(invalid(OsStr::new("\"\""), "a program's name cannot be empty".to_owned()));
        }

        if let Some(place) = self.program.as_bytes().iter().position(|byte| *byte == 0) {
            let name = self.program.to_string_lossy().escape_debug().to_string();
            return Err(invalid(OsStr::new(&name), format!("the program's name holds a NUL byte, at {place}")));
        }
        let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|errno| {
            Error::system("ask the limit of descriptors for", self.program.to_string_lossy(), errno)
        })?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX).min(i64::from(i32::MAX) - 1);
        // Made before there is a child: a runtime that has no clock says so here.
        let deadline =
            self.timeout.map(|timeout| (Box::pin(tokio::time::timeout(timeout, pending())), self.kill_signal));

        let (open, all_closed) = mpsc::channel(1);
        let mut ends = Ends::default();
        let mut placed: Vec<(OwnedFd, RawFd)> = Vec::new();
        for number in 0..3 {
            self.stdio.entry(number).or_insert(Stdio::Pipe);
        }
        self.announce_channel()?;
        for (number, stdio) in std::mem::take(&mut self.stdio) {
            if !(0..limit).contains(&i64::from(number)) {
                let sentence =
                    format!("descriptor {number} cannot be: this process may have 0 to {} (`ulimit -n`)", limit - 1);
                return Err(invalid(&self.program, sentence));
            }
            let (theirs, ours) = stdio.open(number, &open)?;
            placed.extend(theirs.map(|fd| (fd, number)));
            ends.extend(ours.map(|end| (number, end)));
        }
        drop(open);

        let path = self.path();
        let candidates = lookup::candidates(&self.program, path.as_deref());
        let request = self.request(&candidates, &placed)?;
        let channel = self.open_channel(ends.channel.take())?;
        disposition::keep_children().map_err(|errno| Error::system("spawn", self.program.to_string_lossy(), errno))?;
        let started = spawn::spawn(&request).map_err(|failure| {
            let attempt = Attempt {
                program: &self.program,
                candidates: &candidates,
                path: path.as_deref(),
                directory: self.directory.as_deref(),
            };
            attempt.explain(failure, &request)
        })?;

        let process = Process::new(started, self.kill_group)
            .map_err(|error| Error::io("watch", self.program.to_string_lossy(), error))?;
        let process = Arc::new(process);
        let (told, exit) = watch::channel(None);
        let ended = channel.as_ref().map(Channel::when_peer_exits);
        tokio::spawn(attend(process.clone(), deadline, ended, told));
        Ok(Child::new(process, exit, all_closed, ends, channel, self.kill_on_drop))
    }

    /// The request for the kernel: all strings with their final NUL.
    fn request<'fd>(&self, candidates: &[OsString], placed: &'fd [(OwnedFd, RawFd)]) -> Result<Request<'fd>> {
        let c_string = |what: &str, bytes: Vec<u8>| {
            CString::new(bytes).map_err(|error| {
                let kind = ErrorKind::InvalidInput(format!("{what} holds a NUL byte, at {}", error.nul_position()));
                Error::new("spawn", self.program.to_string_lossy(), kind)
            })
        };
        let argv0 = self.argv0.as_ref().unwrap_or(&self.program);
        let variable = |(name, value): (&OsString, &OsString)| {
            c_string("a variable of the environment", [name.as_bytes(), b"=", value.as_bytes()].concat())
        };
        let inherited;
        let environment = match &self.environment {
            Some(environment) => environment,
            None => {
                inherited = inherited_environment();
                &inherited
            }
        };
        Ok(Request {
            candidates: candidates
                .iter()
                .map(|candidate| c_string("the program's name", candidate.clone().into_vec()))
                .collect::<Result<_>>()?,
            arguments: std::iter::once(argv0)
                .chain(&self.arguments)
                .map(|argument| c_string("an argument", argument.clone().into_vec()))
                .collect::<Result<_>>()?,
            environment: environment.iter().map(variable).collect::<Result<_>>()?,
            directory: self
                .directory
                .as_ref()
                .map(|directory| c_string("the working directory", directory.as_os_str().as_bytes().to_vec()))
                .transpose()?,
            descriptors: placed.iter().map(|(fd, number)| (fd.as_fd(), *number)).collect(),
            group: match (self.detached, self.kill_group) {
                (true, _) => Group::Session,
                (false, true) => Group::Own,
                (false, false) => Group::Inherited,
            },
            uid: self.uid,
            gid: self.gid,
            parent_death_signal: self.parent_death_signal.map(Signal::number),
        })
    }
}

/// Passes when the time is up; it waits for nothing else.
type Deadline = Pin<Box<tokio::time::Timeout<Pending<()>>>>;

/// Waits for a process, whether anybody asks or not, and sends it a signal when its time is up.
async fn attend(
    process: Arc<Process>,
    deadline: Option<(Deadline, Signal)>,
    when_ended: Option<impl FnOnce()>,
    told: watch::Sender<Option<Result<Exit, Arc<Error>>>>,
) {
    let ended = match deadline {
        None => process.ended().await,
        Some((deadline, signal)) => tokio::select! {
            ended = process.ended() => ended,
            _ = deadline => {
                // If it may not be signalled (it changed its user), there is nothing to do but wait on.
                let _ = process.kill(signal);
                process.ended().await
            }
        },
    };
    if let Some(when_ended) = when_ended {
        when_ended();
    }
    told.send_replace(Some(ended.map_err(Arc::new)));
}
