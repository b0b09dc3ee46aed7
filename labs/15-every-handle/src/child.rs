//! The child of lab 15: makes of each handle what it is, and uses it.

use forklore::ipc::{Handle, Message};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::net::{TcpListener, UdpSocket, UnixListener};
use transcript::Transcript;

/// What the process with this pid writes.
pub(crate) fn greeting(pid: u32) -> String {
    format!("written by pid {pid}")
}

pub(crate) async fn child(t: Transcript) -> kit::Result {
    let parent = forklore::ipc::parent()?;
    while let Some(message) = parent.recv().await? {
        tokio::select! {
            used = make_and_use(&t, message) => used?,
            // Nobody is left who would connect.
            _ = parent.closed() => break,
        }
    }
    Ok(())
}

async fn make_and_use(t: &Transcript, mut message: Message) -> kit::Result {
    let greeting = greeting(std::process::id());
    let greeting = greeting.as_bytes();
    let handle = message.handle.take().ok_or("a message without a handle")?;
    let name = handle.type_name();
    // ANCHOR: use
    match (message.decode::<&str>()?, handle) {
        ("TCP server" | "native", handle) => {
            let listener = TcpListener::from_std(handle.into_tcp_listener()?)?;
            t.say(format!("got a {name}, and made a TcpListener of it"));
            listener.accept().await?.0.write_all(greeting).await?;
        }
        ("Unix server", handle) => {
            let listener = UnixListener::from_std(handle.into_unix_listener()?)?;
            t.say(format!("got a {name}, and made a UnixListener of it"));
            listener.accept().await?.0.write_all(greeting).await?;
        }
        // TCP or Unix: a Stream is either.
        ("socket", Handle::Socket(socket)) => {
            let mut stream = socket.into_stream()?;
            t.say(format!("got a {name}, and made a Stream of it"));
            stream.write_all(greeting).await?;
        }
        ("UDP socket", handle) => {
            let socket = UdpSocket::from_std(handle.into_udp_socket()?)?;
            t.say(format!("got a {name}, and made a UdpSocket of it"));
            let (_, client) = socket.recv_from(&mut [0; 64]).await?;
            socket.send_to(greeting, client).await?;
        }
        ("pipe", handle) => {
            let mut pipe = pipe::Sender::from_owned_fd(handle.into())?;
            t.say(format!("got a {name}, and made a pipe::Sender of it"));
            pipe.write_all(greeting).await?;
        }
        (kind, _) => return Err(format!("got a {name} as {kind:?}").into()),
    }
    // ANCHOR_END: use
    Ok(())
}
