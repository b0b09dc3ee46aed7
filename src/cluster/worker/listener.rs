//! A server as its user sees it.

use std::net::SocketAddr;

use serde_json::value::RawValue;

use super::Connection;
use super::server::Held;
use crate::error::Result;

/// Where a worker takes its connections from. Dropped, it is closed.
#[derive(Debug)]
pub struct Listener {
    held: Held,
    local: Option<SocketAddr>,
    data: Option<Box<RawValue>>,
}

impl Listener {
    pub(super) fn new(held: Held, local: Option<SocketAddr>, data: Option<Box<RawValue>>) -> Listener {
        Listener { held, local, data }
    }

    /// The next connection; `None` when the listener is closed: by us, because the worker leaves, or because the primary has gone. Can be
    /// cancelled without loss, and called by several tasks.
    ///
    /// Where the primary hands connections over, one belongs to it until it is accepted here: if this process dies before that, or
    /// closes the listener, another worker gets it.
    ///
    /// # Errors
    ///
    /// Those of `accept(2)` where we accept ourselves, and those of registering the connection with the runtime. The listener goes on;
    /// who calls again at once after `EMFILE` is likely to get it again.
    pub async fn accept(&self) -> Result<Option<Connection>> {
        self.held.server().accept().await
    }

    /// Where it listens, if that is TCP and the primary has said so.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// What the first worker on this address gave as [`Listen::data`](super::Listen::data), as JSON.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref().map(RawValue::get).filter(|json| *json != "null")
    }

    /// How many connections may be open at a time: Node's `server.maxConnections`. What the primary hands over beyond that goes back, to
    /// be another worker's; a socket that is shared is left to the other workers meanwhile.
    pub fn max_connections(&self, connections: usize) {
        self.held.server().set_limit(connections);
    }

    /// Closes it, and waits until the message that says so is written. What waits goes back to the primary; what
    /// was accepted stays open.
    pub async fn close(&self) {
        self.held.close().await;
    }
}
