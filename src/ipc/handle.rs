//! What can be sent along with a message, and how it is restored.
//!
//! A handle is a descriptor and the name by which Node's receiver knows what to make of it. The kernel knows better
//! what it is; a name that contradicts the kernel crashes a Node receiver, so we check it before sending and after
//! receiving.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use super::descriptor::{self, FdKind};
use super::socket::{OnClose, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::net;
use crate::sys::readiness::set_nonblocking;

/// Something that can be sent to another process: the same open file description, with a descriptor in each.
///
/// A handle is made from a socket of the standard library or of tokio, or with [`Handle::of`] from anything that has a
/// descriptor. The open file description is non-blocking from then on, in both processes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Handle {
    /// A socket that listens, or will: Node's `net.Server`.
    Server(OwnedFd),
    /// A connection: Node's `net.Socket`.
    Socket(Socket),
    /// A UDP socket: Node's `dgram.Socket`.
    Datagram(UdpSocket),
    /// Any stream socket or pipe, as a bare descriptor: what Node calls `net.Native` and its cluster uses.
    Native(OwnedFd),
    /// A UDP socket, as a bare descriptor: `dgram.Native`.
    NativeDatagram(OwnedFd),
}

/// The type of a handle on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HandleType {
    Server,
    Socket,
    Datagram,
    Native,
    NativeDatagram,
}

const NAMES: [(HandleType, &str); 5] = [
    (HandleType::Server, "net.Server"),
    (HandleType::Socket, "net.Socket"),
    (HandleType::Datagram, "dgram.Socket"),
    (HandleType::Native, "net.Native"),
    (HandleType::NativeDatagram, "dgram.Native"),
];

impl HandleType {
    pub(super) fn named(name: &str) -> Option<HandleType> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(handle_type, _)| *handle_type)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// Whether a descriptor of this kind can be a handle of this type.
    fn fits(self, kind: FdKind) -> bool {
        match self {
            HandleType::Server => matches!(kind, FdKind::Tcp | FdKind::Unix),
            HandleType::Socket | HandleType::Native => kind.is_stream(),
            HandleType::Datagram | HandleType::NativeDatagram => !kind.is_stream(),
        }
    }
}

impl Handle {
    /// Makes a handle for a **duplicate** of this descriptor, which itself stays open whatever becomes of the handle. A
    /// socket that listens becomes a [`Server`](Handle::Server), another stream socket a [`Socket`](Handle::Socket), a
    /// UDP socket a [`Datagram`](Handle::Datagram), an end of a pipe a [`Native`](Handle::Native).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsendable`] with the name of what it is when it cannot be sent; [`ErrorKind::OutOfDescriptors`].
    // ANCHOR: of
    pub fn of(fd: &impl AsFd) -> Result<Handle> {
        let copy = fd.as_fd().try_clone_to_owned().map_err(|error| Error::io("duplicate", "a handle", error))?;
        let kind = descriptor::kind_of(copy.as_fd()).map_err(unsendable)?;
        Ok(match kind {
            FdKind::Udp4 | FdKind::Udp6 => Handle::Datagram(copy.into()),
            FdKind::Pipe => Handle::Native(copy),
            _ if descriptor::is_listening(copy.as_fd()) => Handle::Server(copy),
            _ => Handle::Socket(Socket::new(copy, None)),
        })
    }
    // ANCHOR_END: of

    /// Returns the name by which Node knows what to make of it: `net.Server`, `net.Socket`, `dgram.Socket`,
    /// `net.Native`, `dgram.Native`.
    pub fn type_name(&self) -> &'static str {
        self.handle_type().name()
    }

    pub(super) fn handle_type(&self) -> HandleType {
        match self {
            Handle::Server(_) => HandleType::Server,
            Handle::Socket(_) => HandleType::Socket,
            Handle::Datagram(_) => HandleType::Datagram,
            Handle::Native(_) => HandleType::Native,
            Handle::NativeDatagram(_) => HandleType::NativeDatagram,
        }
    }

    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Handle::Socket(socket) => socket.key(),
            _ => None,
        }
    }

    /// Returns the member without which a Node receiver of a `dgram.Socket` crashes.
    pub(super) fn dgram_type(&self) -> Option<&'static str> {
        let Handle::Datagram(socket) = self else { return None };
        Some(if descriptor::kind_of(socket.as_fd()) == Ok(FdKind::Udp6) { "udp6" } else { "udp4" })
    }

    /// Checks that the other process can take it, and makes it non-blocking.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsendable`], or the error of `fcntl(2)`.
    pub(super) fn prepare(&self) -> Result<()> {
        let kind = descriptor::kind_of(self.as_fd()).map_err(unsendable)?;
        if !self.handle_type().fits(kind) {
            return Err(unsendable(format!("{} by the name of {}", kind.name(), self.type_name())));
        }
        set_nonblocking(self, true).map_err(|errno| Error::system("send", kind.name(), errno))
    }

    /// Makes a handle of a descriptor that arrived with this type. `None` when it is something else; then it is closed.
    pub(super) fn restore(
        handle_type: HandleType,
        fd: OwnedFd,
        counted: impl FnOnce() -> Option<OnClose>,
    ) -> Option<Handle> {
        let kind = descriptor::kind_of(fd.as_fd()).ok()?;
        if !handle_type.fits(kind) {
            return None;
        }
        set_nonblocking(&fd, true).ok()?;
        Some(match handle_type {
            HandleType::Server => {
                if !descriptor::is_listening(fd.as_fd()) {
                    net::listen(&fd, None).ok()?;
                }
                Handle::Server(fd)
            }
            HandleType::Socket => Handle::Socket(Socket::new(fd, counted())),
            HandleType::Datagram => Handle::Datagram(fd.into()),
            HandleType::Native => Handle::Native(fd),
            HandleType::NativeDatagram => Handle::NativeDatagram(fd),
        })
    }

    /// Takes out a TCP socket that listens, whatever the type of the handle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongHandle`] when the kernel says that it is something else.
    pub fn into_tcp_listener(self) -> Result<TcpListener> {
        self.into_fd(FdKind::Tcp, Some(true)).map(TcpListener::from)
    }

    /// Takes out a Unix socket that listens, whatever the type of the handle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongHandle`] when the kernel says that it is something else.
    pub fn into_unix_listener(self) -> Result<UnixListener> {
        self.into_fd(FdKind::Unix, Some(true)).map(UnixListener::from)
    }

    /// Takes out a TCP connection, whatever the type of the handle. A socket that is counted for its sender counts as
    /// closed from here on; with [`Socket::into_stream`] it counts until it is closed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongHandle`] when the kernel says that it is something else.
    pub fn into_tcp_stream(self) -> Result<TcpStream> {
        self.into_fd(FdKind::Tcp, Some(false)).map(TcpStream::from)
    }

    /// Takes out a connected Unix socket, whatever the type of the handle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongHandle`] when the kernel says that it is something else.
    pub fn into_unix_stream(self) -> Result<UnixStream> {
        self.into_fd(FdKind::Unix, Some(false)).map(UnixStream::from)
    }

    /// Takes out a UDP socket, whatever the type of the handle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongHandle`] when the kernel says that it is something else.
    pub fn into_udp_socket(self) -> Result<UdpSocket> {
        self.into_fd(FdKind::Udp4, None).map(UdpSocket::from)
    }

    fn into_fd(self, expected: FdKind, listening: Option<bool>) -> Result<OwnedFd> {
        let named = |name: &str, listens| format!("{name}{}", if listens { " that listens" } else { "" });
        let listens = descriptor::is_listening(self.as_fd());
        let actual = match descriptor::kind_of(self.as_fd()) {
            // Both kinds of UDP socket have one name.
            Ok(kind) if kind.name() == expected.name() && listening.is_none_or(|wanted| wanted == listens) => {
                return Ok(self.into());
            }
            other => other.map_or_else(|name| name, |kind| named(kind.name(), listens)),
        };
        let expected = named(expected.name(), listening == Some(true));
        let subject = format!("the handle of type {}", self.type_name());
        Err(Error::new("use", subject, ErrorKind::WrongHandle { actual, expected }))
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

/// Takes a tokio socket out of its runtime. The error is that of `epoll_ctl(2)`.
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
