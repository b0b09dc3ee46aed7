//! Every kind of handle, sent to a child and used by it; and what cannot be sent.
//!
//! What is sent is here, how it is sent in `sender.rs`, the child's view in `child.rs`, and what is refused in `refused.rs`.

mod child;
mod refused;
mod sender;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::ExitCode;

use forklore::ipc::Handle;
use kit::roles;
use sender::Sender;
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};
use transcript::Transcript;

/// Any port that is free.
const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn main() -> ExitCode {
    match roles::played() {
        Some(_) => transcript::run_child(child::child),
        None => transcript::run(&["parent", "child"], parent),
    }
}

async fn parent(t: Transcript) -> kit::Result {
    t.step("TCP: one that listens, one that is connected");
    let sender = Sender { t: &t, child: roles::fork(&t, "child", "child")? };
    // ANCHOR: tcp
    let listener = TcpListener::bind(LOCAL)?;
    let address = listener.local_addr()?;
    sender.send("TCP server", listener, "net.Server on TCP").await?;
    let tcp_server = sender.read(TcpStream::connect(address).await?).await?;

    let listener = TcpListener::bind(LOCAL)?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    sender.send("socket", listener.accept()?.0, "net.Socket on TCP").await?;
    let tcp_socket = sender.read(client).await?;
    // ANCHOR_END: tcp

    t.step("UDP");
    let socket = UdpSocket::bind(LOCAL)?;
    let address = socket.local_addr()?;
    sender.send("UDP socket", socket, "dgram.Socket").await?;
    let udp_socket = sender.exchange(address).await?;

    t.step("Unix sockets, the same two");
    let folder = tempfile::tempdir()?;
    let [path, other] = ["server", "socket"].map(|name| folder.path().join(name));
    sender.send("Unix server", UnixListener::bind(&path)?, "net.Server on a Unix path").await?;
    let path_stays = path.exists();
    let unix_server = sender.read(UnixStream::connect(&path).await?).await?;

    let listener = UnixListener::bind(&other)?;
    let client = UnixStream::connect(&other).await?;
    sender.send("socket", listener.accept()?.0, "net.Socket on a Unix path").await?;
    let unix_socket = sender.read(client).await?;

    t.step("The native forms: a descriptor with nothing made of it");
    let listener = TcpListener::bind(LOCAL)?;
    let address = listener.local_addr()?;
    sender.send("native", Handle::Native(listener.into()), "net.Native, a server").await?;
    let native = sender.read(TcpStream::connect(address).await?).await?;

    let (reading, writing) = std::io::pipe()?;
    sender.send("pipe", Handle::Native(writing.into()), "net.Native, a pipe").await?;
    sender.read(pipe::Receiver::from_owned_fd(reading.into())?).await?;

    let socket = UdpSocket::bind(LOCAL)?;
    let address = socket.local_addr()?;
    sender.send("UDP socket", Handle::NativeDatagram(socket.into()), "dgram.Native").await?;
    sender.exchange(address).await?;

    t.step("What cannot be sent");
    let file = refused::send_all(&t, &sender.child.channel).await?;
    sender.child.end().await?;

    t.fact("a TCP server", tcp_server);
    t.fact("a TCP socket", tcp_socket);
    t.fact("a UDP socket", udp_socket);
    t.fact("a Unix server", unix_server);
    t.fact("the Unix path, after the sender closed its server", if path_stays { "still there" } else { "removed" });
    t.fact("a Unix socket", unix_socket);
    t.fact("a native TCP handle", native);
    t.fact("a regular file", file);
    Ok(())
}
