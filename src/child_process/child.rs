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
use super::stdio::{End, Open};
use super::{Duplex, Exit, Readable, Signal, Writable};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::Channel;

/// A child process.
///
/// Two ends of its life are told apart, as in Node: **exit**, when the process has ended, and **close**, when besides nobody can write
/// to its pipes or its channel any more. What it has started in turn may hold them open long after its exit.
///
/// When a `Child` is dropped the process runs on (unless [`kill_on_drop`](super::Command::kill_on_drop) was asked for) and is waited
/// for in the background, so that it is never left as a zombie.
#[derive(Debug)]
pub struct Child {
    /// What it reads, if that is a pipe. While this is kept, a child that reads to the end of its input waits.
    pub stdin: Option<Writable>,
    /// What it writes, if that is a pipe.
    pub stdout: Option<Readable>,
    /// Its errors, if that is a pipe.
    pub stderr: Option<Readable>,
    /// Its channel, if it has [`Stdio::Ipc`](super::Stdio::Ipc) somewhere. [`fork`](super::Command::fork) hands it out by itself.
    pub channel: Option<Channel>,
    /// Pipes at higher numbers that have not been taken.
    others: BTreeMap<RawFd, Duplex>,
    process: Arc<Process>,
    exit: watch::Receiver<Option<Result<Exit, Arc<Error>>>>,
    /// Ends when every stream has reached its end or was dropped, and the channel has ended.
    all_closed: mpsc::Receiver<Infallible>,
    /// The next event to report; none after `Close`.
    next: Option<Next>,
    killed: AtomicBool,
    kill_on_drop: bool,
}

/// What happens to a child, in Node's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The program runs.
    Spawn,
    /// The process has ended.
    Exit(Exit),
    /// It has ended and all of its output has been read.
    Close(Exit),
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Spawn,
    Exit,
    Close,
}

/// Our ends of a child's pipes, by its numbers.
#[derive(Debug, Default)]
pub(super) struct Ends {
    stdin: Option<Writable>,
    /// stdout and stderr.
    outputs: [Option<Readable>; 2],
    others: BTreeMap<RawFd, Duplex>,
    /// The socket of the channel, and what stands for its being open.
    pub(super) channel: Option<(UnixStream, Open)>,
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

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid().unsigned_abs()
    }

    /// Takes our end of the pipe at descriptor `number` of the child, which is above 2.
    pub fn take_pipe(&mut self, number: RawFd) -> Option<Duplex> {
        self.others.remove(&number)
    }

    /// Sends a signal; `false` when it has ended already. As in Node, `true` says no more than that the kernel took the signal: with
    /// [`kill_group`](super::Command::kill_group) anybody of the group may have got it, until `close`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotPermitted`] when it has become another user's.
    pub fn kill(&self, signal: Signal) -> Result<bool> {
        let sent = self.process.kill(signal)?;
        self.killed.fetch_or(sent, Ordering::Relaxed);
        Ok(sent)
    }

    /// Whether [`kill`](Child::kill) has sent a signal; not whether that ended it.
    pub fn killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Waits until the process has ended. Can be called again, and can be cancelled without loss.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for: its runtime is shutting down, or somebody else in this process has reaped it.
    pub async fn exit(&self) -> Result<Exit> {
        self.exit_later().await
    }

    /// The same, for who cannot hold a reference meanwhile.
    pub(crate) fn exit_later(&self) -> impl Future<Output = Result<Exit>> + Send + use<> {
        let (mut exit, process) = (self.exit.clone(), self.process.clone());
        async move {
            let told = exit.wait_for(Option::is_some).await.ok().and_then(|told| told.clone());
            let name = || format!("process {}", process.pid());
            match (told, process.exit()) {
                (_, Some(exit)) => Ok(exit),
                (Some(Err(error)), None) => {
                    let kind = error.kind().clone();
                    Err(Error::new("wait for", name(), kind).caused_by(std::io::Error::other(error)))
                }
                _ => {
                    let sentence = "the runtime that waited for it has ended".to_owned();
                    Err(Error::new("wait for", name(), ErrorKind::InvalidInput(sentence)))
                }
            }
        }
    }

    /// Closes its stdin if that was not taken, and waits until the process has ended **and** nobody can write to its pipes any more **and** its channel has ended. Output that nobody
    /// took is read and thrown away once the process has ended, as in Node; what was taken must be read to its end, or dropped, by whoever
    /// took it. What came over the channel can still be received afterwards.
    ///
    /// # Errors
    ///
    /// Those of [`exit`](Child::exit).
    // ANCHOR: close
    pub async fn close(&mut self) -> Result<Exit> {
        // Nobody can write to it as long as we wait here, and a child that reads to the end would wait for us.
        self.stdin = None;
        let exit = self.exit().await?;
        let others = self.others.values_mut();
        let others = async {
            for duplex in others {
                drain(duplex).await;
            }
        };
        tokio::join!(drain_if(&mut self.stdout), drain_if(&mut self.stderr), others);
        // Nothing is ever sent: this ends when the last stream has given up its sender.
        while self.all_closed.recv().await.is_some() {}
        self.process.reap();
        Ok(exit)
    }
    // ANCHOR_END: close

    /// The next of [`Event::Spawn`], [`Event::Exit`], [`Event::Close`]; then `None`. Can be cancelled without loss.
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

    /// Leaves the process to itself: it is waited for in the background.
    pub(super) fn let_go(&mut self) -> Option<Exit> {
        self.kill_on_drop = false;
        self.process.exit()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.kill_on_drop {
            // Nothing can be done about a refusal here; it is waited for all the same.
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

/// Reads to the end and keeps nothing. An error is an end, too.
async fn drain(stream: &mut (impl AsyncRead + Unpin)) {
    let mut scratch = [0; 8192];
    while matches!(stream.read(&mut scratch).await, Ok(1..)) {}
}
