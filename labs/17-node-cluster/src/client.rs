//! One connection, one answer over HTTP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An answer whose head has come.
pub(crate) struct Answer {
    connection: BufReader<TcpStream>,
    /// The body comes in chunks, each after a line with its size; one of size 0 is the last.
    chunked: bool,
}

impl Answer {
    /// Asks for `path` on a connection of its own, and waits for the head of the answer.
    pub(crate) async fn to(port: u16, path: &str) -> io::Result<Answer> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut connection = BufReader::new(TcpStream::connect(address).await?);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = Answer { connection, chunked: false };
        let status = answer.line().await?;
        if !status.starts_with("HTTP/1.1 200 ") {
            return Err(io::Error::other(format!("no answer, but {status:?}")));
        }
        loop {
            match answer.line().await?.to_ascii_lowercase().as_str() {
                "" => return Ok(answer),
                "transfer-encoding: chunked" => answer.chunked = true,
                _ => {}
            }
        }
    }

    /// The pid that its body begins with: that of the worker.
    pub(crate) async fn pid(&mut self) -> io::Result<u32> {
        if self.chunked {
            self.line().await?;
        }
        self.line().await?.parse().map_err(io::Error::other)
    }

    /// Reads to the end of the connection; whether the last chunk had come by then.
    pub(crate) async fn ends_well(mut self) -> io::Result<bool> {
        let mut rest = String::new();
        self.connection.read_to_string(&mut rest).await?;
        Ok(!self.chunked || rest.ends_with("0\r\n\r\n"))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.connection.read_line(&mut line).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

/// Who answers.
pub(crate) async fn who(port: u16) -> io::Result<u32> {
    Answer::to(port, "/").await?.pid().await
}
