//! Listening by ourselves: on a socket of the primary's, or on one of our own.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, SockaddrStorage, UnixAddr,
    bind as bind_to, getsockname, listen as listen_on, setsockopt, socket, sockopt,
};
use tokio::net::{TcpListener, UnixListener};

use super::connection::Stream;
use crate::cluster::address::AddressType;
use crate::cluster::protocol::Query;
use crate::error::{Error, Result};
use crate::sys::inherited;

/// What Node asks for when nothing is said.
const BACKLOG: i32 = 511;

/// A socket that listens.
#[derive(Debug)]
pub(super) enum Acceptor {
    Tcp(TcpListener),
    /// The path is to be removed at the end, if the socket is ours alone.
    Unix(UnixListener, Option<PathBuf>),
}

impl Acceptor {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Acceptor::Tcp(listener) => listener.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
            Acceptor::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        }
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Acceptor::Tcp(listener) => listener.local_addr().ok(),
            Acceptor::Unix(..) => None,
        }
    }

    fn of(fd: OwnedFd, path: Option<PathBuf>) -> io::Result<Acceptor> {
        let family = getsockname::<SockaddrStorage>(fd.as_raw_fd())?.family();
        if family == Some(AddressFamily::Unix) {
            UnixListener::from_std(fd.into()).map(|listener| Acceptor::Unix(listener, path))
        } else {
            TcpListener::from_std(fd.into()).map(Acceptor::Tcp)
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        if let Acceptor::Unix(_, Some(path)) = self {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether it is an error of the connection that was waiting, which Linux reports by accept(2), and not of the socket that listens.
pub(super) fn is_of_the_connection(error: &io::Error) -> bool {
    const ITS_OWN: [Errno; 9] = [
        Errno::ECONNABORTED,
        Errno::EHOSTDOWN,
        Errno::EHOSTUNREACH,
        Errno::ENETDOWN,
        Errno::ENETUNREACH,
        Errno::ENONET,
        Errno::ENOPROTOOPT,
        Errno::EPERM,
        Errno::EPROTO,
    ];
    error.raw_os_error().is_some_and(|number| ITS_OWN.contains(&Errno::from_raw(number)))
}

/// Listens on the socket that the primary has bound.
pub(super) fn listen(fd: OwnedFd, query: &Query, subject: &str) -> Result<Acceptor> {
    let wanted = query.port.filter(|port| *port > 0);
    // Node's primary grants a socket that it could not bind.
    if wanted.is_some_and(|wanted| bound(&fd).is_some_and(|address| i64::from(address.port()) != wanted)) {
        return Err(Error::system("listen on", subject, Errno::EADDRINUSE));
    }
    ready(fd, query, None).map_err(|error| Error::io("listen on", subject, error))
}

fn bound(fd: &OwnedFd) -> Option<SocketAddr> {
    let address = getsockname::<SockaddrStorage>(fd.as_raw_fd()).ok()?;
    let four = address.as_sockaddr_in().map(|four| SocketAddrV4::from(*four).into());
    four.or_else(|| address.as_sockaddr_in6().map(|six| SocketAddrV6::from(*six).into()))
}

fn ready(fd: OwnedFd, query: &Query, path: Option<PathBuf>) -> io::Result<Acceptor> {
    let backlog = query.backlog.filter(|backlog| *backlog > 0).unwrap_or(BACKLOG);
    // The kernel takes the greatest number as well as that of its own limit.
    listen_on(&fd, Backlog::new(backlog).unwrap_or(Backlog::MAXCONN))?;
    Acceptor::of(fd, path)
}

/// Listens on a socket of our own.
pub(super) fn bind(query: &Query, subject: &str) -> Result<Acceptor> {
    let path = query.address.as_ref().filter(|_| query.address_type == AddressType::Unix).map(PathBuf::from);
    let made = match (query.descriptor(), &path) {
        (Some(number), _) => i32::try_from(number).map_err(io::Error::other).and_then(inherited::duplicate),
        (None, Some(path)) => {
            UnixAddr::new(path).map_err(io::Error::from).and_then(|address| make(&address, SockType::Stream, query))
        }
        (None, None) => inet(query, SockType::Stream),
    };
    made.and_then(|fd| ready(fd, query, path)).map_err(|error| Error::io("listen on", subject, error))
}

/// Binds a UDP socket of our own.
pub(super) fn bind_udp(query: &Query, subject: &str) -> Result<std::net::UdpSocket> {
    inet(query, SockType::Datagram).map(Into::into).map_err(|error| Error::io("listen on", subject, error))
}

fn inet(query: &Query, kind: SockType) -> io::Result<OwnedFd> {
    let port = query.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let at = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => make(&SockaddrIn::from(SocketAddrV4::new(ip, port)), kind, query),
        IpAddr::V6(ip) => make(&SockaddrIn6::from(SocketAddrV6::new(ip, port, 0, 0)), kind, query),
    };
    match &query.address {
        Some(address) => at(address.parse().map_err(io::Error::other)?),
        // IPv6 may be turned off.
        None => at(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| at(Ipv4Addr::UNSPECIFIED.into())),
    }
}

fn make(address: &impl SockaddrLike, kind: SockType, query: &Query) -> io::Result<OwnedFd> {
    let family = address.family().ok_or(Errno::EAFNOSUPPORT)?;
    let fd = socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
    if family == AddressFamily::Inet6 {
        setsockopt(&fd, sockopt::Ipv6V6Only, &query.has_flag(Query::IPV6_ONLY))?;
    }
    if family != AddressFamily::Unix && (kind == SockType::Stream || query.has_flag(Query::REUSE_ADDRESS)) {
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    }
    bind_to(fd.as_fd().as_raw_fd(), address)?;
    Ok(fd)
}
