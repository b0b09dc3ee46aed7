//! How a process answers on a listening socket, wherever it has it from.

use std::convert::Infallible;
use std::io;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// Accepts until it is dropped, which closes the socket. Each connection is answered with `name`.
pub(crate) async fn accept(listener: TcpListener, protocol: String, name: String) -> io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        match protocol.as_str() {
            "HTTP" => drop(tokio::spawn(over_http(connection, name.clone()))),
            _ => drop(tokio::spawn(over_tcp(connection, name.clone()))),
        }
    }
}

async fn over_tcp(mut connection: TcpStream, name: String) -> io::Result<()> {
    connection.write_all(name.as_bytes()).await
}

/// What comes over the channel is a TCP listener; that its connections speak HTTP is up to whoever accepts them.
// ANCHOR: http
async fn over_http(connection: TcpStream, name: String) -> hyper::Result<()> {
    let answer = service_fn(|_: Request<Incoming>| {
        let response = Response::new(name.clone());
        async { Ok::<_, Infallible>(response) }
    });
    http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await
}
// ANCHOR_END: http
