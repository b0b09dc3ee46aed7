//! A connection that is TCP or Unix.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, getsockname};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connected stream socket in a tokio runtime.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Returns the family of a socket's addresses, bound or not.
///
/// # Errors
///
/// Those of `getsockname(2)`.
pub(crate) fn family(socket: impl AsFd) -> nix::Result<Option<AddressFamily>> {
    Ok(getsockname::<SockaddrStorage>(socket.as_fd().as_raw_fd())?.family())
}

impl Stream {
    /// Registers a connection, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Those of `epoll_ctl(2)`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one whose I/O driver is not enabled.
    pub(crate) fn new(fd: OwnedFd, is_unix: bool) -> io::Result<Stream> {
        if is_unix {
            UnixStream::from_std(fd.into()).map(Stream::Unix)
        } else {
            TcpStream::from_std(fd.into()).map(Stream::Tcp)
        }
    }
}

/// Does the same with either kind of stream.
macro_rules! either {
    ($stream:expr, $one:ident => $done:expr) => {
        match $stream {
            Stream::Tcp($one) => $done,
            Stream::Unix($one) => $done,
        }
    };
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, stream => stream.as_fd())
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(context, parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(context))
    }
}
