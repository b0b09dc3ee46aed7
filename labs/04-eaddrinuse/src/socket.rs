//! Listening sockets step by step, and what becomes of their connections.

use std::fmt;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::str::FromStr;

use nix::sys::socket::sockopt::{ReuseAddr, ReusePort};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket};

/// What is asked of a socket before it gets its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    reuse_address: bool,
    reuse_port: bool,
}

impl Options {
    pub(crate) const NONE: Options = Options { reuse_address: false, reuse_port: false };
    pub(crate) const ADDRESS: Options = Options { reuse_address: true, ..Options::NONE };
    pub(crate) const PORT: Options = Options { reuse_port: true, ..Options::NONE };
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.reuse_address, self.reuse_port) {
            (_, true) => "SO_REUSEPORT",
            (true, _) => "SO_REUSEADDR",
            _ => "no option",
        })
    }
}

impl FromStr for Options {
    type Err = String;

    fn from_str(text: &str) -> Result<Options, String> {
        let all = [Options::NONE, Options::ADDRESS, Options::PORT];
        all.into_iter().find(|options| options.to_string() == text).ok_or(format!("no such options: {text}"))
    }
}

// ANCHOR: listen
/// socket(2), setsockopt(2), bind(2), listen(2). Without SO_REUSEPORT it is bind that finds the address in use.
pub(crate) fn listen(address: SocketAddrV4, options: Options) -> nix::Result<OwnedFd> {
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&socket, ReuseAddr, &options.reuse_address)?;
    setsockopt(&socket, ReusePort, &options.reuse_port)?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(address))?;
    nix::sys::socket::listen(&socket, Backlog::new(128)?)?;
    Ok(socket)
}
// ANCHOR_END: listen

/// The first half of that: a socket with an address, which from then on is in use, whether or not anybody listens there.
pub(crate) fn take(address: SocketAddrV4) -> nix::Result<OwnedFd> {
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(address))?;
    Ok(socket)
}

/// The same as [`listen`] on a port that the kernel chooses.
pub(crate) fn listen_anywhere(options: Options) -> nix::Result<(OwnedFd, SocketAddrV4)> {
    let socket = listen(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), options)?;
    let address: SockaddrIn = getsockname(socket.as_raw_fd())?;
    Ok((socket, address.into()))
}

/// `free`, or the name of the error.
pub(crate) fn outcome(result: nix::Result<OwnedFd>) -> String {
    match result {
        Ok(_) => "free".to_owned(),
        Err(errno) => format!("{errno:?}"),
    }
}

// ANCHOR: old-connection
/// A port on which nobody listens any more, but whose last connection was closed by the server: the kernel keeps it for a minute, so
/// that stray packets of it meet nobody else (TIME_WAIT, tcp(7)).
pub(crate) fn leave_an_old_connection() -> io::Result<SocketAddrV4> {
    let (socket, address) = listen_anywhere(Options::ADDRESS)?;
    let listener = TcpListener::from(socket);
    let mut client = TcpStream::connect(address)?;
    drop(listener.accept()?);
    // The server's end of file; our own close answers it, and the server's side waits.
    client.read_to_end(&mut Vec::new())?;
    Ok(address)
}
// ANCHOR_END: old-connection

// ANCHOR: one-of-two
/// Two sockets listen on one port; clients connect, nobody accepts, one of the two is closed. Gives how many clients were reset, and of
/// how many.
pub(crate) fn close_one_of_two() -> io::Result<(usize, usize)> {
    const CLIENTS: usize = 64;
    let (first, address) = listen_anywhere(Options::PORT)?;
    let second = listen(address, Options::PORT)?;
    let clients = (0..CLIENTS).map(|_| TcpStream::connect(address)).collect::<io::Result<Vec<_>>>()?;
    drop(second);
    let mut reset = 0;
    for mut client in clients {
        client.set_nonblocking(true)?;
        match client.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => reset += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return Err(io::Error::other(format!("a client that nobody serves read {other:?}"))),
        }
    }
    drop(first);
    Ok((reset, CLIENTS))
}
// ANCHOR_END: one-of-two
