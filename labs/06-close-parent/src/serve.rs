//! How a process answers on a listening socket, wherever it has it from.

use std::io;

use kit::http;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

// ANCHOR: serve
/// Accepts until it is dropped, which closes the socket. Each connection is answered with `name`.
pub(crate) async fn accept(listener: TcpListener, protocol: String, name: String) -> io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(answer(connection, protocol.clone(), name.clone()));
    }
}

async fn answer(mut connection: TcpStream, protocol: String, name: String) -> io::Result<()> {
    match protocol.as_str() {
        // What comes over the channel is a TCP listener. The process that accepts its connections decides that they speak HTTP.
        "HTTP" => http::serve(connection, |_path| async { name.clone() }).await,
        _ => connection.write_all(name.as_bytes()).await,
    }
}
// ANCHOR_END: serve
