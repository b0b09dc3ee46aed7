//! What every trial here starts from.

use std::net::SocketAddr;

use forklore::child_process::Command;
use forklore::cluster::schedule::Policy;
use harness::{nodes, root};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Node's two: the primary accepts, or the workers do.
pub(crate) const POLICIES: [Policy; 2] = [Policy::RoundRobin, Policy::Shared];

pub(crate) fn node(script: &str, what: &str) -> Command {
    Command::new(nodes::node()).arg(root().join("tests/node").join(script)).arg(what)
}

/// Like [`node`], with options for what it does.
pub(crate) fn node_with(script: &str, what: &str, options: &Value) -> Command {
    node(script, what).arg(options.to_string())
}

/// What one connection is answered.
pub(crate) async fn ask(address: SocketAddr) -> String {
    all_of(TcpStream::connect(address).await.expect("a connection")).await
}

/// What one request is answered.
pub(crate) async fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: forklore\r\nConnection: close\r\n\r\n").await.expect("written");
    let response = all_of(stream).await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a response");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nContent-Length: "), "{response}");
    body.to_owned()
}

pub(crate) async fn all_of(mut stream: impl AsyncRead + Unpin) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("readable");
    text
}
