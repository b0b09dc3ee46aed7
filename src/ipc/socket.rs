//! A connection on its way between processes.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::counts::Counted;
use super::descriptor::{self, Nature};
use crate::error::{Error, ErrorKind, Result};
use crate::net;

/// A connection to be sent, or one that has come: Node's `net.Socket`.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    /// The server that it came from, as its receiver is to know it; for sending only.
    key: Option<String>,
    /// Present if it came with a key.
    counted: Option<Counted>,
}

impl Socket {
    pub(super) fn new(fd: OwnedFd, counted: Option<Counted>) -> Socket {
        Socket { fd, key: None, counted }
    }

    /// Names the server that accepted it. By this key the receiver is asked later how many of that server's sockets it still has open:
    /// [`Channel::open_sockets`](super::Channel::open_sockets). Node writes it as `4:127.0.0.1:0`.
    pub fn with_key(mut self, key: impl Into<String>) -> Socket {
        self.key = Some(key.into());
        self
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The connection, to be read and written in this runtime. If it came with a key it counts as open until the stream is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it is neither a TCP nor a Unix connection; those of registering it with the runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one whose I/O driver is not enabled.
    pub fn into_stream(self) -> Result<Stream> {
        let Socket { fd, counted, .. } = self;
        let registered = match descriptor::nature(fd.as_fd()) {
            Ok(Nature::Tcp) => tokio::net::TcpStream::from_std(fd.into()).map(net::Stream::Tcp),
            Ok(Nature::Unix) => tokio::net::UnixStream::from_std(fd.into()).map(net::Stream::Unix),
            other => {
                let is = other.map_or_else(|name| name, |nature| nature.name().to_owned());
                return Err(Error::new("use", "a socket", ErrorKind::Json(format!("it is {is}, and no connection"))));
            }
        };
        let connection = registered.map_err(|error| Error::io("use", "a socket", error))?;
        Ok(Stream { connection, _counted: counted })
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
    /// A socket that was counted for its sender counts as closed from here on.
    fn from(socket: Socket) -> OwnedFd {
        socket.fd
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A connection that came over a channel, TCP or Unix.
#[derive(Debug)]
pub struct Stream {
    // Dropped before the count, so that it is closed when it counts as closed.
    connection: net::Stream,
    _counted: Option<Counted>,
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
