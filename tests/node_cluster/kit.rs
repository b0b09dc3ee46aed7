//! What every trial here starts from.

use std::future::Future;
use std::net::SocketAddr;

use forklore::child_process::Command;
use forklore::cluster::schedule::Policy;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::nodes::{self, Case};
use crate::harness::root;
use crate::harness::started::DEADLINE;

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Node's two: the primary accepts, or the workers do.
pub(crate) const POLICIES: [Policy; 2] = [Policy::RoundRobin, Policy::Shared];

/// A test with a runtime of its own, which must end.
pub(crate) fn case<F: Future<Output = Outcome> + 'static>(name: &'static str, test: fn() -> F) -> Case {
    Case::new(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let ended = runtime.block_on(async { tokio::time::timeout(DEADLINE, test()).await });
        ended.expect("it ends").expect("no error");
    })
}

pub(crate) fn node(script: &str, what: &str) -> Command {
    Command::new(nodes::node()).arg(root().join("tests/node").join(script)).arg(what)
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

/// Lets the others run until it is so.
pub(crate) async fn until(mut it_is_so: impl FnMut() -> bool) {
    while !it_is_so() {
        tokio::task::yield_now().await;
    }
}
