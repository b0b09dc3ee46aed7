//! Connections within this machine.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// A server on a port that the kernel chooses.
pub(crate) async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// The two ends of one connection.
pub(crate) async fn joined() -> io::Result<(TcpStream, TcpStream)> {
    let server = listen().await?;
    // Connected as soon as the kernel has it in the queue of those to be accepted.
    let one = TcpStream::connect(server.local_addr()?).await?;
    Ok((one, server.accept().await?.0))
}

/// Writes all of it, and then the end: the other side has read it when it reads the end.
pub(crate) async fn write(mut connection: impl AsyncWriteExt + Unpin, text: &str) -> io::Result<()> {
    connection.write_all(text.as_bytes()).await?;
    connection.shutdown().await
}
