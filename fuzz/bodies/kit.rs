//! One descriptor of each kind, to be sent.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use nix::sys::eventfd::EventFd;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};

/// The letter of each kind.
const LETTERS: &[u8; 11] = b"tlbuUdDpfre";

pub(crate) struct Kit {
    pub(crate) connection: TcpStream,
    pub(crate) listener: TcpListener,
    others: Vec<(u8, OwnedFd)>,
    _accepted: TcpStream,
    _writer: OwnedFd,
}

impl Kit {
    pub(crate) fn new() -> Kit {
        let any = (Ipv4Addr::LOCALHOST, 0);
        let listener = TcpListener::bind(any).expect("a port");
        let connection = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (accepted, _) = listener.accept().expect("the other end");
        let (reader, writer) = nix::unistd::pipe().expect("a pipe");
        let others = vec![
            (b'u', UnixStream::pair().expect("a pair").0.into()),
            (b'U', unix_listener().into()),
            (b'd', UdpSocket::bind(any).expect("a port").into()),
            (b'D', UnixDatagram::unbound().expect("a socket").into()),
            (b'p', reader),
            (b'f', File::open("/dev/null").expect("there").into()),
            (b'r', File::open("/proc/self/exe").expect("there").into()),
            (b'e', EventFd::new().expect("an eventfd").into()),
        ];
        Kit { connection, listener, others, _accepted: accepted, _writer: writer }
    }

    /// The number of a descriptor of the kind that a byte stands for. `made` keeps what is made for this one time.
    pub(crate) fn find(&self, byte: u8, made: &mut Vec<OwnedFd>) -> RawFd {
        let known = LETTERS.contains(&byte);
        let letter = if known { byte } else { LETTERS[usize::from(byte) % LETTERS.len()] };
        match letter {
            b't' => self.connection.as_raw_fd(),
            b'l' => self.listener.as_raw_fd(),
            b'b' => {
                // One that a receiver may make listen; in a crowd there may be no room for it, when one that listens has to do.
                let fresh = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
                made.extend(fresh.ok());
                made.last().map_or(self.listener.as_raw_fd(), AsRawFd::as_raw_fd)
            }
            letter => {
                let found = self.others.iter().find(|(known, _)| *known == letter);
                found.expect("every letter has its descriptor").1.as_raw_fd()
            }
        }
    }
}

/// At an address without a file, which the kernel chooses.
fn unix_listener() -> UnixListener {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    bind(socket.as_raw_fd(), &UnixAddr::new_unnamed()).expect("an address");
    listen(&socket, Backlog::new(1).expect("one")).expect("it listens");
    socket.into()
}
