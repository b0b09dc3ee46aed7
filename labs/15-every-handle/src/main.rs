//! Every kind of handle, sent to a child and used by it; and what cannot be sent.
//!
//! The parent's view is here, the child's in `child.rs`, and what is refused in `refused.rs`.

mod child;
mod refused;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::ExitCode;

use forklore::child_process::{Child, Command, Stdio};
use forklore::ipc::{Channel, Handle};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};
use transcript::{ArrowKind, Transcript};

/// Any port that is free.
const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A fact is what was sent, and what became of it.
type Facts = Result<Vec<(&'static str, String)>, Box<dyn Error>>;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("child") => transcript::run_child(child::child),
        _ => transcript::run(&["parent", "child"], parent),
    }
}

async fn parent(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("TCP: one that listens, one that is connected");
    let command = Command::new(std::env::current_exe()?).arg("child");
    let command = command.stdin(Stdio::Ignore).stdout(Stdio::Ignore).kill_on_drop();
    let (process, channel) = t.seat("child", command)?.fork()?;
    let mut child = Forked { t: &t, process, channel };

    let mut facts = tcp(&child).await?;
    t.step("UDP");
    facts.extend(udp(&child).await?);
    t.step("Unix sockets, the same two");
    facts.extend(unix(&child).await?);
    t.step("The native forms: a descriptor with nothing made of it");
    facts.extend(native(&child).await?);
    t.step("What cannot be sent");
    facts.push(("a regular file", refused::send_all(&t, &child.channel).await?));

    child.channel.disconnect().await;
    child.process.close().await?;
    for (name, value) in facts {
        t.fact(name, value);
    }
    Ok(())
}

struct Forked<'a> {
    t: &'a Transcript,
    process: Child,
    channel: Channel,
}

impl Forked<'_> {
    // ANCHOR: send
    /// Sends the handle. It comes back when the child has it, too, and ours is closed: from then on only the child can use it.
    async fn send(&self, kind: &str, handle: impl Into<Handle>, name: &str) -> Result<(), Box<dyn Error>> {
        self.t.arrow(ArrowKind::Handle, "child", name);
        drop(self.channel.send_handle(kind, handle).await?);
        Ok(())
    }
    // ANCHOR_END: send

    /// Reads to the end what the child writes to the other end of this connection.
    async fn read(&self, mut client: impl AsyncRead + Unpin) -> Result<String, Box<dyn Error>> {
        let mut text = String::new();
        client.read_to_string(&mut text).await?;
        Ok(self.verdict(&text))
    }

    /// Only the child can have written its pid.
    fn verdict(&self, text: &str) -> String {
        self.t.say(format!("the other end reads {text:?}"));
        let used = text == child::greeting(self.process.pid());
        if used { "used by its receiver".to_owned() } else { format!("says {text:?}") }
    }
}

// ANCHOR: tcp
async fn tcp(child: &Forked<'_>) -> Facts {
    let listener = TcpListener::bind(LOCAL)?;
    let address = listener.local_addr()?;
    child.send("TCP server", listener, "net.Server on TCP").await?;
    let server = child.read(TcpStream::connect(address).await?).await?;

    let listener = TcpListener::bind(LOCAL)?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (accepted, _) = listener.accept()?;
    child.send("socket", accepted, "net.Socket on TCP").await?;
    Ok(vec![("a TCP server", server), ("a TCP socket", child.read(client).await?)])
}
// ANCHOR_END: tcp

async fn udp(child: &Forked<'_>) -> Facts {
    let socket = UdpSocket::bind(LOCAL)?;
    let address = socket.local_addr()?;
    child.send("UDP socket", socket, "dgram.Socket").await?;
    Ok(vec![("a UDP socket", exchange(child, address).await?)])
}

/// Sends a datagram and reads the one that answers it.
async fn exchange(child: &Forked<'_>, address: SocketAddr) -> Result<String, Box<dyn Error>> {
    let peer = tokio::net::UdpSocket::bind(LOCAL).await?;
    peer.send_to(b"hello", address).await?;
    let mut datagram = [0; 64];
    let length = peer.recv(&mut datagram).await?;
    Ok(child.verdict(&String::from_utf8_lossy(&datagram[..length])))
}

async fn unix(child: &Forked<'_>) -> Facts {
    // Its address is a path, and that stays when the socket has gone.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("server");
    child.send("Unix server", UnixListener::bind(&path)?, "net.Server on a Unix path").await?;
    let server = child.read(UnixStream::connect(&path).await?).await?;

    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path)?;
    let client = UnixStream::connect(&path).await?;
    let (accepted, _) = listener.accept()?;
    child.send("socket", accepted, "net.Socket on a Unix path").await?;
    Ok(vec![("a Unix server", server), ("a Unix socket", child.read(client).await?)])
}

async fn native(child: &Forked<'_>) -> Facts {
    let listener = TcpListener::bind(LOCAL)?;
    let address = listener.local_addr()?;
    child.send("native", Handle::Native(listener.into()), "net.Native, a server").await?;
    let server = child.read(TcpStream::connect(address).await?).await?;

    let (reading, writing) = std::io::pipe()?;
    child.send("pipe", Handle::Native(writing.into()), "net.Native, a pipe").await?;
    child.read(pipe::Receiver::from_owned_fd(reading.into())?).await?;

    let socket = UdpSocket::bind(LOCAL)?;
    let address = socket.local_addr()?;
    child.send("UDP socket", Handle::NativeDatagram(socket.into()), "dgram.Native").await?;
    exchange(child, address).await?;
    Ok(vec![("a native TCP handle", server)])
}
