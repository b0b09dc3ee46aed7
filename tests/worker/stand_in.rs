//! What stands for a primary.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use forklore::cluster::{Connection, Listen, Listener, WorkerProcess};
use forklore::ipc::{Channel, Handle, Settings};
use serde_json::{Value, json};

/// The primary's end.
pub(crate) struct StandIn(pub(crate) Channel);

/// A worker that does not end the process, and its primary, which has seen it come online.
pub(crate) async fn pair() -> (WorkerProcess, StandIn) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let open = |end, name: &str| Channel::over(end, name, Settings::default().internal_messages()).expect("a channel");
    let primary = StandIn(open(theirs, "the worker"));
    let worker = WorkerProcess::start(7, open(ours, "the primary"), true);
    assert_eq!(primary.next().await, json!({ "act": "online", "seq": 0 }));
    (worker, primary)
}

impl StandIn {
    /// What comes next, without its `cmd`.
    pub(crate) async fn next(&self) -> Value {
        let message = self.0.recv_internal().await.expect("no error").expect("not the end");
        let mut value: Value = message.decode().expect("JSON");
        assert_eq!(value.as_object_mut().and_then(|members| members.remove("cmd")), Some(json!("NODE_CLUSTER")));
        value
    }

    /// The number of the next one, which asks for this.
    pub(crate) async fn asked(&self, act: &str) -> Value {
        let message = self.next().await;
        assert_eq!(message["act"], act, "{message}");
        message["seq"].clone()
    }

    pub(crate) fn say(&self, mut message: Value) {
        message["cmd"] = json!("NODE_CLUSTER");
        self.0.post(&message).expect("sent");
    }

    pub(crate) async fn hand(&self, mut message: Value, handle: impl Into<OwnedFd>) {
        message["cmd"] = json!("NODE_CLUSTER");
        self.0.send_handle(&message, Handle::Native(handle.into())).await.expect("taken");
    }

    /// Grants a question, and sees that the worker listens.
    pub(crate) async fn grant(&self, key: &str, more: Value) {
        let mut reply = json!({ "ack": self.asked("queryServer").await, "key": key });
        for (name, value) in more.as_object().into_iter().flatten() {
            reply[name] = value.clone();
        }
        self.say(reply);
        self.asked("listening").await;
    }

    /// Hands over a connection, whose other end comes back.
    pub(crate) async fn connect(&self, key: &str, seq: u64) -> TcpStream {
        let listener = loopback();
        let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let server = listener.accept().expect("a connection").0;
        self.hand(json!({ "act": "newconn", "key": key, "seq": seq }), server).await;
        client
    }

    pub(crate) async fn answer(&self) -> (u64, bool) {
        let message = self.next().await;
        let known = message["ack"].as_u64().zip(message["accepted"].as_bool());
        known.unwrap_or_else(|| panic!("{message} is no answer"))
    }
}

fn loopback() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")
}

/// A listener of this key.
pub(crate) async fn listener(worker: &WorkerProcess, primary: &StandIn, key: &str, more: Value) -> Listener {
    let (listener, ()) = tokio::join!(worker.listen(Listen::tcp("127.0.0.1", 80)), primary.grant(key, more));
    listener.expect("granted")
}

pub(crate) async fn accepted(listener: &Listener) -> Connection {
    listener.accept().await.expect("no error").expect("not the end")
}
