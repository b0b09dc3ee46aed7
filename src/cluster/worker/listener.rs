//! A server as its user sees it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use nix::sys::socket::AddressFamily;

use super::Connection;
use super::connection::OpenConnection;
use super::run::{ServerHandle, Take};
use super::state::Input;
use crate::error::{Error, Result};
use crate::net::{self, AddressType, Stream};

/// Where a worker takes its connections from. Dropped, it is closed.
#[derive(Debug)]
pub struct Listener {
    server: ServerHandle,
    address_type: AddressType,
    local: Option<SocketAddr>,
    data: Option<String>,
    /// What it listens on, for error messages.
    subject: String,
}

impl Listener {
    pub(super) fn new(
        server: ServerHandle,
        address_type: AddressType,
        local: Option<SocketAddr>,
        data: Option<String>,
        subject: String,
    ) -> Listener {
        Listener { server, address_type, local, data, subject }
    }

    /// Waits for the next connection; `None` when the listener is closed: by its user, because the worker leaves, or because the primary
    /// has gone. This method is cancel safe. Several tasks may call it.
    ///
    /// Where the primary hands connections over, one belongs to the primary until it is accepted here: if this process dies before that,
    /// or closes the listener, another worker gets it.
    ///
    /// # Errors
    ///
    /// Those of `accept(2)` where the worker accepts itself, and those of registering the connection with the runtime. The listener stays
    /// open. After `EMFILE`, an immediate second call is likely to fail again.
    pub async fn accept(&self) -> Result<Option<Connection>> {
        let failed = |error| Error::io("accept on", &*self.subject, error);
        loop {
            let changed = self.server.changed.notified();
            match self.server.process.take(self.server.id) {
                Take::Handed(seq, fd) => return self.take(seq, fd).map_err(failed),
                Take::Accept(acceptor) => {
                    let accepted = tokio::select! {
                        accepted = acceptor.accept() => accepted,
                        () = changed => continue,
                    };
                    let stream = accepted.and_then(|fd| self.stream(fd)).map_err(failed)?;
                    self.server.process.on(Input::AcceptedAlone { server: self.server.id });
                    return Ok(Some(Connection::new(stream, OpenConnection::new(&self.server), false)));
                }
                Take::Wait => changed.await,
                Take::End => return Ok(None),
            }
        }
    }

    /// Makes a connection of what was handed over. With the answer it is the worker's.
    fn take(&self, seq: u64, fd: Option<OwnedFd>) -> io::Result<Option<Connection>> {
        let (process, server) = (&self.server.process, self.server.id);
        let stream = fd.ok_or(io::ErrorKind::NotFound.into()).and_then(|fd| self.stream(fd));
        let was_connected = process.channel.is_connected();
        process.on(Input::Taken { server, seq, usable: stream.is_ok() });
        let connection = Connection::new(stream?, OpenConnection::new(&self.server), true);
        // Without a channel the answer is lost, and the connection is the primary's.
        Ok(was_connected.then_some(connection))
    }

    fn stream(&self, fd: OwnedFd) -> io::Result<Stream> {
        let is_unix = match self.address_type {
            AddressType::Unsaid => net::family(&fd)? == Some(AddressFamily::Unix),
            known => known == AddressType::Unix,
        };
        Stream::new(fd, is_unix)
    }

    /// Returns where it listens, if that is TCP and the primary has said so.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Returns what the first worker on this address gave as [`Listen::data`](super::Listen::data), as JSON.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref().filter(|json| *json != "null")
    }

    /// Limits how many connections may be open at a time: Node's `server.maxConnections`. What the primary hands over beyond that goes
    /// back to it, and to another worker; a shared socket is left to the other workers meanwhile. Default: no limit.
    pub fn max_connections(&self, connections: usize) {
        self.server.process.on(Input::LimitConnections { server: self.server.id, limit: connections });
    }

    /// Closes it, and waits until the message that says so is written. What waits goes back to the primary; what was accepted stays open.
    pub async fn close(&self) {
        self.server.process.on(Input::CloseServer { server: self.server.id });
        // If the channel has ended, the primary knows more than this would tell it.
        let _ = self.server.process.channel.flush().await;
    }
}
