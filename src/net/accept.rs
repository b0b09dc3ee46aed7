//! Accepting connections.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

use super::bind::{Bound, SocketFile, listen, local_address};
use crate::sys::accept::accept;
use crate::sys::readiness;

/// A listening socket in a tokio runtime.
#[derive(Debug)]
pub(crate) struct Acceptor {
    socket: AsyncFd<OwnedFd>,
    _file: Option<SocketFile>,
}

impl Acceptor {
    /// Has a bound socket listen, as by [`listen`], and registers it.
    ///
    /// # Errors
    ///
    /// Those of `listen(2)` and `epoll_ctl(2)`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one whose I/O driver is not enabled.
    pub(crate) fn listen(bound: Bound, backlog: Option<i32>) -> io::Result<Acceptor> {
        let Bound { socket, file } = bound;
        listen(&socket, backlog)?;
        let socket = readiness::readable(socket).map_err(|(_, error)| error)?;
        Ok(Acceptor { socket, _file: file })
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        local_address(self.socket.get_ref())
    }

    /// Waits until a connection may be waiting. This method is cancel safe.
    pub(crate) async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
        self.socket.readable().await
    }

    /// Waits for a connection. This method is cancel safe.
    ///
    /// # Errors
    ///
    /// Those of `accept4(2)` that will come again for the next connection, such as `EMFILE`.
    pub(crate) async fn accept(&self) -> io::Result<OwnedFd> {
        loop {
            let mut ready = self.readable().await?;
            if let Some((connection, _)) = accept(&mut ready)? {
                return Ok(connection);
            }
        }
    }
}
