//! How the parent sends a handle, and learns what became of it.

use std::net::{Ipv4Addr, SocketAddr};

use forklore::ipc::Handle;
use kit::{clients, roles};
use tokio::io::AsyncRead;
use tokio::net::UdpSocket;
use transcript::{ArrowKind, Transcript};

use crate::child::greeting;

pub(crate) struct Sender<'a> {
    pub(crate) t: &'a Transcript,
    pub(crate) child: roles::Role,
}

impl Sender<'_> {
    // ANCHOR: send
    /// Sends the handle. It comes back when the child has it, too, and ours is closed: from then on only the child can use it.
    pub(crate) async fn send(&self, kind: &str, handle: impl Into<Handle>, name: &str) -> kit::Result {
        self.t.arrow(ArrowKind::Handle, "child", name);
        drop(self.child.channel.send_handle(kind, handle).await?);
        Ok(())
    }
    // ANCHOR_END: send

    /// Reads to the end what the child writes to the other end of this connection.
    pub(crate) async fn read(&self, client: impl AsyncRead + Unpin) -> kit::Result<String> {
        Ok(self.verdict(&clients::rest(client).await?))
    }

    /// Sends a datagram and reads the one that answers it.
    pub(crate) async fn exchange(&self, address: SocketAddr) -> kit::Result<String> {
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        peer.send_to(b"hello", address).await?;
        let mut datagram = [0; 64];
        let length = peer.recv(&mut datagram).await?;
        Ok(self.verdict(&String::from_utf8_lossy(&datagram[..length])))
    }

    /// Only the child can have written its pid.
    fn verdict(&self, text: &str) -> String {
        self.t.say(format!("the other end reads {text:?}"));
        let used = text == greeting(self.child.process.pid());
        if used { "used by its receiver".to_owned() } else { format!("says {text:?}") }
    }
}
