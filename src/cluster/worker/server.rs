//! A server as the primary knows it: its key, and what waits at it.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::connection::Connection;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::net::{Acceptor, AddressType, Stream, is_unix};

/// Where connections come from: the primary, or a socket that we listen on.
#[derive(Debug)]
pub(super) struct Server {
    shared: Arc<Shared>,
    /// What the primary calls it, and on which address it is; none if the primary knows nothing of it.
    known: Option<(Arc<str>, String)>,
    address_type: AddressType,
    /// Whether the primary wants to know when its connections are closed.
    reports: bool,
    /// What messages call it.
    subject: String,
    /// Something has come, or the end.
    changed: Notify,
    gate: Mutex<Gate>,
}

#[derive(Debug)]
struct Gate {
    /// What the primary has handed over and nobody has accepted: still the primary's.
    waiting: VecDeque<Newconn>,
    /// The socket that we accept from ourselves.
    acceptor: Option<Arc<Acceptor>>,
    /// Connections that were accepted here and not dropped.
    open: usize,
    /// How many may be open, those that wait included.
    limit: usize,
    closed: bool,
}

/// A connection that was handed over, by the number of the message.
#[derive(Debug)]
pub(super) struct Newconn {
    pub(super) seq: u64,
    pub(super) fd: OwnedFd,
}

/// What whoever accepts is to do.
enum Next {
    Take(Newconn),
    Accept(Arc<Acceptor>),
    Wait,
    End,
}

impl Server {
    pub(super) fn new(
        shared: Arc<Shared>,
        known: Option<(Arc<str>, String)>,
        address_type: AddressType,
        reports: bool,
        subject: String,
    ) -> Server {
        let gate = Gate { waiting: VecDeque::new(), acceptor: None, open: 0, limit: usize::MAX, closed: false };
        Server { shared, known, address_type, reports, subject, changed: Notify::new(), gate: Mutex::new(gate) }
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> Option<(&Arc<str>, &str)> {
        self.known.as_ref().map(|(key, place)| (key, &**place))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.lock().limit = limit;
        self.changed.notify_waiters();
    }

    /// Takes what was handed over, unless nobody will accept it.
    pub(super) fn offer(&self, newconn: Newconn) -> Result<(), Newconn> {
        let mut gate = self.lock();
        if gate.closed || gate.open + gate.waiting.len() >= gate.limit {
            return Err(newconn);
        }
        gate.waiting.push_back(newconn);
        drop(gate);
        self.changed.notify_one();
        Ok(())
    }

    fn next(&self) -> Next {
        let mut gate = self.lock();
        if gate.closed {
            return Next::End;
        }
        if let Some(newconn) = gate.waiting.pop_front() {
            gate.open += 1;
            return Next::Take(newconn);
        }
        match &gate.acceptor {
            Some(acceptor) if gate.open < gate.limit => Next::Accept(acceptor.clone()),
            _ => Next::Wait,
        }
    }

    /// The next connection; none after the end.
    pub(super) async fn accept(self: &Arc<Self>) -> Result<Option<Connection>> {
        loop {
            let changed = self.changed.notified();
            match self.next() {
                Next::Take(newconn) => return self.take(newconn),
                Next::Accept(acceptor) => {
                    let accepted = tokio::select! {
                        accepted = acceptor.accept() => accepted,
                        () = changed => continue,
                    };
                    match accepted {
                        Ok(fd) => {
                            let stream = self.stream(fd).map_err(|error| self.error(error))?;
                            self.lock().open += 1;
                            return Ok(Some(Connection::new(stream, Guard::new(self.clone()))));
                        }
                        Err(error) => return Err(self.error(error)),
                    }
                }
                Next::Wait => changed.await,
                Next::End => return Ok(None),
            }
        }
    }

    /// Makes a connection of what was handed over. With the answer it is ours.
    fn take(self: &Arc<Self>, newconn: Newconn) -> Result<Option<Connection>> {
        let mut guard = Guard::new(self.clone());
        match self.stream(newconn.fd) {
            Ok(stream) => {
                let answered = self.shared.answer(newconn.seq, true);
                guard.reports = self.reports;
                Ok(answered.then(|| Connection::handed(stream, guard, self.shared.channel.clone())))
            }
            Err(error) => {
                self.shared.answer(newconn.seq, false);
                Err(self.error(error))
            }
        }
    }

    fn stream(&self, fd: OwnedFd) -> std::io::Result<Stream> {
        let is_unix = match self.address_type {
            AddressType::Unsaid => is_unix(&fd)?,
            known => known == AddressType::Unix,
        };
        Stream::new(fd, is_unix)
    }

    fn error(&self, error: std::io::Error) -> Error {
        Error::io("accept on", &*self.subject, error)
    }

    /// Ends it: what waits goes back to the primary.
    pub(super) fn close(&self) {
        let mut gate = self.lock();
        if std::mem::replace(&mut gate.closed, true) {
            // Its key may be another one's by now.
            return;
        }
        let (waiting, acceptor) = (std::mem::take(&mut gate.waiting), gate.acceptor.take());
        drop(gate);
        drop(acceptor);
        for Newconn { seq, fd } in waiting {
            drop(fd);
            self.shared.answer(seq, false);
        }
        self.shared.forget(self);
        self.changed.notify_waiters();
    }
}

/// A server with a user: closed when dropped.
#[derive(Debug)]
pub(super) struct Held(Arc<Server>);

impl Held {
    pub(super) fn new(server: Arc<Server>) -> Held {
        Held(server)
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.0
    }

    /// Closes it, and waits until that is written.
    pub(super) async fn close(&self) {
        self.0.close();
        // If the channel has ended the primary knows more than this would tell it.
        let _ = self.0.shared.channel.flush().await;
    }

    /// From now on it takes connections from here.
    pub(super) fn open(&self, acceptor: Acceptor) {
        let mut gate = self.0.lock();
        if !gate.closed {
            gate.acceptor = Some(Arc::new(acceptor));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Stands for one open connection.
#[derive(Debug)]
pub(super) struct Guard {
    server: Arc<Server>,
    /// Whether the primary is to be told when it is closed.
    reports: bool,
}

impl Guard {
    /// The connection was counted by its server already.
    fn new(server: Arc<Server>) -> Guard {
        server.shared.connection_opened();
        Guard { server, reports: false }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut gate = self.server.lock();
        gate.open -= 1;
        let room = gate.open + 1 == gate.limit;
        drop(gate);
        if room {
            self.server.changed.notify_one();
        }
        let key = self.server.known().filter(|_| self.reports).map(|(key, _)| key);
        self.server.shared.connection_closed(key);
    }
}
