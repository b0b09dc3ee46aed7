//! Listening sockets step by step, and what becomes of their connections.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::sockopt::{ReuseAddr, ReusePort};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket};

/// What is asked of a socket before it gets its address.
pub(crate) const NO_OPTION: &str = "no option";
pub(crate) const REUSE_ADDRESS: &str = "SO_REUSEADDR";
pub(crate) const REUSE_PORT: &str = "SO_REUSEPORT";

// ANCHOR: listen
/// socket(2), setsockopt(2), bind(2), listen(2). Without SO_REUSEPORT it is bind that finds the address in use.
pub(crate) fn listen(address: SocketAddrV4, option: &str) -> nix::Result<OwnedFd> {
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&socket, ReuseAddr, &(option == REUSE_ADDRESS))?;
    setsockopt(&socket, ReusePort, &(option == REUSE_PORT))?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(address))?;
    nix::sys::socket::listen(&socket, Backlog::new(128)?)?;
    Ok(socket)
}
// ANCHOR_END: listen

/// Like [`listen`], on a port that the kernel chooses.
pub(crate) fn listen_anywhere(option: &str) -> nix::Result<(OwnedFd, SocketAddrV4)> {
    let socket = listen(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), option)?;
    let address: SockaddrIn = getsockname(socket.as_raw_fd())?;
    Ok((socket, address.into()))
}

/// An address as the transcript names it.
pub(crate) fn shown(address: SocketAddrV4) -> String {
    format!("{} port {}", address.ip(), address.port())
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
    let (socket, address) = listen_anywhere(REUSE_ADDRESS)?;
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
    let (first, address) = listen_anywhere(REUSE_PORT)?;
    let second = listen(address, REUSE_PORT)?;
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
