//! Each descriptor of a child, and the parent's ends of its pipes.

use std::convert::Infallible;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe2;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use crate::error::{Error, Result};
use crate::sys::inherited::Announced;
use crate::sys::readiness::set_nonblocking;

/// One descriptor of a child.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stdio {
    /// A pipe to the parent. The child reads from it at 0, writes to it at 1 and 2, and does both above. Node uses
    /// sockets for all of them; here 0, 1 and 2 are pipes, so that a child can open `/dev/stdout`.
    Pipe,
    /// `/dev/null` at 0, 1 and 2, closed above.
    Ignore,
    /// The parent's descriptor of the same number, which the child shares from then on.
    Inherit,
    /// This descriptor, which the parent closes after the start. At 0, 1 and 2 it is made blocking, as programs expect;
    /// this affects every descriptor of the same open file description, including duplicates in the parent.
    Fd(OwnedFd),
    /// The channel, at most one. `NODE_CHANNEL_FD` is its number; the parent has [`Child::channel`](super::Child).
    Ipc,
}

impl<T: Into<OwnedFd>> From<T> for Stdio {
    fn from(fd: T) -> Stdio {
        Stdio::Fd(fd.into())
    }
}

/// The parent's end of a pipe.
#[derive(Debug)]
pub(super) enum End {
    Readable(Readable),
    Writable(Writable),
    Duplex(Duplex),
    Channel(std::os::unix::net::UnixStream, OpenGuard),
}

/// Delays `close` until it is dropped. Each stream holds one until its end.
pub(super) type OpenGuard = mpsc::Sender<Infallible>;

impl Stdio {
    /// Opens the child's end for descriptor `number`, unless that is closed, and the parent's, if it is a pipe.
    pub(super) fn open(self, number: RawFd, open: &OpenGuard) -> Result<(Option<OwnedFd>, Option<End>)> {
        let failed = |error: io::Error| Error::io("open the stdio of a child, descriptor", number.to_string(), error);
        let opened = || -> io::Result<(Option<OwnedFd>, Option<End>)> {
            Ok(match self {
                Stdio::Ignore if number > 2 => (None, None),
                Stdio::Ignore => {
                    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
                    (Some(null.into()), None)
                }
                Stdio::Inherit => (Some(Announced::by_user(number).duplicate()?), None),
                Stdio::Fd(fd) => {
                    if number <= 2 {
                        set_nonblocking(&fd, false)?;
                    }
                    (Some(fd), None)
                }
                Stdio::Ipc => {
                    let (ours, theirs) = socket_pair()?;
                    (Some(theirs), Some(End::Channel(ours, open.clone())))
                }
                Stdio::Pipe => {
                    let (theirs, ours) = open_pipe(number, open.clone())?;
                    (Some(theirs), Some(ours))
                }
            })
        };
        opened().map_err(failed)
    }
}

// ANCHOR: open_pipe
fn open_pipe(number: RawFd, open: OpenGuard) -> io::Result<(OwnedFd, End)> {
    let open = Some(open);
    if number > 2 {
        let (ours, theirs) = socket_pair()?;
        return Ok((theirs, End::Duplex(Duplex { stream: UnixStream::from_std(ours)?, open })));
    }
    let (reading, writing) = pipe2(OFlag::O_CLOEXEC)?;
    // The ends of a pipe are two open file descriptions: only the parent's is non-blocking.
    let (ours, theirs) = if number == 0 { (writing, reading) } else { (reading, writing) };
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let end = if number == 0 {
        End::Writable(Writable { stream: pipe::Sender::from_owned_fd_unchecked(ours)? })
    } else {
        End::Readable(Readable { stream: pipe::Receiver::from_owned_fd_unchecked(ours)?, open })
    };
    Ok((theirs, end))
}
// ANCHOR_END: open_pipe

// ANCHOR: socket_pair
/// Creates the parent's end, which is non-blocking, and the child's, which is blocking.
fn socket_pair() -> io::Result<(std::os::unix::net::UnixStream, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    let ours = std::os::unix::net::UnixStream::from(ours);
    ours.set_nonblocking(true)?;
    Ok((ours, theirs))
}
// ANCHOR_END: socket_pair

/// The output of a child. Dropping it closes the pipe: a child that still writes gets SIGPIPE.
#[derive(Debug)]
pub struct Readable {
    stream: pipe::Receiver,
    /// Dropped at the end of file.
    open: Option<OpenGuard>,
}

/// The input of a child. Dropping it is the child's end of file.
#[derive(Debug)]
pub struct Writable {
    stream: pipe::Sender,
}

/// A pipe in both directions, at a descriptor above 2.
#[derive(Debug)]
pub struct Duplex {
    stream: UnixStream,
    /// Dropped at the end of file.
    open: Option<OpenGuard>,
}

impl Readable {
    /// Converts into the descriptor, such as for another child's input. No bytes are lost: nothing is buffered here.
    ///
    /// # Errors
    ///
    /// Those of `fcntl(2)`.
    pub fn into_fd(self) -> Result<OwnedFd> {
        self.stream.into_blocking_fd().map_err(|error| Error::io("take the descriptor of", "a child's output", error))
    }
}

impl Writable {
    /// Converts into the descriptor, such as for another child's output.
    ///
    /// # Errors
    ///
    /// Those of `fcntl(2)`.
    pub fn into_fd(self) -> Result<OwnedFd> {
        self.stream.into_blocking_fd().map_err(|error| Error::io("take the descriptor of", "a child's input", error))
    }
}

/// Reads, and drops `open` at the end of file.
fn read_until_end(
    stream: Pin<&mut impl AsyncRead>,
    open: &mut Option<OpenGuard>,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let (before, room) = (buffer.filled().len(), buffer.remaining());
    let result = ready!(stream.poll_read(context, buffer));
    if result.is_err() || (buffer.filled().len() == before && room > 0) {
        *open = None;
    }
    Poll::Ready(result)
}

impl AsyncRead for Readable {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        read_until_end(Pin::new(&mut this.stream), &mut this.open, context, buffer)
    }
}

impl AsyncRead for Duplex {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        read_until_end(Pin::new(&mut this.stream), &mut this.open, context, buffer)
    }
}

impl AsyncWrite for Writable {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    /// Does nothing: a pipe is shut down by dropping it.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
