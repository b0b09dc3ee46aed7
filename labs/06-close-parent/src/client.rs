//! One connection, one answer.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Gives what the server answers, over HTTP its body.
pub(crate) async fn ask(address: SocketAddr, protocol: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let mut answer = String::new();
    if protocol != "HTTP" {
        connection.read_to_string(&mut answer).await?;
        return Ok(answer);
    }
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    connection.read_to_string(&mut answer).await?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!("no HTTP answer: {answer:?}"))),
    }
}
