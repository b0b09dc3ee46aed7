//! The primary: it listens, accepts, and hands connections to its workers.
//!
//! | file | what it holds |
//! |---|---|
//! | `state/` | every decision, without sockets, tasks and clocks: **the rules** |
//! | `run.rs` | what carries the decisions out |
//! | `listener.rs`, `member.rs`, `spares.rs` | the sockets, the processes and the spare descriptors that it owns |
//! | `tasks.rs` | what tells the state machine what happens |
//! | `spawn_thread.rs` | the thread that starts workers |
//! | `options.rs`, `worker.rs`, `event.rs`, `address.rs` | [`Options`], [`Worker`], [`Event`], [`Address`] |

mod address;
mod event;
mod listener;
mod member;
mod options;
mod run;
mod spares;
mod spawn_thread;
#[expect(missing_docs, reason = "not part of the public interface; the items say what their fields mean")]
pub mod state;
mod tasks;
mod worker;

use std::sync::Arc;

use super::schedule::Policy;
use crate::child_process::{Command, Signal};
use crate::error::Result;
use crate::ipc::{Settings, UNIQUE_ID};
use crate::sys::descriptor_limit;

pub use address::Address;
pub use event::Event;
pub use member::Disconnection;
use member::Member;
pub use options::Options;
use run::Cluster;
use state::Input;
pub use state::{ListenerInfo, State};
pub use worker::Worker;

/// The primary of a cluster. A clone is the same primary.
///
/// It needs the tokio runtime in which it is used, and its events must be received: a worker whose messages are not received has to wait.
/// When the last clone of it and of its groups is dropped, its listeners and its workers' channels are closed. Node's workers, and ours,
/// exit then.
#[derive(Debug, Clone)]
pub struct Primary {
    owner: Arc<Owner>,
    first: Group,
}

/// Workers that share listeners and options. Workers of different groups share only their primary: each group may run a program of its own.
#[derive(Debug, Clone)]
pub struct Group {
    owner: Arc<Owner>,
    number: usize,
}

#[derive(Debug)]
struct Owner(Arc<Cluster>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.on(Input::Abandoned);
    }
}

impl Primary {
    /// Creates a primary with one group of workers.
    pub fn new(options: Options) -> Primary {
        let owner = Arc::new(Owner(Arc::new(Cluster::new())));
        let first = Group::new(owner.clone(), options);
        Primary { owner, first }
    }

    fn cluster(&self) -> &Arc<Cluster> {
        &self.owner.0
    }

    /// Adds a group of workers.
    pub fn group(&self, options: Options) -> Group {
        Group::new(self.owner.clone(), options)
    }

    /// Starts a worker of the first group, like [`Group::fork`].
    ///
    /// # Errors
    ///
    /// Those of [`Group::fork`].
    pub fn fork(&self, command: Command) -> Result<Worker> {
        self.first.fork(command)
    }

    /// Waits for the next event; `None` when the primary has disconnected, all workers have ended and every other event was received.
    /// This method is cancel safe.
    pub async fn next_event(&self) -> Option<Event> {
        let cluster = self.cluster();
        loop {
            let changed = cluster.events.changed.notified();
            // In this order: the last event was queued before the end.
            let is_over = cluster.lock().state.is_over();
            if let Some(queued) = cluster.events.pop() {
                match Event::new(queued, cluster) {
                    None => continue,
                    event => return event,
                }
            }
            if is_over {
                return None;
            }
            changed.await;
        }
    }

    /// Returns the workers whose channel is open or whose process runs, by their numbers.
    pub fn workers(&self) -> Vec<Worker> {
        let inner = self.cluster().lock();
        let members = inner.state.workers().filter_map(|id| inner.member(id));
        members.map(|member| Worker::new(member.clone(), self.cluster())).collect()
    }

    /// Returns what the workers listen on, in the order in which it was opened.
    pub fn listeners(&self) -> Vec<ListenerInfo> {
        self.cluster().lock().state.listeners().collect()
    }

    /// Closes a listener, with what waits there, by its [`id`](ListenerInfo::id). Returns whether it was open. The workers that listen there
    /// are handed nothing more. They are not told, since the protocol has no message for it.
    pub fn close_listener(&self, id: u32) -> bool {
        let is_open = self.listeners().iter().any(|listener| listener.id == id);
        self.cluster().on(Input::CloseListener { listener: id });
        is_open
    }

    /// Asks all workers to disconnect, closes the listeners with what waits there, and waits until all workers have ended. Node's
    /// `cluster.disconnect()` waits for their channels only. How long it takes depends on the workers' connections; a Node worker that has
    /// an `exclusive` server does not end on its own.
    pub async fn disconnect(&self) {
        let cluster = self.cluster();
        cluster.on(Input::Shutdown);
        loop {
            let removed = cluster.worker_removed.notified();
            if cluster.lock().state.workers().next().is_none() {
                break;
            }
            removed.await;
        }
        cluster.events.changed.notify_one();
    }
}

impl Group {
    fn new(owner: Arc<Owner>, options: Options) -> Group {
        let number = owner.0.lock().state.add_group(options);
        Group { owner, number }
    }

    /// Starts a worker: Node's `cluster.fork()`, for any program. `NODE_UNIQUE_ID` and the channel tell the program that it is a worker.
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
        let cluster = &self.owner.0;
        let (id, options) = {
            let mut inner = cluster.lock();
            (inner.state.next_worker(), inner.state.group(self.number).clone())
        };
        // The channel's window is not the narrower one. A refused listener or connection is answered by the cluster, not sent again.
        let settings = |settings: Settings| {
            let settings = settings.of_primary(options.window);
            options.message_limit.map_or(settings, |bytes| settings.message_limit(bytes))
        };
        let mut command = command.env(UNIQUE_ID, id.to_string()).map_channel_settings(settings);
        if options.kill_orphans {
            command = command.parent_death_signal(Signal::SIGKILL);
        }
        if options.raise_descriptor_limit {
            // Otherwise the limit stays, and fewer connections can wait.
            let _ = descriptor_limit::raise();
        }
        let (child, channel) = cluster.with_spares(|| spawn_thread::fork(command))?;
        let member = Arc::new(Member::new(id, child, channel));
        let returned = cluster.add_worker(member.clone(), self.number);
        tasks::serve(cluster, member.clone(), returned);
        Ok(Worker::new(member, cluster))
    }

    /// Returns which worker of this group gets the next connection.
    pub fn policy(&self) -> Policy {
        self.owner.0.lock().state.group(self.number).policy
    }
}
