//! Binding and listening, with the options that Node sets.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, getpeername, getsockname,
    getsockopt, setsockopt, sockopt,
};

use super::address::{self, AddressType};
use crate::sys::inherited::Announced;
use crate::sys::readiness::set_nonblocking;

/// How many connections the kernel keeps waiting by default, as in Node. The kernel's own limit is `net.core.somaxconn`.
const BACKLOG: i32 = 511;

/// What to bind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Endpoint<'a> {
    pub(crate) kind: AddressType,
    /// A host's address in figures, the path of a Unix socket, or `None` for all addresses.
    pub(crate) address: Option<&'a str>,
    /// 0 for a port that the kernel chooses. Out of range: `EINVAL`.
    pub(crate) port: i64,
    /// A socket of this process, by its number, instead of all that.
    pub(crate) fd: Option<i64>,
    pub(crate) ipv6_only: bool,
    /// `SO_REUSEADDR` for UDP; TCP always has it, as in Node.
    pub(crate) reuse_address: bool,
    /// Lets every user read, or write, the file of a Unix socket.
    pub(crate) readable_all: bool,
    pub(crate) writable_all: bool,
}

/// A socket that is bound: non-blocking, close-on-exec.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: OwnedFd,
    /// Removes the file of a Unix socket when it is dropped.
    pub(crate) file: Option<SocketFile>,
}

impl Endpoint<'_> {
    /// Makes and binds the socket.
    ///
    /// # Errors
    ///
    /// Those of `socket(2)`, `setsockopt(2)` and `bind(2)`; `EINVAL` for an address, a port or a path that cannot exist, and for a
    /// descriptor that is a connection or a socket of another kind.
    pub(crate) fn bind(&self) -> nix::Result<Bound> {
        if let Some(number) = self.fd {
            return Ok(Bound { socket: duplicate(number, self.kind.is_udp())?, file: None });
        }
        match self.kind {
            AddressType::Unix => self.bind_unix(),
            AddressType::Udp4 => self.bind_inet(SockType::Datagram, &[Ipv4Addr::UNSPECIFIED.into()]),
            AddressType::Udp6 => self.bind_inet(SockType::Datagram, &[Ipv6Addr::UNSPECIFIED.into()]),
            // An IPv6 socket for all addresses also serves IPv4. IPv6 may be turned off.
            _ => self.bind_inet(SockType::Stream, &[Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()]),
        }
        .map(|(socket, file)| Bound { socket, file })
    }

    /// Binds to the address; without one, to the first of `all` that is possible.
    fn bind_inet(&self, kind: SockType, all: &[std::net::IpAddr]) -> nix::Result<(OwnedFd, Option<SocketFile>)> {
        let port = u16::try_from(self.port).map_err(|_| Errno::EINVAL)?;
        let bind_to = |at: SocketAddr| {
            let family = if at.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
            let socket = new_socket(family, kind)?;
            if kind == SockType::Stream || self.reuse_address {
                setsockopt(&socket, sockopt::ReuseAddr, &true)?;
            }
            if at.is_ipv6() {
                setsockopt(&socket, sockopt::Ipv6V6Only, &self.ipv6_only)?;
            }
            bind(socket.as_raw_fd(), &SockaddrStorage::from(at))?;
            Ok((socket, None))
        };
        match self.address {
            Some(host) => bind_to(address::parse(host, port)?),
            None => {
                let mut outcome = Err(Errno::EINVAL);
                for ip in all {
                    outcome = bind_to((*ip, port).into());
                    if outcome.is_ok() {
                        break;
                    }
                }
                outcome
            }
        }
    }

    fn bind_unix(&self) -> nix::Result<(OwnedFd, Option<SocketFile>)> {
        // With an empty path the kernel would choose a name, see unix(7).
        let path = self.address.filter(|path| !path.is_empty()).ok_or(Errno::EINVAL)?;
        let socket = new_socket(AddressFamily::Unix, SockType::Stream)?;
        if let Some(name) = path.strip_prefix('\0') {
            // An abstract name: there is no file, see unix(7).
            bind(socket.as_raw_fd(), &UnixAddr::new_abstract(name.as_bytes())?)?;
            return Ok((socket, None));
        }
        let path = shorter(Path::new(path));
        bind(socket.as_raw_fd(), &UnixAddr::new(&path)?)?;
        let file = SocketFile::at(path);
        let more = [(self.readable_all, 0o444), (self.writable_all, 0o222)];
        let more = more.iter().filter(|(set, _)| *set).fold(0, |all, (_, bits)| all | bits);
        if more != 0 {
            file.add_permissions(more)?;
        }
        Ok((socket, Some(file)))
    }
}

fn new_socket(family: AddressFamily, kind: SockType) -> nix::Result<OwnedFd> {
    socket::socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)
}

/// Duplicates a socket that is open in this process. A connection is refused: it cannot listen, and may be the channel of a worker. So is a
/// socket of the other kind: it could not be sent to the worker that asked.
fn duplicate(number: i64, is_datagram: bool) -> nix::Result<OwnedFd> {
    let number = RawFd::try_from(number).map_err(|_| Errno::EBADF)?;
    let socket = Announced::by_user(number).duplicate().map_err(errno)?;
    let kind = getsockopt(&socket, sockopt::SockType)?;
    let is_connection = kind == SockType::Stream && getpeername::<SockaddrStorage>(socket.as_raw_fd()).is_ok();
    if is_connection || (kind == SockType::Datagram) != is_datagram {
        return Err(Errno::EINVAL);
    }
    set_nonblocking(&socket, true)?;
    Ok(socket)
}

/// Has the socket listen. A backlog that is absent or not positive stands for [`BACKLOG`].
///
/// # Errors
///
/// Those of `listen(2)`.
pub(crate) fn listen(socket: impl AsFd, backlog: Option<i32>) -> nix::Result<()> {
    let backlog = backlog.filter(|backlog| *backlog > 0).unwrap_or(BACKLOG);
    // Above the kernel's own limit, the kernel takes any number for that limit.
    socket::listen(&socket.as_fd(), Backlog::new(backlog).unwrap_or(Backlog::MAXCONN))
}

/// The address that an IP socket is bound to; `None` for any other socket.
pub(crate) fn local_address(socket: impl AsFd) -> Option<SocketAddr> {
    let address = getsockname::<SockaddrStorage>(socket.as_fd().as_raw_fd()).ok()?;
    let four = address.as_sockaddr_in().map(|four| SocketAddrV4::from(*four).into());
    four.or_else(|| address.as_sockaddr_in6().map(|six| SocketAddrV6::from(*six).into()))
}

/// The same path from the current directory, if that is shorter: an address has room for 107 bytes.
fn shorter(path: &Path) -> PathBuf {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| path.to_owned())
}

/// The file of a Unix socket. Removed when this is dropped, if it is still the same file: the kernel leaves it behind, and a later
/// `bind(2)` would fail.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Its device and inode; `None` if they could not be read, and then it stays.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    fn at(path: PathBuf) -> SocketFile {
        // Absolute, since the current directory may have changed when it is removed.
        let path = std::path::absolute(&path).unwrap_or(path);
        SocketFile { identity: identity(&path), path }
    }

    fn add_permissions(&self, more: u32) -> nix::Result<()> {
        let mode = fs::metadata(&self.path).map_err(errno)?.permissions().mode();
        fs::set_permissions(&self.path, Permissions::from_mode(mode | more)).map_err(errno)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

fn errno(error: std::io::Error) -> Errno {
    Errno::try_from(error).unwrap_or(Errno::EIO)
}
