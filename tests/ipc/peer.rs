//! The other end of a channel, as a bare socket.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use bytes::BytesMut;
use forklore::ipc::{Channel, Message, Settings};
use forklore::sys::fd_passing;
use nix::sys::stat::fstat;

pub(crate) const ACK: &str = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
pub(crate) const NACK: &str = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

/// The other end of a channel, driven by hand.
pub(crate) struct SocketPeer {
    pub(crate) socket: tokio::net::UnixStream,
    pub(crate) buffer: BytesMut,
    /// What came with the bytes.
    pub(crate) handles: Vec<OwnedFd>,
}

impl SocketPeer {
    pub(crate) fn over(stream: UnixStream) -> SocketPeer {
        stream.set_nonblocking(true).expect("a socket");
        let socket = tokio::net::UnixStream::from_std(stream).expect("a socket");
        SocketPeer { socket, buffer: BytesMut::new(), handles: Vec::new() }
    }

    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>, fd: Option<&dyn AsFd>) {
        let bytes = bytes.as_ref();
        let sent = fd_passing::send_bytes(self.socket.as_fd(), bytes, fd.map(|fd| fd.as_fd()));
        assert_eq!(sent.expect("the socket has room"), bytes.len());
    }

    /// Has the channel do twice what it can: it writes what it may before it reads again.
    pub(crate) async fn two_turns(&self, channel: &Channel) {
        for _ in 0..2 {
            self.send("\"a turn\"\n", None);
            assert_eq!(next(channel).await.json(), "\"a turn\"");
        }
    }

    /// Whether the channel has written nothing since the last read.
    pub(crate) fn has_nothing_to_read(&mut self) -> bool {
        self.buffer.reserve(1);
        let read = fd_passing::receive_bytes(self.socket.as_fd(), &mut self.buffer, &mut self.handles);
        self.buffer.is_empty() && read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// The next line, with its newline.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return String::from_utf8(self.buffer.split_to(end + 1).to_vec()).expect("UTF-8");
            }
            assert_ne!(self.read().await, 0, "the stream has ended");
        }
    }

    /// Reads once; 0 at the end.
    pub(crate) async fn read(&mut self) -> usize {
        loop {
            self.socket.readable().await.expect("a socket");
            self.buffer.reserve(4096);
            let read = self.socket.try_io(tokio::io::Interest::READABLE, || {
                fd_passing::receive_bytes(self.socket.as_fd(), &mut self.buffer, &mut self.handles)
            });
            match read {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                read => return read.expect("readable").bytes,
            }
        }
    }
}

pub(crate) fn with_settings(settings: Settings) -> (Channel, SocketPeer) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    (Channel::over(ours, "the peer", settings).expect("a channel"), SocketPeer::over(theirs))
}

pub(crate) fn pair() -> (Channel, SocketPeer) {
    with_settings(Settings::default())
}

/// A stream socket, and its other end.
pub(crate) fn socket() -> (OwnedFd, UnixStream) {
    let (one, other) = UnixStream::pair().expect("a pair");
    (one.into(), other)
}

pub(crate) fn inode(fd: impl AsFd) -> u64 {
    fstat(fd).expect("open").st_ino
}

pub(crate) async fn next(channel: &Channel) -> Message {
    channel.recv().await.expect("no error").expect("not the end")
}

/// Whether everybody has closed the other end.
pub(crate) fn is_closed(mut end: UnixStream) -> bool {
    end.set_nonblocking(true).expect("a socket");
    matches!(end.read(&mut [0]), Ok(0))
}

pub(crate) fn handle_line(kind: &str, message: &str) -> String {
    format!("{{\"cmd\":\"NODE_HANDLE\",\"type\":\"{kind}\",\"msg\":{message}}}\n")
}

/// Has the channel's driver write what may go, without waiting for anything.
pub(crate) async fn let_it_write() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
