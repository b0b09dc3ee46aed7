//! The sockets that workers ask for, as Node's primary makes them.

use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, getpeername, getsockopt, listen,
    setsockopt, socket, sockopt,
};

use crate::cluster::address::AddressType;
use crate::cluster::protocol::Query;
use crate::sys::inherited;

/// How many connections the kernel keeps waiting if not said otherwise, as in Node. The kernel has a limit of its own besides, which is
/// `net.core.somaxconn`.
const BACKLOG: i32 = 511;

/// A socket that is bound, and listens if it is to.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) socket: OwnedFd,
    /// Its address, if it is TCP.
    pub(super) local: Option<SocketAddr>,
    /// Its file, if it is a Unix socket.
    pub(super) file: Option<SocketFile>,
}

/// Makes what a worker asks for; `listens` says whether it is the primary that accepts.
///
/// # Errors
///
/// Those of socket(2), bind(2) and listen(2), as Node would give them to the worker.
pub(super) fn open(query: &Query, listens: bool) -> Result<Bound, Errno> {
    let (socket, file) = match (query.descriptor(), query.address_type) {
        (Some(number), _) => (theirs(number)?, None),
        (None, AddressType::Udp4 | AddressType::Udp6) => (udp(query)?, None),
        (None, AddressType::Unix) => {
            let (socket, file) = unix(query)?;
            (socket, Some(file))
        }
        (None, _) => (tcp(query)?, None),
    };
    if listens {
        let backlog = query.backlog.filter(|backlog| *backlog > 0).unwrap_or(BACKLOG);
        listen(&socket, Backlog::new(backlog.min(Backlog::MAXCONN.into())).unwrap_or(Backlog::MAXCONN))?;
    }
    let asked = TcpListener::from(socket);
    // Fails for a Unix socket, and says something of UDP that nobody asks for.
    let local = asked.local_addr().ok().filter(|_| !query.address_type.is_udp());
    Ok(Bound { socket: asked.into(), local, file })
}

fn fresh(family: AddressFamily, kind: SockType) -> nix::Result<OwnedFd> {
    socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)
}

/// For all addresses: IPv6 with IPv4 among it, and where there is no IPv6, IPv4.
fn tcp(query: &Query) -> nix::Result<OwnedFd> {
    let port = port(query)?;
    let at = |address| {
        let socket = fresh(family(address), SockType::Stream)?;
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
        bind_to(socket, query, address)
    };
    match query.address.as_deref() {
        Some(host) => at(address(host, port)?),
        None => at((Ipv6Addr::UNSPECIFIED, port).into()).or_else(|_| at((Ipv4Addr::UNSPECIFIED, port).into())),
    }
}

fn udp(query: &Query) -> nix::Result<OwnedFd> {
    let all = if query.address_type == AddressType::Udp6 { "::" } else { "0.0.0.0" };
    let address = address(query.address.as_deref().unwrap_or(all), port(query)?)?;
    let socket = fresh(family(address), SockType::Datagram)?;
    if query.has_flag(Query::REUSE_ADDRESS) {
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    }
    bind_to(socket, query, address)
}

fn bind_to(socket: OwnedFd, query: &Query, address: SocketAddr) -> nix::Result<OwnedFd> {
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &query.has_flag(Query::IPV6_ONLY))?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    Ok(socket)
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet }
}

fn port(query: &Query) -> nix::Result<u16> {
    u16::try_from(query.port.unwrap_or_default()).map_err(|_| Errno::EINVAL)
}

/// Of an address in figures, with the name of a network interface behind a `%` where it is a link-local one.
fn address(host: &str, port: u16) -> nix::Result<SocketAddr> {
    if let Some((host, interface)) = host.split_once('%') {
        let host: Ipv6Addr = host.parse().map_err(|_| Errno::EINVAL)?;
        let scope = interface.parse().or_else(|_| nix::net::if_::if_nametoindex(interface))?;
        return Ok(SocketAddrV6::new(host, port, 0, scope).into());
    }
    host.parse::<IpAddr>().map(|host| (host, port).into()).map_err(|_| Errno::EINVAL)
}

/// A duplicate of a socket that is open in this process. Not of a connection: nobody can listen on it, and it may be the channel of another
/// worker.
fn theirs(number: i64) -> nix::Result<OwnedFd> {
    let number = RawFd::try_from(number).map_err(|_| Errno::EBADF)?;
    let socket = inherited::duplicate(number).map_err(errno)?;
    if getsockopt(&socket, sockopt::SockType)? == SockType::Stream
        && getpeername::<SockaddrStorage>(socket.as_raw_fd()).is_ok()
    {
        return Err(Errno::EINVAL);
    }
    let flags = OFlag::from_bits_retain(fcntl(&socket, FcntlArg::F_GETFL)?);
    fcntl(&socket, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(socket)
}

fn unix(query: &Query) -> nix::Result<(OwnedFd, SocketFile)> {
    // An empty one would have the kernel choose a name, see unix(7).
    let path = query.address.as_deref().filter(|path| !path.is_empty()).ok_or(Errno::EINVAL)?;
    let socket = fresh(AddressFamily::Unix, SockType::Stream)?;
    if let Some(name) = path.strip_prefix('\0') {
        // No file: a name in a space of its own, see unix(7).
        bind(socket.as_raw_fd(), &UnixAddr::new_abstract(name.as_bytes())?)?;
        return Ok((socket, SocketFile::default()));
    }
    let path = shorter(Path::new(path));
    bind(socket.as_raw_fd(), &UnixAddr::new(&path)?)?;
    let file = SocketFile::at(path);
    let more = [(query.readable_all, 0o444), (query.writable_all, 0o222)];
    let more: u32 = more.iter().filter(|(asked, _)| *asked == Some(true)).map(|(_, bits)| bits).sum();
    if more != 0 {
        file.allow(more).map_err(errno)?;
    }
    Ok((socket, file))
}

/// The same path from the current directory, if that is shorter: an address has room for 107 bytes.
fn shorter(path: &Path) -> PathBuf {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| path.to_owned())
}

/// The file of a Unix socket, removed when the listener is closed: the kernel leaves it, and then nobody can bind there.
#[derive(Debug, Default)]
pub(super) struct SocketFile {
    /// Where, and which file it is; none if it has none, or it could not be asked.
    file: Option<(PathBuf, (u64, u64))>,
}

impl SocketFile {
    fn at(path: PathBuf) -> SocketFile {
        // Absolute, since the current directory may be another one by the time of its removal.
        let path = std::path::absolute(&path).unwrap_or(path);
        let identity = identity(&path);
        SocketFile { file: identity.map(|identity| (path, identity)) }
    }

    fn allow(&self, more: u32) -> io::Result<()> {
        let Some((path, _)) = &self.file else { return Ok(()) };
        let mode = fs::metadata(path)?.permissions().mode();
        fs::set_permissions(path, Permissions::from_mode(mode | more))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Some((path, known)) = &self.file
            && identity(path) == Some(*known)
        {
            let _ = fs::remove_file(path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
