//! One connection, and as many requests over it as one likes.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub(crate) struct Client {
    connection: BufReader<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Client> {
        Ok(Client { connection: BufReader::new(TcpStream::connect(address).await?) })
    }

    /// One request and its answer, which is the number of the worker that gave it.
    pub(crate) async fn ask(&mut self) -> io::Result<u32> {
        self.connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        let wrong = |line: &str| io::Error::other(format!("no HTTP answer: {line:?}"));
        let mut line = String::new();
        self.connection.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 200 ") {
            return Err(wrong(&line));
        }
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            if self.connection.read_line(&mut line).await? == 0 {
                return Err(wrong(&line));
            }
            if let Some(("content-length", value)) = line.to_lowercase().split_once(':') {
                length = value.trim().parse().map_err(|_| wrong(value))?;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).await?;
        let body = String::from_utf8_lossy(&body);
        body.parse().map_err(|_| wrong(&body))
    }
}
