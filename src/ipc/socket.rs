//! A connection on its way between processes.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::descriptor::{self, FdKind};
use crate::error::{Error, ErrorKind, Result};
use crate::net;

/// A connection to send, or one that arrived: Node's `net.Socket`.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    /// The server that accepted it, by the name that its receiver is to know. For sending only.
    key: Option<String>,
    /// Counts it as closed for its sender, if it came with a key.
    on_close: Option<OnClose>,
}

/// Runs when it is dropped.
pub(super) struct OnClose(Option<Box<dyn FnOnce() + Send + Sync>>);

impl OnClose {
    pub(super) fn new(run: impl FnOnce() + Send + Sync + 'static) -> OnClose {
        OnClose(Some(Box::new(run)))
    }
}

impl fmt::Debug for OnClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnClose")
    }
}

impl Drop for OnClose {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

impl Socket {
    pub(super) fn new(fd: OwnedFd, on_close: Option<OnClose>) -> Socket {
        Socket { fd, key: None, on_close }
    }

    /// Names the server that accepted it. With this key the sender can ask later how many of that server's sockets the
    /// receiver still has open: [`Channel::open_sockets`](super::Channel::open_sockets). Node writes it as
    /// `4:127.0.0.1:0`.
    pub fn with_key(mut self, key: impl Into<String>) -> Socket {
        self.key = Some(key.into());
        self
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Registers the connection with this runtime. If it came with a key it counts as open until the stream is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongHandle`] when it is neither TCP nor a Unix socket; those of registering it with the runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one whose I/O driver is not enabled.
    pub fn into_stream(self) -> Result<Stream> {
        let Socket { fd, on_close, .. } = self;
        let is_unix = match descriptor::kind_of(fd.as_fd()) {
            Ok(FdKind::Tcp) => false,
            Ok(FdKind::Unix) => true,
            other => {
                let actual = other.map_or_else(|name| name, |kind| kind.name().to_owned());
                let expected = "a connection".to_owned();
                return Err(Error::new("use", "a socket", ErrorKind::WrongHandle { actual, expected }));
            }
        };
        let connection = net::Stream::new(fd, is_unix).map_err(|error| Error::io("use", "a socket", error))?;
        Ok(Stream { connection, _on_close: on_close })
    }
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Socket {
        Socket::new(stream.into(), None)
    }
}

impl From<UnixStream> for Socket {
    fn from(stream: UnixStream) -> Socket {
        Socket::new(stream.into(), None)
    }
}

impl From<Socket> for OwnedFd {
    /// A socket that is counted for its sender counts as closed from here on.
    fn from(socket: Socket) -> OwnedFd {
        socket.fd
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A TCP or Unix connection that came over a channel.
#[derive(Debug)]
pub struct Stream {
    // Dropped first, so that it is closed when it counts as closed.
    connection: net::Stream,
    _on_close: Option<OnClose>,
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().connection).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().connection).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_shutdown(context)
    }
}
