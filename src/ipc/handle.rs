//! What can be sent along with a message, and how it is restored.
//!
//! A handle is a descriptor and the name by which Node's receiver knows what to make of it. The kernel knows better what it is; a name
//! that contradicts the kernel crashes a Node receiver, so it is checked on our side before sending and after receiving.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::socket::{Backlog, listen};

use super::counts::Counted;
use super::descriptor::{self, Nature};
use super::socket::Socket;
use crate::error::{Error, ErrorKind, Result};

/// How many connections the kernel keeps waiting at a server that arrives and does not listen yet: what Node asks for.
const BACKLOG: i32 = 511;

/// Something that another process can be sent: the same open file description, with a descriptor of its own in each process.
///
/// Made from a socket of the standard library or of tokio, or from anything that has a descriptor with [`Handle::of`]. All of them are
/// non-blocking from then on, in both processes.
#[derive(Debug)]
pub enum Handle {
    /// A socket that listens, or will: Node's `net.Server`.
    Server(OwnedFd),
    /// A connection: Node's `net.Socket`.
    Socket(Socket),
    /// A UDP socket: Node's `dgram.Socket`.
    Datagram(UdpSocket),
    /// Any stream socket or pipe, with nothing made of it: what Node calls `net.Native` and its cluster uses.
    Native(OwnedFd),
    /// A UDP socket with nothing made of it: `dgram.Native`.
    NativeDatagram(OwnedFd),
}

/// The five names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Socket,
    Datagram,
    Native,
    NativeDatagram,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Server, "net.Server"),
    (Kind::Socket, "net.Socket"),
    (Kind::Datagram, "dgram.Socket"),
    (Kind::Native, "net.Native"),
    (Kind::NativeDatagram, "dgram.Native"),
];

impl Kind {
    pub(super) fn named(name: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Whether a descriptor of this nature can go by this name.
    fn fits(self, nature: Nature) -> bool {
        match self {
            Kind::Server => matches!(nature, Nature::Tcp | Nature::Unix),
            Kind::Socket | Kind::Native => nature.is_stream(),
            Kind::Datagram | Kind::NativeDatagram => !nature.is_stream(),
        }
    }
}

impl Handle {
    /// A handle for a **duplicate** of what this is the descriptor of: ours stays open, whatever becomes of the handle. A socket that
    /// listens becomes a [`Server`](Handle::Server), another stream socket a [`Socket`](Handle::Socket), a UDP socket a
    /// [`Datagram`](Handle::Datagram), an end of a pipe a [`Native`](Handle::Native).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsendable`] with the name of what it is when it cannot be sent; [`ErrorKind::OutOfDescriptors`].
    // ANCHOR: of
    pub fn of(fd: &impl AsFd) -> Result<Handle> {
        let copy = fd.as_fd().try_clone_to_owned().map_err(|error| Error::io("duplicate", "a handle", error))?;
        let nature = descriptor::nature(copy.as_fd()).map_err(unsendable)?;
        Ok(match nature {
            Nature::Udp4 | Nature::Udp6 => Handle::Datagram(copy.into()),
            Nature::Pipe => Handle::Native(copy),
            _ if descriptor::is_listening(copy.as_fd()) => Handle::Server(copy),
            _ => Handle::Socket(Socket::new(copy, None)),
        })
    }
    // ANCHOR_END: of

    /// The name by which Node knows what to make of it: `net.Server`, `net.Socket`, `dgram.Socket`, `net.Native`, `dgram.Native`.
    pub fn type_name(&self) -> &'static str {
        self.kind().name()
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Handle::Server(_) => Kind::Server,
            Handle::Socket(_) => Kind::Socket,
            Handle::Datagram(_) => Kind::Datagram,
            Handle::Native(_) => Kind::Native,
            Handle::NativeDatagram(_) => Kind::NativeDatagram,
        }
    }

    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Handle::Socket(socket) => socket.key(),
            _ => None,
        }
    }

    /// Without this member a Node receiver of a `dgram.Socket` crashes.
    pub(super) fn dgram_type(&self) -> Option<&'static str> {
        let Handle::Datagram(socket) = self else { return None };
        Some(if descriptor::nature(socket.as_fd()) == Ok(Nature::Udp6) { "udp6" } else { "udp4" })
    }

    /// Makes sure that the other process can take it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsendable`], or the error of `fcntl(2)`.
    pub(super) fn prepare(&self) -> Result<()> {
        let nature = descriptor::nature(self.as_fd()).map_err(unsendable)?;
        if !self.kind().fits(nature) {
            return Err(unsendable(format!("{} by the name of {}", nature.name(), self.kind().name())));
        }
        descriptor::set_nonblocking(self).map_err(|errno| Error::system("send", nature.name(), errno))
    }

    /// Makes a handle of a descriptor that has come by this name; `None` when it is not what the name says, and then it is closed.
    pub(super) fn restore(kind: Kind, fd: OwnedFd, counted: impl FnOnce() -> Option<Counted>) -> Option<Handle> {
        let nature = descriptor::nature(fd.as_fd()).ok()?;
        if !kind.fits(nature) {
            return None;
        }
        descriptor::set_nonblocking(&fd).ok()?;
        Some(match kind {
            Kind::Server => {
                if !descriptor::is_listening(fd.as_fd()) {
                    listen(&fd, Backlog::new(BACKLOG).ok()?).ok()?;
                }
                Handle::Server(fd)
            }
            Kind::Socket => Handle::Socket(Socket::new(fd, counted())),
            Kind::Datagram => Handle::Datagram(fd.into()),
            Kind::Native => Handle::Native(fd),
            Kind::NativeDatagram => Handle::NativeDatagram(fd),
        })
    }

    /// What is in it, if the kernel says that it is a TCP socket that listens, whatever its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it is something else.
    pub fn into_tcp_listener(self) -> Result<TcpListener> {
        self.if_it_is(Nature::Tcp, Some(true)).map(TcpListener::from)
    }

    /// What is in it, if the kernel says that it is a Unix socket that listens, whatever its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it is something else.
    pub fn into_unix_listener(self) -> Result<UnixListener> {
        self.if_it_is(Nature::Unix, Some(true)).map(UnixListener::from)
    }

    /// What is in it, if the kernel says that it is a TCP connection, whatever its name. A socket that was counted for its sender
    /// counts as closed from here on; [`Socket::into_stream`] goes on counting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it is something else.
    pub fn into_tcp_stream(self) -> Result<TcpStream> {
        self.if_it_is(Nature::Tcp, Some(false)).map(TcpStream::from)
    }

    /// What is in it, if the kernel says that it is a connected Unix socket, whatever its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it is something else.
    pub fn into_unix_stream(self) -> Result<UnixStream> {
        self.if_it_is(Nature::Unix, Some(false)).map(UnixStream::from)
    }

    /// What is in it, if the kernel says that it is a UDP socket, whatever its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it is something else.
    pub fn into_udp_socket(self) -> Result<UdpSocket> {
        self.if_it_is(Nature::Udp4, None).map(UdpSocket::from)
    }

    fn if_it_is(self, wanted: Nature, listening: Option<bool>) -> Result<OwnedFd> {
        let nature = descriptor::nature(self.as_fd()).map_err(unsendable)?;
        let same = nature == wanted || (!nature.is_stream() && !wanted.is_stream());
        let is_listening = descriptor::is_listening(self.as_fd());
        if same && listening.is_none_or(|listening| listening == is_listening) {
            return Ok(self.into());
        }
        let ear = |listening| if listening { " that listens" } else { "" };
        let (is, wanted) = (nature.name(), wanted.name());
        let sentence = format!(
            "it is {is}{}, and not {wanted}{} as expected",
            ear(is_listening),
            ear(listening.unwrap_or_default())
        );
        Err(Error::new("use", format!("the handle of type {}", self.type_name()), ErrorKind::Json(sentence)))
    }
}

fn unsendable(what: String) -> Error {
    Error::new("send", "a handle", ErrorKind::Unsendable { what })
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Handle::Server(fd) | Handle::Native(fd) | Handle::NativeDatagram(fd) => fd.as_fd(),
            Handle::Socket(socket) => socket.as_fd(),
            Handle::Datagram(socket) => socket.as_fd(),
        }
    }
}

impl From<Handle> for OwnedFd {
    fn from(handle: Handle) -> OwnedFd {
        match handle {
            Handle::Server(fd) | Handle::Native(fd) | Handle::NativeDatagram(fd) => fd,
            Handle::Socket(socket) => socket.into(),
            Handle::Datagram(socket) => socket.into(),
        }
    }
}

impl From<TcpListener> for Handle {
    fn from(listener: TcpListener) -> Handle {
        Handle::Server(listener.into())
    }
}

impl From<UnixListener> for Handle {
    fn from(listener: UnixListener) -> Handle {
        Handle::Server(listener.into())
    }
}

impl From<UdpSocket> for Handle {
    fn from(socket: UdpSocket) -> Handle {
        Handle::Datagram(socket)
    }
}

impl From<Socket> for Handle {
    fn from(socket: Socket) -> Handle {
        Handle::Socket(socket)
    }
}

impl From<TcpStream> for Handle {
    fn from(stream: TcpStream) -> Handle {
        Handle::Socket(stream.into())
    }
}

impl From<UnixStream> for Handle {
    fn from(stream: UnixStream) -> Handle {
        Handle::Socket(stream.into())
    }
}

/// Takes a socket of tokio's out of its runtime; the error is the one of `epoll_ctl(2)`.
macro_rules! from_tokio {
    ($($type:ident),*) => {$(
        impl TryFrom<tokio::net::$type> for Handle {
            type Error = Error;

            fn try_from(socket: tokio::net::$type) -> Result<Handle> {
                socket.into_std().map(Handle::from).map_err(|error| Error::io("send", "a handle", error))
            }
        }
    )*};
}

from_tokio!(TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream);
