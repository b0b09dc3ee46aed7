//! A running child: its streams, its exit, its close.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, watch};

use super::process::Process;
use super::stdio::{End, OpenGuard};
use super::{Duplex, Exit, Readable, Signal, Writable};
use crate::error::{Error, Result};
use crate::ipc::Channel;

/// A child process.
///
/// As in Node, it ends in two stages: **exit**, when the process has ended, and **close**, when in addition no process
/// can write to its pipes or its channel any more. Processes that it started can hold them open long after its exit.
///
/// When a `Child` is dropped, the process runs on and is reaped in the background, unless
/// [`kill_on_drop`](super::Command::kill_on_drop) was set.
#[derive(Debug)]
pub struct Child {
    /// Its stdin, if that is a pipe. A child that reads to the end of its input waits until this is dropped.
    pub stdin: Option<Writable>,
    /// Its stdout, if that is a pipe.
    pub stdout: Option<Readable>,
    /// Its stderr, if that is a pipe.
    pub stderr: Option<Readable>,
    /// Its channel, if it has [`Stdio::Ipc`](super::Stdio::Ipc). [`fork`](super::Command::fork) returns it separately.
    pub channel: Option<Channel>,
    /// Pipes at higher numbers that the user has not taken.
    others: BTreeMap<RawFd, Duplex>,
    process: Arc<Process>,
    exit: watch::Receiver<Option<Result<Exit, Arc<Error>>>>,
    /// Ends when every stream has ended or was dropped, and the channel has ended.
    all_closed: mpsc::Receiver<Infallible>,
    /// The next event to report; `None` after `Close`.
    next: Option<Next>,
    killed: AtomicBool,
    kill_on_drop: bool,
}

/// An event of a child, in Node's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The program is running.
    Spawn,
    /// The process has ended.
    Exit(Exit),
    /// The process has ended and all of its output has been read.
    Close(Exit),
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Spawn,
    Exit,
    Close,
}

/// The parent's ends of a child's pipes.
#[derive(Debug, Default)]
pub(super) struct Ends {
    stdin: Option<Writable>,
    /// stdout and stderr.
    outputs: [Option<Readable>; 2],
    others: BTreeMap<RawFd, Duplex>,
    /// The socket of the channel, and the guard that delays `close`.
    pub(super) channel: Option<(UnixStream, OpenGuard)>,
}

impl Extend<(RawFd, End)> for Ends {
    fn extend<I: IntoIterator<Item = (RawFd, End)>>(&mut self, ends: I) {
        for (number, end) in ends {
            match end {
                End::Writable(writable) => self.stdin = Some(writable),
                End::Readable(readable) if number == 1 => self.outputs[0] = Some(readable),
                End::Readable(readable) => self.outputs[1] = Some(readable),
                End::Duplex(duplex) => drop(self.others.insert(number, duplex)),
                End::Channel(stream, open) => self.channel = Some((stream, open)),
            }
        }
    }
}

impl Child {
    pub(super) fn new(
        process: Arc<Process>,
        exit: watch::Receiver<Option<Result<Exit, Arc<Error>>>>,
        all_closed: mpsc::Receiver<Infallible>,
        ends: Ends,
        channel: Option<Channel>,
        kill_on_drop: bool,
    ) -> Child {
        let Ends { stdin, outputs: [stdout, stderr], others, .. } = ends;
        let (next, killed) = (Some(Next::Spawn), AtomicBool::new(false));
        Child { stdin, stdout, stderr, channel, others, process, exit, all_closed, next, killed, kill_on_drop }
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.process.pid().unsigned_abs()
    }

    /// Takes the parent's end of the pipe at descriptor `number` of the child, which is above 2.
    pub fn take_pipe(&mut self, number: RawFd) -> Option<Duplex> {
        self.others.remove(&number)
    }

    /// Sends a signal. Returns `false` if the process has ended. As in Node, `true` only means that the kernel accepted
    /// it: with [`kill_group`](super::Command::kill_group), until `close`, any process of the group may have got it.
    ///
    /// # Errors
    ///
    /// [`NotPermitted`](crate::ErrorKind::NotPermitted) when the process has changed to another user.
    pub fn kill(&self, signal: Signal) -> Result<bool> {
        let sent = self.process.kill(signal)?;
        self.killed.fetch_or(sent, Ordering::Relaxed);
        Ok(sent)
    }

    /// Whether [`kill`](Child::kill) has sent a signal, whatever its effect.
    pub fn killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Waits until the process has ended. It can be called again. This method is cancel safe.
    ///
    /// # Errors
    ///
    /// When its runtime is shutting down, or other code in this process has reaped it.
    pub async fn exit(&self) -> Result<Exit> {
        self.exit_later().await
    }

    /// Like [`exit`](Child::exit), without borrowing the child.
    pub(crate) fn exit_later(&self) -> impl Future<Output = Result<Exit>> + Send + use<> {
        let (mut exit, process) = (self.exit.clone(), self.process.clone());
        async move {
            let result = exit.wait_for(Option::is_some).await.ok().and_then(|result| result.clone());
            let name = || format!("process {}", process.pid());
            match (result, process.exit()) {
                (_, Some(exit)) => Ok(exit),
                (Some(Err(error)), None) => {
                    let kind = error.kind().clone();
                    Err(Error::new("wait for", name(), kind).caused_by(std::io::Error::other(error)))
                }
                _ => Err(Error::invalid("wait for", name(), "the runtime that waited for it has ended")),
            }
        }
    }

    /// Closes its stdin unless that was taken, and waits until the process has ended **and** no process can write to
    /// its pipes **and** its channel has ended. As in Node, output that was not taken is discarded after the exit; a
    /// stream that was taken must be read to its end or dropped. Messages of the channel can still be received
    /// afterwards.
    ///
    /// # Errors
    ///
    /// Those of [`exit`](Child::exit).
    // ANCHOR: close
    pub async fn close(&mut self) -> Result<Exit> {
        // A child that reads to the end of its input would wait for this process, and this process for the child.
        self.stdin = None;
        let exit = self.exit().await?;
        let others = self.others.values_mut();
        let others = async {
            for duplex in others {
                drain(duplex).await;
            }
        };
        tokio::join!(drain_if(&mut self.stdout), drain_if(&mut self.stderr), others);
        // Nothing is ever sent: this ends when the last stream has dropped its sender.
        while self.all_closed.recv().await.is_some() {}
        self.process.reap();
        Ok(exit)
    }
    // ANCHOR_END: close

    /// Waits for the next event, in the order of [`Event`]; then returns `None`. This method is cancel safe.
    ///
    /// # Errors
    ///
    /// Those of [`exit`](Child::exit).
    pub async fn next_event(&mut self) -> Result<Option<Event>> {
        let event = match self.next {
            None => return Ok(None),
            Some(Next::Spawn) => {
                self.next = Some(Next::Exit);
                Event::Spawn
            }
            Some(Next::Exit) => {
                let exit = self.exit().await?;
                self.next = Some(Next::Close);
                Event::Exit(exit)
            }
            Some(Next::Close) => {
                let exit = self.close().await?;
                self.next = None;
                Event::Close(exit)
            }
        };
        Ok(Some(event))
    }

    /// Lets the process run on, to be reaped in the background. Returns how it ended, if it has.
    pub(super) fn release(&mut self) -> Option<Exit> {
        self.kill_on_drop = false;
        self.process.exit()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.kill_on_drop {
            // The process is reaped even if this fails.
            let _ = self.process.kill(Signal::SIGKILL);
        }
        self.process.reap();
    }
}

async fn drain_if(stream: &mut Option<Readable>) {
    if let Some(stream) = stream {
        drain(stream).await;
    }
}

/// Reads to the end, or to an error, and discards the bytes.
async fn drain(stream: &mut (impl AsyncRead + Unpin)) {
    let mut scratch = [0; 8192];
    while matches!(stream.read(&mut scratch).await, Ok(1..)) {}
}
