//! A worker, as its primary sees it.

use std::fmt;
use std::sync::{Arc, Weak};

use serde::Serialize;

use super::member::{Disconnection, Member};
use super::run::Cluster;
use super::state::{Input, State, WorkerStatus};
use crate::child_process::{Child, Exit, Signal};
use crate::error::Result;
use crate::ipc::{Handle, NotSent};

/// A worker of a cluster, as its primary sees it. A clone is the same worker. It answers questions after its end, too.
#[derive(Clone)]
pub struct Worker {
    member: Arc<Member>,
    cluster: Weak<Cluster>,
}

impl Worker {
    pub(super) fn new(member: Arc<Member>, cluster: &Arc<Cluster>) -> Worker {
        Worker { member, cluster: Arc::downgrade(cluster) }
    }

    /// Returns its number in the cluster, from 1. A successor gets another one.
    pub fn id(&self) -> u32 {
        self.member.id
    }

    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.member.pid
    }

    fn status(&self) -> WorkerStatus {
        let known = self.cluster.upgrade().and_then(|cluster| cluster.lock().state.worker(self.id()));
        // A cluster that ended with its runtime has not said how its workers ended.
        known
            .or(self.member.last_status.get().copied())
            .unwrap_or(WorkerStatus { state: State::Disconnected, ..WorkerStatus::NEW })
    }

    /// Returns how far its life has come.
    pub fn state(&self) -> State {
        self.status().state
    }

    /// Returns whether its channel is open on both sides.
    pub fn is_connected(&self) -> bool {
        self.member.channel.is_connected()
    }

    /// Returns whether its process has ended.
    pub fn is_dead(&self) -> bool {
        self.state() == State::Dead
    }

    /// Returns whether it was asked to disconnect, or said that it would. False for a worker that died.
    pub fn exited_after_disconnect(&self) -> bool {
        self.status().exited_after_disconnect
    }

    /// Returns how many connections it was handed, including those that it gave back.
    pub fn given(&self) -> u64 {
        self.status().given
    }

    /// Returns how many connections it has accepted.
    pub fn taken(&self) -> u64 {
        self.status().taken
    }

    /// Returns how many connections it holds that it has not answered for.
    pub fn unanswered(&self) -> usize {
        self.status().unanswered
    }

    /// Sets its share under [`Policy::Weighted`](crate::cluster::schedule::Policy::Weighted), in proportion to those of the others.
    /// Default: 1, which is also the least.
    pub fn set_weight(&self, weight: u32) {
        self.decide(Input::SetWeight { worker: self.id(), weight: weight.max(1) });
    }

    /// Sends it a message, like [`Channel::send`](crate::ipc::Channel::send).
    ///
    /// # Errors
    ///
    /// Those of [`Channel::send`](crate::ipc::Channel::send).
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<()> {
        self.member.channel.send(message).await
    }

    /// Sends it a message with a handle, like [`Channel::send_handle`](crate::ipc::Channel::send_handle).
    ///
    /// # Errors
    ///
    /// Those of [`Channel::send_handle`](crate::ipc::Channel::send_handle).
    pub async fn send_handle(
        &self,
        message: &(impl Serialize + ?Sized),
        handle: impl Into<Handle>,
    ) -> Result<Handle, NotSent> {
        self.member.channel.send_handle(message, handle).await
    }

    /// Asks it to close its servers, to finish what it has begun and to exit: Node's `worker.disconnect()`. From now on it is handed no
    /// connections. How long it takes depends on those that it has.
    pub fn disconnect(&self) {
        self.decide(Input::Disconnect { worker: self.id() });
    }

    fn decide(&self, input: Input) {
        if let Some(cluster) = self.cluster.upgrade() {
            cluster.on(input);
        }
    }

    /// Ends its channel at once: Node's `worker.process.disconnect()`. What it has sent is still received. What was sent to it and is not
    /// written is lost. A Node worker exits then, and so does ours. What it has not accepted goes to the others, so kill a worker that was
    /// stopped (SIGSTOP) before it continues: it may still find such a connection in its queue.
    pub fn close_channel(&self) {
        self.member.channel.sever();
    }

    /// Returns how its channel has ended; `None` while it is open.
    pub fn disconnection(&self) -> Option<Disconnection> {
        self.member.disconnection()
    }

    /// Sends it a signal, and nothing else; `false` when it has ended already. What it was handed and has not accepted goes to the others.
    ///
    /// # Errors
    ///
    /// Those of [`Child::kill`].
    pub fn kill(&self, signal: Signal) -> Result<bool> {
        self.with_child(|child| child.kill(signal))
    }

    /// Gives access to its process, for example to take its pipes.
    pub fn with_child<T>(&self, use_it: impl FnOnce(&mut Child) -> T) -> T {
        self.member.with_child(use_it)
    }

    /// Waits until its process has ended. This method is cancel safe.
    ///
    /// # Errors
    ///
    /// Those of [`Child::exit`].
    pub async fn exit(&self) -> Result<Exit> {
        let ended = self.with_child(|child| child.exit_later());
        ended.await
    }
}

impl PartialEq for Worker {
    fn eq(&self, other: &Worker) -> bool {
        Arc::ptr_eq(&self.member, &other.member)
    }
}

impl Eq for Worker {}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("id", &self.id()).field("pid", &self.pid()).finish_non_exhaustive()
    }
}
