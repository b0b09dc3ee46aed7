//! Two descriptors and nothing around them: what every channel is made of.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use std::{fmt, io};

use forklore::child_process::Command;
use forklore::sys::inherited::Inherited;
use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::{pipe2, read, write};

use crate::order::MessageOrder;

/// What the descriptors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireKind {
    /// Two pipes, one each way.
    Pipe,
    /// A pair of Unix sockets that carry a stream.
    Stream,
    /// One that carries packets, in order.
    Seqpacket,
    /// One that carries packets. The kernel lets no more than 10 wait (`net.unix.max_dgram_qlen`).
    Datagram,
    /// A connection over the loopback interface, which sends at once (`TCP_NODELAY`).
    Tcp,
}

impl WireKind {
    /// All of them.
    pub const ALL: [WireKind; 5] =
        [WireKind::Pipe, WireKind::Stream, WireKind::Seqpacket, WireKind::Datagram, WireKind::Tcp];

    fn keeps_packets(self) -> bool {
        matches!(self, WireKind::Seqpacket | WireKind::Datagram)
    }

    /// Whether a message of this size can be sent. A packet must fit into the socket's buffer, of 208 KiB if nobody has asked for more.
    pub fn takes(self, size: usize) -> bool {
        !self.keeps_packets() || size <= 128 << 10
    }
}

impl fmt::Display for WireKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One end.
#[derive(Debug)]
pub struct Wire {
    input: OwnedFd,
    output: OwnedFd,
    keeps_packets: bool,
    buffer: Vec<u8>,
}

/// Where the other process finds its end: numbers, and the environment variables that announce them.
const INPUT: (&str, i32) = ("BENCH_INPUT_FD", 3);
const OUTPUT: (&str, i32) = ("BENCH_OUTPUT_FD", 4);

impl Wire {
    fn new(kind: WireKind, input: OwnedFd, output: OwnedFd) -> Wire {
        Wire { input, output, keeps_packets: kind.keeps_packets(), buffer: vec![b'x'; 1 << 20] }
    }

    /// Both ends.
    ///
    /// # Errors
    ///
    /// When the process has no room for more descriptors.
    pub fn pair(kind: WireKind) -> io::Result<(Wire, Wire)> {
        let both = |(one, other): (OwnedFd, OwnedFd)| -> io::Result<_> {
            Ok((Wire::new(kind, one.try_clone()?, one), Wire::new(kind, other.try_clone()?, other)))
        };
        let sockets = |form| socketpair(AddressFamily::Unix, form, None, SockFlag::SOCK_CLOEXEC);
        match kind {
            WireKind::Pipe => {
                let (there, back) = (pipe2(OFlag::O_CLOEXEC)?, pipe2(OFlag::O_CLOEXEC)?);
                Ok((Wire::new(kind, back.0, there.1), Wire::new(kind, there.0, back.1)))
            }
            WireKind::Stream => both(sockets(SockType::Stream)?),
            WireKind::Seqpacket => both(sockets(SockType::SeqPacket)?),
            WireKind::Datagram => both(sockets(SockType::Datagram)?),
            WireKind::Tcp => {
                let listener = TcpListener::bind(("127.0.0.1", 0))?;
                let one = TcpStream::connect(listener.local_addr()?)?;
                let (other, _) = listener.accept()?;
                one.set_nodelay(true)?;
                other.set_nodelay(true)?;
                both((one.into(), other.into()))
            }
        }
    }

    /// Gives this end to a program that [takes](Wire::inherited) it.
    pub fn hand_to(self, command: Command) -> Command {
        let ends = [(INPUT, self.input), (OUTPUT, self.output)];
        ends.into_iter().fold(command, |command, ((variable, number), fd)| {
            command.env(variable, number.to_string()).descriptor(number, fd.into())
        })
    }

    /// The end that our parent gave us.
    ///
    /// # Errors
    ///
    /// When it gave us none.
    pub fn inherited(kind: WireKind) -> io::Result<Wire> {
        let take = |(variable, _)| -> io::Result<OwnedFd> {
            Inherited::in_environment(variable).ok_or(io::ErrorKind::NotFound)?.take(|_| Ok(()))
        };
        Ok(Wire::new(kind, take(INPUT)?, take(OUTPUT)?))
    }

    /// The descriptor to write to.
    pub fn output(&self) -> &OwnedFd {
        &self.output
    }

    /// Sends all of it, as one packet if it is a wire for packets.
    ///
    /// # Errors
    ///
    /// `EPIPE` or `ECONNRESET` when nobody is at the other end.
    pub fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            bytes = &bytes[write(&self.output, bytes)?..];
        }
        Ok(())
    }

    /// Fills `room`.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when nobody is at the other end any more.
    pub fn receive(&self, mut room: &mut [u8]) -> io::Result<()> {
        while !room.is_empty() {
            match read(&self.input, room)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                taken => room = &mut room[taken..],
            }
        }
        Ok(())
    }

    /// Has the other process take part, and says how long it took.
    ///
    /// # Errors
    ///
    /// When the other process has ended.
    pub fn run(&mut self, order: MessageOrder) -> io::Result<Duration> {
        self.send(&order.encode())?;
        self.receive(&mut [0])?;
        let mut message = std::mem::take(&mut self.buffer);
        let message_room = &mut message[..order.size];
        let start = Instant::now();
        for _ in 0..order.count {
            self.send(message_room)?;
            if order.round_trip {
                self.receive(message_room)?;
            }
        }
        if !order.round_trip {
            self.receive(&mut [0])?;
        }
        let elapsed = start.elapsed();
        self.buffer = message;
        Ok(elapsed)
    }

    /// The other process's part, until ours has gone.
    ///
    /// # Errors
    ///
    /// When ours ends in the middle of it.
    pub fn serve(&mut self) -> io::Result<()> {
        let mut order = [0; MessageOrder::LENGTH];
        while self.receive(&mut order).is_ok() {
            let order = MessageOrder::decode(order);
            self.send(&[0])?;
            let mut message = std::mem::take(&mut self.buffer);
            if order.round_trip {
                for _ in 0..order.count {
                    self.receive(&mut message[..order.size])?;
                    self.send(&message[..order.size])?;
                }
            } else {
                self.swallow(order, &mut message)?;
                self.send(&[0])?;
            }
            self.buffer = message;
        }
        Ok(())
    }

    /// Reads what has come of a stream, as a receiver does that keeps a buffer; of packets one at a time.
    fn swallow(&self, order: MessageOrder, room: &mut [u8]) -> io::Result<()> {
        const BUFFER: usize = 64 << 10;
        let mut left = order.size * order.count as usize;
        let room = if self.keeps_packets { &mut room[..order.size] } else { &mut room[..BUFFER] };
        while left > 0 {
            match read(&self.input, room)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                taken => left -= taken,
            }
        }
        Ok(())
    }
}
