//! What the state machine is told, and what it wants done.

use std::net::SocketAddr;

use crate::cluster::protocol::{FromPrimary, FromWorker, Query};

/// A server's number.
pub type ServerId = u64;
/// The number of a handle that came over the channel.
pub type HandleId = u64;
/// The number of a user's wish to listen.
pub type RequestId = u64;

/// What happens to a worker.
#[derive(Debug)]
pub enum Input {
    /// The worker starts.
    Started,
    /// The primary has sent a message of the cluster, perhaps with a handle.
    Message { seq: Option<u64>, message: FromPrimary, handle: Option<HandleId> },
    /// A user asks the primary for a listener.
    Listen { request: RequestId, query: Box<Query> },
    /// A user listens without the primary.
    ListenAlone { request: RequestId },
    /// The granted server listens, at this port if it is TCP or UDP.
    Listening { server: ServerId, port: Option<u16> },
    /// A user changes how many connections of a server may be open.
    LimitConnections { server: ServerId, limit: usize },
    /// The connection that [`take`](super::WorkerState::take) gave can be used, or cannot.
    Taken { server: ServerId, seq: u64, usable: bool },
    /// A connection was accepted from the server's own socket.
    AcceptedAlone { server: ServerId },
    /// A connection of this server was closed.
    ConnectionClosed { server: ServerId },
    /// A user closes a server.
    CloseServer { server: ServerId },
    /// The time for an [`Effect::ReportSoon`] has come.
    Report,
    /// A user wants the worker to leave.
    Leave,
    /// A user wants the worker to leave without waiting for connections.
    Kill,
    /// The last handle of the worker was dropped.
    Abandoned,
    /// The primary has closed the channel, or it failed.
    ChannelEnded,
    /// The channel was closed as [`Effect::CloseChannel`] asked.
    ChannelClosed,
}

/// What a worker does.
#[derive(Debug)]
pub enum Effect {
    /// Sends a message to the primary.
    Send { seq: u64, message: FromWorker },
    /// Answers a user's request: the server is open.
    Grant { request: RequestId, server: ServerId, data: Option<String>, grant: Grant },
    /// Answers a user's request: there is no server.
    Refuse { request: RequestId, why: Refusal },
    /// Closes a handle.
    Close { handle: HandleId },
    /// Has one of those who wait for the server's connections look again.
    WakeOne { server: ServerId },
    /// Has all of them look again.
    WakeAll { server: ServerId },
    /// Closes the server's own socket, if it has one.
    CloseSocket { server: ServerId },
    /// Sends an [`Input::Report`] when the other tasks had their turn.
    ReportSoon,
    /// Tells the users how far the worker has come.
    Reach(Stage),
    /// Closes the channel. Leads to [`Input::ChannelClosed`].
    CloseChannel,
    /// Ends the process: nothing would end it otherwise.
    Exit,
}

/// Where the connections of a granted server come from.
#[derive(Debug)]
pub enum Grant {
    /// From the primary, which listens here.
    Handed(Option<SocketAddr>),
    /// From this socket.
    Socket(HandleId),
    /// From a socket of the worker's own.
    Alone,
}

/// Why there is no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The worker is leaving, or its channel has ended.
    Leaving,
    /// The primary could not listen: the error number.
    Errno(i32),
    /// The primary's answer has no key.
    NoKey,
    /// The primary gave the same key to another server of this worker.
    DuplicateKey,
}

/// How far a worker has come, as its users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It takes connections.
    Serving,
    /// No more connections come.
    Leaving,
    /// No connection is open, and the channel is closed.
    Ended,
}

/// What a user who waits for a server's connections is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Take this one. Leads to [`Input::Taken`].
    Take { seq: u64, handle: HandleId },
    /// Accept from the server's own socket. Leads to [`Input::AcceptedAlone`].
    Accept,
    /// Wait until woken.
    Wait,
    /// Stop: the server is closed.
    End,
}
