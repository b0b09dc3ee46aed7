//! A connection that a worker has accepted.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::run::{Process, ServerHandle};
use super::state::{Input, ServerId};
use crate::error::{Error, ErrorKind, Result};
use crate::net::Stream;

/// A connection that a worker has accepted, TCP or Unix. The worker does not leave while it is open.
///
/// One that the primary has handed over can be read and written once the answer that accepts it is written. Until then it is the
/// primary's, which gives it to another worker if this one dies: nothing of it may have been read here.
pub struct Connection {
    // Dropped before the count, so that it is closed when it counts as closed.
    stream: Stream,
    open: OpenConnection,
    /// Resolves when the answer is written; `None` when it is.
    answered: Option<Answered>,
}

type Answered = Pin<Box<dyn Future<Output = Result<()>> + Send + Sync>>;

/// Stands for one open connection of a server, which has been counted.
#[derive(Debug)]
pub(super) struct OpenConnection {
    process: Arc<Process>,
    server: ServerId,
}

impl OpenConnection {
    pub(super) fn new(server: &ServerHandle) -> OpenConnection {
        OpenConnection { process: server.process.clone(), server: server.id }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.process.on(Input::ConnectionClosed { server: self.server });
    }
}

impl Connection {
    /// `handed`: the primary handed it over, and the answer was just posted.
    pub(super) fn new(stream: Stream, open: OpenConnection, handed: bool) -> Connection {
        let channel = handed.then(|| open.process.channel.clone());
        let answered = channel.map(|channel| Box::pin(async move { channel.flush().await }) as Answered);
        Connection { stream, open, answered }
    }

    /// The stream, when it is ours.
    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&mut Stream>> {
        if let Some(answered) = &mut self.answered {
            match ready!(answered.as_mut().poll(context)) {
                Ok(()) => self.answered = None,
                Err(error) => {
                    let again = Error::new("use", "a connection", ErrorKind::ChannelClosed);
                    self.answered = Some(Box::pin(std::future::ready(Err(again))));
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, error)));
                }
            }
        }
        Poll::Ready(Ok(&mut self.stream))
    }

    /// Returns the address of its client, if it is TCP.
    ///
    /// # Errors
    ///
    /// Those of `getpeername(2)`; `ENOTCONN` when it has been reset already. [`io::ErrorKind::Unsupported`] for a Unix connection.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or(io::ErrorKind::Unsupported)?.peer_addr()
    }

    /// Sets whether small pieces are sent at once (`TCP_NODELAY`). It has no effect on a Unix connection, where they always are.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.tcp().map_or(Ok(()), |stream| stream.set_nodelay(nodelay))
    }

    /// Returns the stream that it is, if it is TCP. Used directly, it does not wait until the connection is this worker's. It is, once
    /// something was read or written here.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.stream {
            Stream::Tcp(stream) => Some(stream),
            Stream::Unix(_) => None,
        }
    }

    /// Returns the stream that it is, if it is a Unix connection. Like [`tcp`](Connection::tcp).
    pub fn unix(&self) -> Option<&UnixStream> {
        match &self.stream {
            Stream::Tcp(_) => None,
            Stream::Unix(stream) => Some(stream),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("stream", &self.stream).field("open", &self.open).finish_non_exhaustive()
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(ready!(self.get_mut().poll_stream(context))?).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(ready!(self.get_mut().poll_stream(context))?).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(ready!(self.get_mut().poll_stream(context))?).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(ready!(self.get_mut().poll_stream(context))?).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(ready!(self.get_mut().poll_stream(context))?).poll_shutdown(context)
    }
}
