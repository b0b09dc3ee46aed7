//! What the state machine is told, and what it wants done.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::super::address::Address;
use crate::cluster::protocol::{FromPrimary, FromWorker, Query, Reply};

/// A worker's number in the cluster, from 1.
pub type WorkerId = u32;
/// A listener's number, from 1.
pub type ListenerId = u32;
/// A connection's number, unique in this process.
pub type ConnectionId = u64;

/// What happens to a primary.
#[derive(Debug)]
pub enum Input {
    /// A worker was started. Its number is from [`next_worker`](super::PrimaryState::next_worker).
    Forked { worker: WorkerId, group: usize },
    /// The worker has sent a message of the cluster.
    Message { worker: WorkerId, seq: Option<u64>, message: FromWorker },
    /// The channel gives back a connection that was handed over.
    Returned { worker: WorkerId, connection: ConnectionId, delivery: Delivery },
    /// The worker did not take the listening socket that came with the reply to query `ack`.
    ListenerRefused { worker: WorkerId, ack: u64, listener: ListenerId },
    /// The worker has the listening socket that came with the reply to a query.
    ListenerArrived { worker: WorkerId },
    /// The worker's channel stands still since the worker does not read what it is sent; or it moves again.
    ChannelStalled { worker: WorkerId, stalled: bool },
    /// So many of the spare descriptors are missing, and cannot be had.
    SparesMissing { count: usize },
    /// These are the broken ones of the connections of an [`Effect::FindBroken`], with its number of missing spare descriptors.
    Broken { connections: Vec<ConnectionId>, missing: usize },
    /// The channel has ended, and every message of the cluster that came over it was passed on as [`Input::Message`].
    ChannelEnded { worker: WorkerId },
    /// The channel has ended, and the user has all of the worker's messages.
    MessagesDelivered { worker: WorkerId },
    /// The worker's process has ended.
    Exited { worker: WorkerId },
    /// A listener was opened; `local` is its address if it is TCP.
    Opened { listener: ListenerId, local: Option<SocketAddr> },
    /// A listener could not be opened, with this error number.
    OpenFailed { listener: ListenerId, errno: i32 },
    /// A connection was accepted; `client` is its peer's address, if it has one. `is_scarce`: few descriptors are left.
    Accepted { listener: ListenerId, connection: ConnectionId, client: Option<IpAddr>, is_scarce: bool },
    /// No connection is left to be accepted for the moment.
    BacklogEmpty { listener: ListenerId },
    /// `accept4(2)` failed with this error number for a reason that will last.
    AcceptFailed { listener: ListenerId, errno: i32 },
    /// The user closes a listener.
    CloseListener { listener: ListenerId },
    /// The user asks a worker to disconnect.
    Disconnect { worker: WorkerId },
    /// The user changes a worker's weight.
    SetWeight { worker: WorkerId, weight: u32 },
    /// The user ends the cluster.
    Shutdown,
    /// The last handle of the primary was dropped.
    Abandoned,
    /// The time of an [`Effect::WakeAt`] has come.
    Tick,
}

/// What became of a connection that was handed over. The descriptor is the primary's again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The worker's process has a descriptor of its own.
    Arrived,
    /// The worker's process could not take it.
    Refused,
    /// It was not sent, since the channel takes nothing more: the worker cannot have it.
    Unsent,
    /// The channel has ended: the worker may have it.
    Unknown,
}

/// What a primary does.
#[derive(Debug)]
pub enum Effect {
    /// Sends a message to a worker.
    Send { worker: WorkerId, seq: u64, message: FromPrimary },
    /// Sends the reply to a query with a listener's socket. Leads to [`Input::ListenerArrived`] or [`Input::ListenerRefused`].
    SendListener { worker: WorkerId, seq: u64, reply: Box<Reply>, listener: ListenerId },
    /// Hands a connection to a worker. Leads to [`Input::Returned`].
    HandOver { worker: WorkerId, seq: u64, key: Arc<str>, connection: ConnectionId },
    /// Closes our descriptor of a connection.
    Close { connection: ConnectionId, why: Closed },
    /// Binds what a worker asks for, and accepts connections there if `accepts`. Leads to [`Input::Opened`] or [`Input::OpenFailed`].
    Open { listener: ListenerId, query: Box<Query>, accepts: bool },
    /// Closes a listener's socket.
    CloseListener { listener: ListenerId },
    /// Accepts no more connections at a listener.
    PauseAccepting { listener: ListenerId },
    /// Accepts connections again.
    ResumeAccepting { listener: ListenerId },
    /// Reads no more messages of a worker, but goes on with what the channel gives back.
    PauseReading { worker: WorkerId },
    /// Reads its messages again.
    ResumeReading { worker: WorkerId },
    /// Finds those of the connections that are broken. Leads to [`Input::Broken`] with the same number of missing spare descriptors.
    FindBroken { connections: Vec<ConnectionId>, missing: usize },
    /// Tells the user what has happened.
    Tell(Notice),
    /// Ends a worker with SIGKILL.
    Kill { worker: WorkerId },
    /// Ends a worker's channel once what the process had sent has been read: what the worker has started may hold the other end.
    EndChannel { worker: WorkerId },
    /// Begins to disconnect a worker's channel.
    CloseChannel { worker: WorkerId },
    /// The worker is no longer in the tables; this is its last status.
    Forget { worker: WorkerId, status: WorkerStatus },
    /// Sends an [`Input::Tick`] at this time, since the start. An earlier time replaces a later one.
    WakeAt(Duration),
}

/// How far a worker's life has come: Node's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Started, and not heard of yet.
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

/// What is known of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerStatus {
    /// How far its life has come.
    pub state: State,
    /// It was asked to disconnect, or said that it would.
    pub exited_after_disconnect: bool,
    /// How many connections it was handed, including those that it gave back.
    pub given: u64,
    /// How many connections it has accepted.
    pub taken: u64,
    /// How many connections it holds that it has not answered for.
    pub unanswered: usize,
}

impl WorkerStatus {
    pub(in crate::cluster::primary) const NEW: WorkerStatus =
        WorkerStatus { state: State::None, exited_after_disconnect: false, given: 0, taken: 0, unanswered: 0 };
}

/// Why a connection's descriptor is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The worker has accepted it with a descriptor of its own.
    Accepted,
    /// Its listener is closed.
    NoListener,
    /// It has waited for too long.
    TooOld,
    /// Its client has gone, and descriptors are scarce.
    ClientGone,
    /// It has waited longest, and descriptors are scarce.
    Scarce,
}

/// What the user is told. The events of the public interface are made of these.
#[derive(Debug)]
pub enum Notice {
    Fork(WorkerId),
    Online(WorkerId),
    Listening(WorkerId, Address),
    Disconnect(WorkerId),
    Exit(WorkerId),
    Silent(WorkerId),
    AcceptFailed(Address, i32),
    ListenerClosed(Address),
    DescriptorRefused(WorkerId, Address),
    Stalled(WorkerId),
}

impl Notice {
    /// The worker that it is about.
    pub fn worker(&self) -> Option<WorkerId> {
        match self {
            Notice::Fork(worker)
            | Notice::Online(worker)
            | Notice::Listening(worker, _)
            | Notice::Disconnect(worker)
            | Notice::Exit(worker)
            | Notice::Silent(worker)
            | Notice::Stalled(worker)
            | Notice::DescriptorRefused(worker, _) => Some(*worker),
            Notice::AcceptFailed(..) | Notice::ListenerClosed(_) => None,
        }
    }
}

/// A port, or a path, that workers listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerInfo {
    /// Its number, from 1. No other listener of this primary has had it.
    pub id: u32,
    /// What was asked for.
    pub address: Address,
    /// The address that the kernel gave it, if it is TCP.
    pub local: Option<SocketAddr>,
    /// How many workers listen there.
    pub workers: usize,
    /// How many connections have been accepted and wait for a worker.
    pub waiting: usize,
}

/// What is to be done at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Offers refused connections again.
    Retry(ListenerId),
    /// Accepts again after a failure.
    Accept(ListenerId),
    /// Closes the listener, which its last worker closed.
    Linger(ListenerId),
    /// Closes the listener, which has had no worker for too long.
    Idle(ListenerId),
    /// Closes what has waited at the listener for too long.
    Age(ListenerId),
    /// Looks whether the worker has answered.
    Silence(WorkerId),
    /// Ends the worker, which does not read what it is sent.
    Stall(WorkerId),
}
