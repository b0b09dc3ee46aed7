//! The primary: it listens, accepts, and hands connections to its workers.
//!
//! | file | what it holds |
//! |---|---|
//! | `options.rs` | [`Options`] |
//! | `worker.rs` | [`Worker`]: a worker as its primary sees it |
//! | `event.rs` | [`Event`] |
//! | `forker.rs` | the thread that starts workers |
//! | `attendant.rs` | the task that attends to one worker |
//! | `table.rs` | who holds which connection |
//! | `dispatch.rs` | how connections get from a listener to its workers |
//! | `listen.rs` | what becomes of a worker's wish to listen |
//! | `listener.rs` | a port with those who serve it |
//! | `accepting.rs` | the task that accepts there |
//! | `window.rs` | how far a worker is trusted |

mod accepting;
mod attendant;
mod dispatch;
mod event;
mod forker;
mod listen;
mod listener;
mod options;
mod table;
mod window;
mod worker;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::schedule::Policy;
use crate::child_process::{Command, Signal};
use crate::error::Result;
use crate::ipc::{Settings, UNIQUE_ID};

pub use event::{Address, Event};
pub use options::Options;
pub use worker::{State, Worker};

use table::{Inner, Member};

/// The primary of a cluster. A clone is the same one.
///
/// It needs the tokio runtime in which it is used, and its events to be received: a worker whose messages nobody receives has to wait.
/// When the last clone of it and of its groups is dropped, its listeners are closed and its workers' channels with them; Node's workers, and
/// ours, end then.
#[derive(Debug, Clone)]
pub struct Primary {
    owner: Arc<Owner>,
    first: Group,
}

/// Workers that share listeners and options. Those of different groups share nothing but their primary: each may run a program of its own.
#[derive(Debug, Clone)]
pub struct Group {
    owner: Arc<Owner>,
    number: usize,
}

#[derive(Debug)]
struct Owner(Arc<Inner>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A port, or a path, that workers listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerInfo {
    /// What was asked for.
    pub address: Address,
    /// Where the kernel has it, if it is TCP.
    pub local: Option<SocketAddr>,
    /// How many workers listen there.
    pub workers: usize,
    /// How many connections have been accepted and wait for a worker.
    pub waiting: usize,
}

impl Primary {
    /// A primary with one group of workers.
    pub fn new(options: Options) -> Primary {
        let owner = Arc::new(Owner(Arc::new(Inner::default())));
        let first = Group::new(owner.clone(), options);
        Primary { owner, first }
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.owner.0
    }

    /// Another group of workers.
    pub fn group(&self, options: Options) -> Group {
        Group::new(self.owner.clone(), options)
    }

    /// Starts a worker of the first group, as [`Group::fork`].
    ///
    /// # Errors
    ///
    /// Those of [`Group::fork`].
    pub fn fork(&self, command: Command) -> Result<Worker> {
        self.first.fork(command)
    }

    /// What happens next; `None` when the primary has disconnected, all workers have ended and everything else was received. Can be
    /// cancelled without loss.
    pub async fn next_event(&self) -> Option<Event> {
        let inner = self.inner();
        loop {
            let news = inner.events.news.notified();
            if let Some(event) = inner.events.pop() {
                return Some(event);
            }
            let over = {
                let table = inner.lock();
                table.closing && table.members.is_empty()
            };
            if over {
                return inner.events.pop();
            }
            news.await;
        }
    }

    /// The workers whose channel is open or whose process runs, by their numbers.
    pub fn workers(&self) -> Vec<Worker> {
        self.inner().lock().members.values().map(|member| member.worker.clone()).collect()
    }

    /// What the workers listen on, in the order in which it was opened.
    pub fn listeners(&self) -> Vec<ListenerInfo> {
        let table = self.inner().lock();
        let info = |listener: &listener::Listener| ListenerInfo {
            address: listener.address.clone(),
            local: listener.local,
            workers: listener.workers(),
            waiting: listener.waiting(),
        };
        table.listeners.values().map(info).collect()
    }

    /// Asks all workers to disconnect, closes the listeners with what waits there, and waits until all workers have ended: Node's
    /// `cluster.disconnect()`, which waits for their channels only. How long it takes is up to the workers' connections; a Node worker that
    /// has an `exclusive` server does not end by itself.
    pub async fn disconnect(&self) {
        let inner = self.inner();
        inner.lock().closing = true;
        for worker in self.workers() {
            worker.disconnect();
        }
        // Nobody is left to be handed a connection: whoever comes now is refused at once.
        inner.lock().close_listeners();
        loop {
            let fewer = inner.fewer.notified();
            if inner.lock().members.is_empty() {
                break;
            }
            fewer.await;
        }
        inner.events.news.notify_one();
    }
}

impl Group {
    fn new(owner: Arc<Owner>, options: Options) -> Group {
        let mut table = owner.0.lock();
        table.groups.push(options);
        let number = table.groups.len() - 1;
        drop(table);
        Group { owner, number }
    }

    /// Starts a worker: Node's `cluster.fork()`, for any program. `NODE_UNIQUE_ID` and the channel tell it that it is one.
    ///
    /// A Node program is a worker unchanged (`Command::new("node").arg("app.js")`); a Rust program calls [`worker`](crate::cluster::worker).
    ///
    /// # Errors
    ///
    /// Those of [`Command::fork`].
    ///
    /// # Panics
    ///
    /// In a tokio runtime whose I/O or time driver is not enabled.
    pub fn fork(&self, command: Command) -> Result<Worker> {
        let inner = &self.owner.0;
        let (id, options) = {
            let mut table = inner.lock();
            table.last_worker += 1;
            table.closing = false;
            (table.last_worker, table.groups[self.number])
        };
        // The channel's window is never the narrower one. A refused listener or connection is answered here, not sent again.
        let settings = Settings::default().internal_messages().window(options.window);
        let mut command = command.env(UNIQUE_ID, id.to_string()).channel_settings(settings);
        if options.kill_orphans {
            command = command.parent_death_signal(Signal::SIGKILL);
        }
        let (child, channel) = forker::fork(command)?;
        let worker = Worker::new(id, child, channel, Arc::downgrade(inner));
        let (outcomes, returned) = mpsc::unbounded_channel();
        let member = Member {
            worker: worker.clone(),
            group: self.number,
            weight: 1,
            unanswered: VecDeque::new(),
            listeners: Vec::new(),
            outcomes,
        };
        inner.lock().members.insert(id, member);
        inner.events.push(Event::Fork(worker.clone()));
        tokio::spawn(attendant::attend(inner.clone(), worker.clone(), returned, options.answer_limit));
        Ok(worker)
    }

    /// Who gets the next connection of these workers.
    pub fn policy(&self) -> Policy {
        self.owner.0.lock().groups[self.number].policy
    }
}
