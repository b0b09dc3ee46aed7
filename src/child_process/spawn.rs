//! From a [`Command`] to a running [`Child`].

use std::ffi::{CString, OsString};
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
use crate::error::{Error, Result};
use crate::ipc::Channel;
use crate::sys::disposition;
use crate::sys::spawn::{self, Group, Request};

impl Command {
    /// Starts the program. On return it is running (Node's event `spawn`), or there is no process (event `error`).
    ///
    /// # Errors
    ///
    /// The [kind](crate::ErrorKind) distinguishes a missing program, interpreter or working directory, a file that may not
    /// be executed, a directory, arguments that are too long, a missing privilege and a lack of descriptors. An empty
    /// name, a NUL byte and a call outside a tokio runtime are `InvalidInput`.
    ///
    /// # Panics
    ///
    /// In a tokio runtime whose I/O or time driver is not enabled.
    pub fn spawn(mut self) -> Result<Child> {
        self.check()?;
        let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE)
            .map_err(|errno| Error::system("get the limit of descriptors for", self.name(), errno))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX).min(i64::from(i32::MAX) - 1);
        // Created before the child: a runtime without a time driver panics here.
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
                let last = limit - 1;
                let text =
                    format!("descriptor {number} is out of range: this process may have 0 to {last} (`ulimit -n`)");
                return Err(Error::invalid("spawn", self.name(), text));
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
        disposition::keep_children().map_err(|errno| Error::system("spawn", self.name(), errno))?;
        let started = spawn::spawn(&request).map_err(|failure| {
            let attempt = Attempt {
                program: &self.program,
                candidates: &candidates,
                path: path.as_deref(),
                directory: self.directory.as_deref(),
            };
            attempt.explain(failure, &request)
        })?;

        let process = Process::new(started, self.kill_group).map_err(|error| Error::io("watch", self.name(), error))?;
        let process = Arc::new(process);
        let (sender, exit) = watch::channel(None);
        let ended = channel.as_ref().map(Channel::when_peer_exits);
        tokio::spawn(supervise(process.clone(), deadline, ended, sender));
        Ok(Child::new(process, exit, all_closed, ends, channel, self.kill_on_drop))
    }

    /// Refuses a program that cannot be started.
    fn check(&self) -> Result<()> {
        let bytes = self.program.as_bytes();
        let (name, text) = if tokio::runtime::Handle::try_current().is_err() {
            (self.name(), "this thread is not in a tokio runtime, which would wait for the child".to_owned())
        } else if bytes.is_empty() {
            ("\"\"".to_owned(), "a program's name cannot be empty".to_owned())
        } else if let Some(place) = bytes.iter().position(|byte| *byte == 0) {
            (self.name().escape_debug().to_string(), format!("the program's name holds a NUL byte, at {place}"))
        } else {
            return Ok(());
        };
        Err(Error::invalid("spawn", name, text))
    }

    /// Creates the request, with all strings NUL-terminated.
    fn request<'fd>(&self, candidates: &[OsString], placed: &'fd [(OwnedFd, RawFd)]) -> Result<Request<'fd>> {
        let c_string = |what: &str, bytes: Vec<u8>| {
            CString::new(bytes).map_err(|error| {
                let text = format!("{what} holds a NUL byte, at {}", error.nul_position());
                Error::invalid("spawn", self.name(), text)
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

/// Completes when the timeout has passed.
type Deadline = Pin<Box<tokio::time::Timeout<Pending<()>>>>;

/// Waits for a process, sends it a signal at its timeout, and publishes how it ended.
async fn supervise(
    process: Arc<Process>,
    deadline: Option<(Deadline, Signal)>,
    when_ended: Option<impl FnOnce()>,
    sender: watch::Sender<Option<Result<Exit, Arc<Error>>>>,
) {
    let ended = match deadline {
        None => process.ended().await,
        Some((deadline, signal)) => tokio::select! {
            ended = process.ended() => ended,
            _ = deadline => {
                // A process that has changed its user may refuse the signal; this then only waits.
                let _ = process.kill(signal);
                process.ended().await
            }
        },
    };
    if let Some(when_ended) = when_ended {
        when_ended();
    }
    sender.send_replace(Some(ended.map_err(Arc::new)));
}
