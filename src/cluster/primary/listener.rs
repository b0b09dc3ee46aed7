//! The sockets that workers listen on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use nix::errno::Errno;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::cluster::protocol::Query;
use crate::ipc::Handle;
use crate::net::{self, Acceptor, Bound};

/// A socket that is open, and who accepts from it.
#[derive(Debug)]
pub(super) enum OpenListener {
    /// A task of ours.
    Accepting { task: JoinHandle<()>, is_paused: bool, resumed: Arc<Notify> },
    /// The workers, which have it too.
    Shared { bound: Bound, is_datagram: bool },
}

impl OpenListener {
    /// Binds what a query asks for. If the primary `accepts`, the socket listens, and `accept` starts the task that accepts. Also
    /// returns the socket's address, if it is TCP.
    ///
    /// # Errors
    ///
    /// Those of `socket(2)`, `bind(2)`, `listen(2)` and `epoll_ctl(2)`, as Node would give them to the worker.
    pub(super) fn open(
        query: &Query,
        accepts: bool,
        accept: impl FnOnce(Acceptor, Arc<Notify>) -> JoinHandle<()>,
    ) -> Result<(OpenListener, Option<SocketAddr>), Errno> {
        let bound = query.endpoint().bind()?;
        let is_datagram = query.address_type.is_udp();
        let local = net::local_address(&bound.socket).filter(|_| !is_datagram);
        if !accepts {
            return Ok((OpenListener::Shared { bound, is_datagram }, local));
        }
        let acceptor = Acceptor::listen(bound, query.backlog);
        let acceptor = acceptor.map_err(|error| Errno::try_from(error).unwrap_or(Errno::EIO))?;
        let resumed = Arc::new(Notify::new());
        let task = accept(acceptor, resumed.clone());
        Ok((OpenListener::Accepting { task, is_paused: false, resumed }, local))
    }

    pub(super) fn is_accepting(&self) -> bool {
        matches!(self, OpenListener::Accepting { is_paused: false, .. })
    }

    /// Has the task look whether it may accept.
    pub(super) fn look_again(&self) {
        if let OpenListener::Accepting { resumed, .. } = self {
            resumed.notify_one();
        }
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        if let OpenListener::Accepting { is_paused, resumed, .. } = self {
            *is_paused = paused;
            resumed.notify_one();
        }
    }

    /// A duplicate of the socket for a worker, if the workers accept.
    pub(super) fn handle(&self) -> Option<io::Result<Handle>> {
        let OpenListener::Shared { bound, is_datagram } = self else { return None };
        let kind = if *is_datagram { Handle::NativeDatagram } else { Handle::Native };
        Some(bound.socket.try_clone().map(kind))
    }
}

impl Drop for OpenListener {
    fn drop(&mut self) {
        if let OpenListener::Accepting { task, .. } = self {
            task.abort();
        }
    }
}
