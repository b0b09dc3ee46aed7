//! HTTP/1.1 by hyper: a client with one connection, and a server for one.
//!
//! # Errors
//!
//! Every function fails when the system call that it needs does, when the other end does not speak HTTP or ends the connection too
//! early, and when the status of an answer is not 200.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

/// A client with one connection, which it keeps from request to request.
#[derive(Debug)]
pub struct Client {
    host: String,
    requests: SendRequest<String>,
}

impl Client {
    /// Connects to a server.
    pub async fn connect(server: SocketAddr) -> io::Result<Client> {
        Client::on(TcpStream::connect(server).await?).await
    }

    async fn on(stream: TcpStream) -> io::Result<Client> {
        // Closed by a reset, it is gone at once. Otherwise the kernel keeps a thousand of them for a minute (TIME_WAIT).
        stream.set_zero_linger()?;
        let host = stream.peer_addr()?.to_string();
        let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends when this client is dropped and its last answer has come.
        tokio::spawn(connection);
        Ok(Client { host, requests })
    }

    /// Sends a request and returns the body of the answer.
    pub async fn get(&mut self, path: &str) -> io::Result<String> {
        self.begin(path).await?.rest().await
    }

    async fn begin(&mut self, path: &str) -> io::Result<Answer> {
        let request = Request::get(path).header(HOST, &self.host).body(String::new());
        let answer = self.requests.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)?;
        match answer.status().as_u16() {
            200 => Ok(Answer(answer.into_body())),
            status => Err(io::Error::other(format!("the answer to GET {path} has the status {status}"))),
        }
    }
}

/// An answer whose head has come.
#[derive(Debug)]
pub struct Answer(Incoming);

impl Answer {
    /// Waits for the next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> io::Result<Option<String>> {
        let frame = poll_fn(|context| Pin::new(&mut self.0).poll_frame(context)).await;
        let data = frame.transpose().map_err(io::Error::other)?.and_then(|frame| frame.into_data().ok());
        Ok(data.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Returns the rest of the body.
    pub async fn rest(mut self) -> io::Result<String> {
        let mut text = String::new();
        while let Some(piece) = self.piece().await? {
            text += &piece;
        }
        Ok(text)
    }
}

/// Sends a request on a connection of its own, and waits for the head of the answer.
pub async fn begin(server: SocketAddr, path: &str) -> io::Result<Answer> {
    Client::connect(server).await?.begin(path).await
}

/// Like [`begin`]; returns the whole body.
pub async fn get(server: SocketAddr, path: &str) -> io::Result<String> {
    begin(server, path).await?.rest().await
}

/// Like [`get`], from a local address.
pub async fn get_from(local: IpAddr, server: SocketAddr, path: &str) -> io::Result<String> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind((local, 0).into())?;
    Client::on(socket.connect(server).await?).await?.begin(path).await?.rest().await
}

/// Answers every request of one connection: `answer` makes a body of the path.
// ANCHOR: serve
pub async fn serve<F>(connection: impl AsyncRead + AsyncWrite + Unpin, answer: impl Fn(String) -> F) -> io::Result<()>
where
    F: Future<Output = String>,
{
    let service = service_fn(|request: Request<Incoming>| {
        let body = answer(request.uri().path().to_owned());
        async { Ok::<_, Infallible>(Response::new(body.await)) }
    });
    http1::Builder::new().serve_connection(TokioIo::new(connection), service).await.map_err(io::Error::other)
}
// ANCHOR_END: serve
