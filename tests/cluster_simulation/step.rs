//! What can happen in a simulated cluster from the outside. A run is a list of steps; one that makes no sense does
//! nothing.

use forklore::cluster::AddressType;
use forklore::cluster::state::Query;
use forklore::cluster::state::primary::{ConnectionId, ListenerId, WorkerId};

/// What a worker's program is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The library's worker, which exits with its primary.
    Rust,
    /// The library's worker, which survives its primary.
    Survivor,
    /// Honest as a Node worker: accepts at once, reports nothing.
    Node,
    /// Honest, and keeps every connection open; says that it reports closings.
    Busy,
    /// Listens and refuses everything.
    Refuser,
    /// Says what [`Lie`]s say, and does not leave when asked.
    Liar,
}

impl Kind {
    /// Whether it is the library's worker.
    pub(crate) fn is_rust(self) -> bool {
        matches!(self, Kind::Rust | Kind::Survivor)
    }

    /// Whether it accepts whatever it is handed, at once.
    pub(crate) fn accepts(self) -> bool {
        matches!(self, Kind::Node | Kind::Busy)
    }

    pub(crate) fn is_honest(self) -> bool {
        self.is_rust() || self.accepts()
    }
}

/// A port and the number of the server on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port(pub(crate) u16, pub(crate) u64);

impl Port {
    /// What to ask for. Ports from 200 are UDP, those from 300 stand for descriptors of the primary.
    pub(crate) fn query(self) -> Box<Query> {
        if let Some(fd) = self.descriptor() {
            let fd = Some(Some(i64::from(fd)));
            return Box::new(Query { index: self.1, fd, closed: true, ..Query::default() });
        }
        let address_type = if self.0 < 200 { AddressType::Tcp4 } else { AddressType::Udp4 };
        let port = Some(i64::from(self.0));
        Box::new(Query { index: self.1, port, address_type, closed: true, ..Query::default() })
    }

    pub(crate) fn descriptor(self) -> Option<u16> {
        self.0.checked_sub(300)
    }

    pub(crate) fn is_udp(self) -> bool {
        (200..300).contains(&self.0)
    }

    /// What a query asks for.
    pub(crate) fn of(query: &Query) -> Port {
        let fd = query.fd.flatten().map(|fd| fd + 300);
        let port = fd.or(query.port).and_then(|port| port.try_into().ok());
        Port(port.unwrap_or_default(), query.index)
    }

    pub(crate) fn key(self) -> String {
        self.query().key()
    }
}

/// What a worker says that is not honest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Online,
    Answer {
        ack: u64,
        accepted: bool,
    },
    Query {
        port: Port,
        numbered: bool,
    },
    /// So many queries for one port.
    Flood {
        port: Port,
        count: u8,
    },
    Listening {
        port: Port,
    },
    Close {
        port: Port,
    },
    Closed {
        port: Port,
        count: u64,
    },
    Leaves {
        numbered: bool,
    },
    /// Bytes that are not a message: the channel fails.
    Garbage,
}

/// How the primary's sockets are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    AtOnce,
    Later,
    Fails,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Fork {
        group: usize,
        kind: Kind,
    },
    /// A fork begins, and ends with a later step.
    ForkBegins {
        group: usize,
        kind: Kind,
    },
    ForkEnds {
        fails: bool,
    },
    /// The worker's process ends. What it has started may hold its end of the channel.
    Crash {
        worker: WorkerId,
        channel_held: bool,
    },
    Hang {
        worker: WorkerId,
        hangs: bool,
    },
    /// The worker's channel reads one message.
    WorkerReads {
        worker: WorkerId,
    },
    /// The primary handles one message, or the end of the channel.
    PrimaryReads {
        worker: WorkerId,
    },
    /// The primary handles an acknowledgement before the messages that precede it.
    Acknowledged {
        worker: WorkerId,
    },
    /// The primary's channel finds out that it has ended. `lost_first`: what is lost comes back before the end.
    ChannelBreaks {
        worker: WorkerId,
        lost_first: bool,
    },
    Exited {
        worker: WorkerId,
    },
    MessagesDelivered {
        worker: WorkerId,
    },

    Connect {
        listener: ListenerId,
        client: u8,
    },
    Accept {
        listener: ListenerId,
    },
    /// The client of a connection that waits has gone.
    ClientBreaks {
        connection: ConnectionId,
    },
    /// The primary learns that a worker's channel stands still, or moves again.
    StallChanged {
        worker: WorkerId,
    },
    /// The user closes a listener.
    CloseListener {
        listener: ListenerId,
    },
    Binding(Binding),
    Bound {
        listener: ListenerId,
        opened: bool,
    },
    PrimaryDescriptors {
        limit: usize,
    },
    WorkerDescriptors {
        worker: WorkerId,
        limit: usize,
    },
    Advance {
        milliseconds: u64,
    },
    Tick,

    Disconnect {
        worker: WorkerId,
    },
    SetWeight {
        worker: WorkerId,
        weight: u32,
    },
    Shutdown,
    Abandon,

    Listen {
        worker: WorkerId,
        port: u16,
        cancelled: bool,
    },
    ListenAlone {
        worker: WorkerId,
    },
    ConnectAlone {
        worker: WorkerId,
        server: usize,
    },
    Take {
        worker: WorkerId,
        server: usize,
    },
    Taken {
        worker: WorkerId,
        usable: bool,
    },
    CloseConnection {
        worker: WorkerId,
        server: usize,
    },
    CloseServer {
        worker: WorkerId,
        server: usize,
    },
    LimitConnections {
        worker: WorkerId,
        server: usize,
        limit: usize,
    },
    Report {
        worker: WorkerId,
    },
    Leave {
        worker: WorkerId,
    },
    KillItself {
        worker: WorkerId,
    },
    DropEverything {
        worker: WorkerId,
    },
    CloseChannel {
        worker: WorkerId,
    },
    Lie {
        worker: WorkerId,
        lie: Lie,
    },
    /// Nothing new happens until nothing moves any more.
    Settle,
}
