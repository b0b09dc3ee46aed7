//! What the kernel says a descriptor is, and which kinds can be sent to another process.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockType, getsockopt, sockopt};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::isatty;

use crate::net;

/// The kinds that Node can receive, as libuv tells them apart. Any other makes a Node process refuse all later handles,
/// or abort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FdKind {
    /// A TCP socket, IPv4 or IPv6.
    Tcp,
    /// A Unix stream socket.
    Unix,
    /// A UDP socket over IPv4.
    Udp4,
    /// A UDP socket over IPv6.
    Udp6,
    /// An end of a pipe, named or not.
    Pipe,
}

impl FdKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            FdKind::Tcp => "a TCP socket",
            FdKind::Unix => "a Unix stream socket",
            FdKind::Udp4 | FdKind::Udp6 => "a UDP socket",
            FdKind::Pipe => "a pipe",
        }
    }

    pub(super) fn is_stream(self) -> bool {
        !matches!(self, FdKind::Udp4 | FdKind::Udp6)
    }
}

/// Asks the kernel what `fd` is.
///
/// # Errors
///
/// The name of what it is when it cannot be sent.
pub(super) fn kind_of(fd: BorrowedFd<'_>) -> Result<FdKind, String> {
    // Only TCP has this option, so one call is enough for the kind that is passed most often.
    if getsockopt(&fd, sockopt::TcpNoDelay).is_ok() {
        return Ok(FdKind::Tcp);
    }
    let socket = match getsockopt(&fd, sockopt::SockType) {
        Ok(kind) => kind,
        Err(Errno::ENOTSOCK) => return file(fd),
        Err(errno) => return Err(format!("a descriptor that says {errno}")),
    };
    match (net::family(fd).ok().flatten(), socket) {
        (Some(AddressFamily::Inet | AddressFamily::Inet6), SockType::Stream) => Ok(FdKind::Tcp),
        (Some(AddressFamily::Inet), SockType::Datagram) => Ok(FdKind::Udp4),
        (Some(AddressFamily::Inet6), SockType::Datagram) => Ok(FdKind::Udp6),
        (Some(AddressFamily::Unix), SockType::Stream) => Ok(FdKind::Unix),
        (Some(AddressFamily::Unix), SockType::Datagram) => Err("a Unix datagram socket".to_owned()),
        (Some(AddressFamily::Unix), SockType::SeqPacket) => Err("a Unix seqpacket socket".to_owned()),
        (family, kind) => Err(format!("a socket of family {family:?} and type {kind:?}")),
    }
}

/// Tells what `fd` is when it is not a socket: a pipe, or the name of what cannot be sent.
fn file(fd: BorrowedFd<'_>) -> Result<FdKind, String> {
    let status = fstat(fd).map_err(|errno| format!("a descriptor that says {errno}"))?;
    let kind = SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits());
    // "anon_inode:[eventfd]", "/dev/null"
    let name = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap_or_default();
    let name = name.to_string_lossy();
    Err(match kind {
        SFlag::S_IFIFO => return Ok(FdKind::Pipe),
        SFlag::S_IFREG => format!("a regular file ({name})"),
        SFlag::S_IFDIR => format!("a directory ({name})"),
        SFlag::S_IFCHR if isatty(fd) == Ok(true) => format!("a terminal ({name})"),
        SFlag::S_IFCHR | SFlag::S_IFBLK => format!("a device ({name})"),
        _ => match name.strip_prefix("anon_inode:") {
            Some(kind) => format!("a descriptor of kind {}", kind.trim_matches(['[', ']'])),
            None => format!("a descriptor of an unknown kind ({name})"),
        },
    })
}

/// Whether a stream socket listens.
pub(super) fn is_listening(fd: BorrowedFd<'_>) -> bool {
    getsockopt(&fd, sockopt::AcceptConn) == Ok(true)
}

/// Checks that a descriptor can be a channel.
///
/// # Errors
///
/// The name of what it is.
pub(super) fn is_channel(fd: BorrowedFd<'_>) -> Result<(), String> {
    match kind_of(fd)? {
        FdKind::Unix if !is_listening(fd) => Ok(()),
        kind => Err(kind.name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::{AsFd, OwnedFd};
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use super::*;

    #[test]
    fn each_kind_is_known_by_its_name() {
        let of = |fd: OwnedFd| kind_of(fd.as_fd());
        let (reading, _writing) = nix::unistd::pipe().expect("a pipe");
        assert_eq!(of(reading), Ok(FdKind::Pipe));
        assert_eq!(of(TcpListener::bind("127.0.0.1:0").expect("a port").into()), Ok(FdKind::Tcp));
        assert_eq!(of(UdpSocket::bind("127.0.0.1:0").expect("a port").into()), Ok(FdKind::Udp4));
        assert_eq!(of(UnixStream::pair().expect("a pair").0.into()), Ok(FdKind::Unix));
        let refused = |fd: OwnedFd| of(fd).expect_err("cannot be sent");
        assert_eq!(refused(UnixDatagram::unbound().expect("a socket").into()), "a Unix datagram socket");
        assert_eq!(refused(File::open("/dev/null").expect("there").into()), "a device (/dev/null)");
        assert_eq!(refused(File::open("/proc").expect("there").into()), "a directory (/proc)");
        let program = refused(File::open("/proc/self/exe").expect("there").into());
        assert!(program.starts_with("a regular file (/"), "{program}");
        let epoll = nix::sys::eventfd::EventFd::new().expect("an eventfd");
        assert_eq!(refused(epoll.into()), "a descriptor of kind eventfd");
    }
}
