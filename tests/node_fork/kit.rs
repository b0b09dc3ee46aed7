//! What every trial here starts from.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use forklore::child_process::{Child, Command, Exit};
use forklore::ipc::Channel;
use harness::{marked, nodes, root};
use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_test-channel-child");

pub(crate) fn node(what: &str) -> Command {
    marked(Command::new(nodes::node()).arg(root().join("tests/node/child.js")).arg(what))
}

pub(crate) fn script(source: &str) -> Command {
    marked(Command::new(nodes::node()).args(["-e", source]))
}

pub(crate) fn fork(what: &str) -> (Child, Channel) {
    node(what).fork().expect("node starts")
}

pub(crate) async fn next(channel: &Channel) -> Value {
    let message = channel.recv().await.expect("no error").expect("not the end");
    message.decode().expect("JSON")
}

/// What the Node parent says that it has seen.
pub(crate) async fn node_parent(what: &str) -> Value {
    let script = root().join("tests/node/parent.js");
    let parent = marked(Command::new(nodes::node()).arg(script).args([PROGRAM, what]));
    let said = forklore::child_process::exec_file(parent).await;
    serde_json::from_slice(&said.expect("the parent ends well").stdout).expect("JSON")
}

pub(crate) async fn end(mut child: Child, channel: Channel) -> Exit {
    channel.disconnect().await;
    child.close().await.expect("it can be waited for")
}

pub(crate) fn loopback() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")
}

/// Two ends of a TCP connection, neither of which says "try again".
pub(crate) fn connection() -> (TcpStream, TcpStream) {
    let listener = loopback();
    let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    (listener.accept().expect("a connection").0, client)
}

/// All that is still to be read, without stopping the runtime.
pub(crate) async fn text(mut stream: TcpStream) -> String {
    let read = tokio::task::spawn_blocking(move || {
        stream.set_nonblocking(false)?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    });
    read.await.expect("no panic").expect("readable")
}
