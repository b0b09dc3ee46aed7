//! A worker, as its primary sees it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Serialize;

use super::table::Inner;
use crate::child_process::{Child, Exit, Signal};
use crate::error::Result;
use crate::ipc::{Channel, Handle, NotSent};

/// How far a worker's life has come: Node's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Started; nothing was heard of it.
    None,
    /// It runs.
    Online,
    /// It listens somewhere.
    Listening,
    /// Its channel has ended.
    Disconnected,
    /// Its process has ended.
    Dead,
}

/// A worker of a cluster, as its primary sees it. A clone is the same worker; it can be asked after its end, too.
#[derive(Clone)]
pub struct Worker(Arc<Seen>);

struct Seen {
    id: u32,
    channel: Channel,
    /// Its pipes can be taken out of it.
    child: Mutex<Child>,
    pid: u32,
    state: Mutex<State>,
    exited_after_disconnect: AtomicBool,
    given: AtomicU64,
    taken: AtomicU64,
    cluster: Weak<Inner>,
}

impl Worker {
    pub(super) fn new(id: u32, child: Child, channel: Channel, cluster: Weak<Inner>) -> Worker {
        Worker(Arc::new(Seen {
            id,
            channel,
            pid: child.pid(),
            child: Mutex::new(child),
            state: Mutex::new(State::None),
            exited_after_disconnect: AtomicBool::new(false),
            given: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            cluster,
        }))
    }

    /// Its number in the cluster, from 1; a successor gets another one.
    pub fn id(&self) -> u32 {
        self.0.id
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.pid
    }

    /// How far its life has come.
    pub fn state(&self) -> State {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A life goes forwards only.
    pub(super) fn reached(&self, state: State) {
        let mut known = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        *known = state.max(*known);
    }

    /// Whether its channel is open on both sides.
    pub fn is_connected(&self) -> bool {
        self.0.channel.is_connected()
    }

    /// Whether its process has ended.
    pub fn is_dead(&self) -> bool {
        self.state() == State::Dead
    }

    /// Whether it ends because it was told to, or wanted to: it disconnected in an orderly way. False for one that died.
    pub fn exited_after_disconnect(&self) -> bool {
        self.0.exited_after_disconnect.load(Ordering::Acquire)
    }

    /// It was told to go, or wants to; whether that is news.
    pub(super) fn leaves_in_order(&self) -> bool {
        !self.0.exited_after_disconnect.swap(true, Ordering::AcqRel)
    }

    /// How many connections it was handed, those that it gave back among them.
    pub fn given(&self) -> u64 {
        self.0.given.load(Ordering::Relaxed)
    }

    /// How many connections it has taken.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    pub(super) fn was_given_one(&self) {
        self.0.given.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn took_one(&self) {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections it holds that it has not answered for.
    pub fn unanswered(&self) -> usize {
        self.0.cluster.upgrade().map_or(0, |cluster| cluster.unanswered(self.id()))
    }

    /// What [`Policy::Weighted`](crate::cluster::schedule::Policy::Weighted) gives it in proportion to the others; 1 if not said otherwise.
    pub fn set_weight(&self, weight: u32) {
        if let Some(cluster) = self.0.cluster.upgrade() {
            cluster.set_weight(self.id(), weight.max(1));
        }
    }

    /// Sends it a message, as [`Channel::send`].
    ///
    /// # Errors
    ///
    /// Those of [`Channel::send`].
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<()> {
        self.0.channel.send(message).await
    }

    /// Sends it a message with a handle, as [`Channel::send_handle`].
    ///
    /// # Errors
    ///
    /// Those of [`Channel::send_handle`].
    pub async fn send_handle(
        &self,
        message: &(impl Serialize + ?Sized),
        handle: impl Into<Handle>,
    ) -> Result<Handle, NotSent> {
        self.0.channel.send_handle(message, handle).await
    }

    /// Asks it to close its servers, finish what it has begun and end: Node's `worker.disconnect()`. It gets no more connections from
    /// now on. How long it takes is up to its connections.
    pub fn disconnect(&self) {
        if let Some(cluster) = self.0.cluster.upgrade() {
            cluster.disconnect_worker(self);
        }
    }

    /// Sends it a signal, and nothing else; `false` when it has ended already. What it had been handed and not taken goes to the others.
    ///
    /// # Errors
    ///
    /// Those of [`Child::kill`].
    pub fn kill(&self, signal: Signal) -> Result<bool> {
        self.with_child(|child| child.kill(signal))
    }

    /// Its process: to take its pipes, for one.
    pub fn with_child<T>(&self, use_it: impl FnOnce(&mut Child) -> T) -> T {
        use_it(&mut self.0.child.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until its process has ended.
    ///
    /// # Errors
    ///
    /// Those of [`Child::exit`].
    pub async fn exit(&self) -> Result<Exit> {
        let ended = self.with_child(|child| child.exit_later());
        ended.await
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.0.channel
    }
}

impl PartialEq for Worker {
    fn eq(&self, other: &Worker) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Worker {}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { id, pid, .. } = &*self.0;
        f.debug_struct("Worker").field("id", id).field("pid", pid).field("state", &self.state()).finish_non_exhaustive()
    }
}
