//! `accept4(2)` creates a connection with its flags set, so that no other thread's `execve(2)` inherits it.
#![allow(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use tokio::io::unix::AsyncFdReadyGuard;

/// A connection and the IP address of its peer. A Unix socket has none.
pub(crate) type Accepted = (OwnedFd, Option<IpAddr>);

/// Accepts the oldest connection of a backlog, close-on-exec and non-blocking; `None` when there is none, and then `ready` is cleared.
/// Skips a connection that failed while it waited: `accept(2)` lists the network errors that Linux passes on.
///
/// ```c
/// int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, SOCK_NONBLOCK | SOCK_CLOEXEC);   // accept(2)
/// ```
///
/// # Errors
///
/// `EMFILE`, `ENFILE`, `ENOBUFS` and `ENOMEM` when there is no room for it, and it stays in the backlog.
pub(crate) fn accept(ready: &mut AsyncFdReadyGuard<'_, OwnedFd>) -> Result<Option<Accepted>, Errno> {
    loop {
        match accept_once(ready.get_inner().as_fd()) {
            Ok(accepted) => return Ok(Some(accepted)),
            Err(Errno::EAGAIN) => {
                ready.clear_ready();
                return Ok(None);
            }
            Err(errno) if is_transient(errno) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether an error concerns the one connection that was to be accepted, and not the next one.
fn is_transient(errno: Errno) -> bool {
    use Errno::*;
    let network = [ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH];
    network.contains(&errno) || [ECONNABORTED, EINTR, EPERM].contains(&errno)
}

fn accept_once(listener: BorrowedFd<'_>) -> Result<Accepted, Errno> {
    // SAFETY: All zeroes is a valid value of a structure of integers and arrays of integers.
    let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: The address is `length` bytes long, the kernel writes no more than that, and both outlive the call.
    let number = Errno::result(unsafe {
        libc::accept4(listener.as_raw_fd(), (&raw mut address).cast(), &raw mut length, flags)
    })?;
    // SAFETY: A new descriptor, which nothing else owns.
    let connection = unsafe { OwnedFd::from_raw_fd(number) };
    Ok((connection, ip_address(&address)))
}

fn ip_address(address: &libc::sockaddr_storage) -> Option<IpAddr> {
    match i32::from(address.ss_family) {
        libc::AF_INET => {
            // SAFETY: sockaddr_storage has the size and alignment of any address, and its family says that it is this.
            let address = unsafe { &*(&raw const *address).cast::<libc::sockaddr_in>() };
            Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: As above.
            let address = unsafe { &*(&raw const *address).cast::<libc::sockaddr_in6>() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

    use super::*;

    #[test]
    fn a_connection_has_its_flags_and_its_address() {
        for host in ["127.0.0.1", "::1"] {
            let listener = TcpListener::bind((host, 0)).expect("a port");
            let _client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
            let (connection, address) = accept_once(listener.as_fd()).expect("a connection");
            assert_eq!(address.map(|address| address.to_string()).as_deref(), Some(host));
            assert_eq!(fcntl(&connection, FcntlArg::F_GETFD), Ok(FdFlag::FD_CLOEXEC.bits()));
            let flags = fcntl(&connection, FcntlArg::F_GETFL).map(OFlag::from_bits_retain);
            assert!(flags.is_ok_and(|flags| flags.contains(OFlag::O_NONBLOCK)));
        }
    }
}
