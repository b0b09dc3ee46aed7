//! The cluster's messages, `{"cmd":"NODE_CLUSTER",…}`, as Node writes them. Each side numbers what it sends (`seq`); an answer carries
//! the number of its question (`ack`).

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::ipc::Message;
use crate::net::{AddressType, Endpoint};

/// The `cmd` of all of them.
const CLUSTER: &str = "NODE_CLUSTER";

// ANCHOR: envelope
/// A message on its way: `cmd`, the members of `body`, `seq`.
#[derive(Debug, Serialize)]
pub(super) struct Envelope<'a, B> {
    cmd: &'static str,
    #[serde(flatten)]
    body: &'a B,
    seq: u64,
}
// ANCHOR_END: envelope

impl<'a, B: Serialize> Envelope<'a, B> {
    pub(super) fn new(seq: u64, body: &'a B) -> Envelope<'a, B> {
        Envelope { cmd: CLUSTER, body, seq }
    }
}

// ANCHOR: act
/// What a worker tells its primary.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "act", rename_all = "camelCase")]
pub enum FromWorker {
    /// The worker runs.
    Online,
    /// The worker asks to listen. The primary answers with a [`Reply`].
    QueryServer(Box<Query>),
    /// The worker listens: its query, with the real port.
    Listening(Box<Query>),
    /// The worker has closed the server with this key.
    Close { key: Arc<str> },
    /// The worker is about to disconnect on its own, and waits for the acknowledgement.
    ExitedAfterDisconnect,
    /// The worker has closed connections that it had accepted. Ours alone: sent only to a primary that asked for it.
    Closed { key: Arc<str>, count: u64 },
    /// Whether the worker accepts the connection that `newconn` number `ack` handed over.
    #[serde(untagged)]
    Answer { ack: u64, accepted: bool },
}

/// What a primary tells its worker.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "act", rename_all = "camelCase")]
pub enum FromPrimary {
    /// Hands over a connection to the server with this key. The worker answers.
    Newconn { key: Arc<str> },
    /// Asks the worker to disconnect.
    Disconnect,
    /// Answers a query.
    #[serde(untagged)]
    Reply(Box<Reply>),
    /// Acknowledges `exitedAfterDisconnect`.
    #[serde(untagged)]
    Acknowledged { ack: u64 },
}
// ANCHOR_END: act

/// A received message with its number, if it has one.
pub(super) type Numbered<B> = (Option<u64>, B);

/// The number of a message of the cluster; `None` for any other message.
fn number(message: &Message) -> Option<Option<u64>> {
    (message.member::<&str>("cmd") == Some(CLUSTER)).then(|| message.member("seq"))
}

impl FromWorker {
    /// Reads a worker's message. `None` for one that makes no sense: Node ignores those, too.
    pub(super) fn read(message: &Message) -> Option<Numbered<FromWorker>> {
        let seq = number(message)?;
        let key = || message.member::<String>("key").map(Arc::from);
        let body = match message.member::<&str>("act") {
            Some("online") => FromWorker::Online,
            Some("queryServer") => FromWorker::QueryServer(Box::new(Query::read(message)?)),
            Some("listening") => FromWorker::Listening(Box::new(Query::read(message)?)),
            Some("close") => FromWorker::Close { key: key()? },
            Some("exitedAfterDisconnect") => FromWorker::ExitedAfterDisconnect,
            Some("closed") => FromWorker::Closed { key: key()?, count: message.member("count")? },
            Some(_) => return None,
            None => FromWorker::Answer { ack: message.member("ack")?, accepted: message.member("accepted")? },
        };
        Some((seq, body))
    }
}

impl FromPrimary {
    /// Reads a primary's message. `None` for one that makes no sense.
    pub(super) fn read(message: &Message) -> Option<Numbered<FromPrimary>> {
        let seq = number(message)?;
        let body = match (message.member::<&str>("act"), message.member("ack")) {
            (Some("newconn"), None) => FromPrimary::Newconn { key: message.member::<String>("key")?.into() },
            (Some("disconnect"), None) => FromPrimary::Disconnect,
            // The worker knows what it asked, and so whether this answers a query.
            (_, Some(ack)) => FromPrimary::Reply(Box::new(Reply::read(message, ack)?)),
            _ => return None,
        };
        Some((seq, body))
    }
}

/// A member that may be absent or null. `None` if it is of another type: then the message makes no sense.
fn optional<'a, T: Deserialize<'a>>(message: &'a Message, name: &str) -> Option<Option<T>> {
    if message.member::<&RawValue>(name).is_none() { Some(None) } else { message.member(name) }
}

/// What a worker wants to listen on.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// 0 for the first server of this worker on this address, 1 for the next, …
    pub index: u64,
    /// What TLS servers share: their ticket keys. All get those of the first worker.
    pub data: Option<Box<RawValue>>,
    /// A host's address, the absolute path of a Unix socket, or null for all addresses.
    pub address: Option<String>,
    /// 0 for a port that the kernel chooses, -1 for a Unix socket.
    pub port: Option<i64>,
    pub address_type: AddressType,
    /// The number of a descriptor in the primary; absent, null, or for UDP -1 when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fd: Option<Option<i64>>,
    /// libuv's flags: 1 for IPv6 only, 4 for `SO_REUSEADDR` (UDP).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<u32>,
    /// Node sends a number, 0 for its default, or `false`, which counts as absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readable_all: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writable_all: Option<bool>,
    /// Ours alone: this worker can report when connections are closed.
    #[serde(skip_serializing_if = "is_false")]
    pub closed: bool,
}

impl Query {
    /// IPv6 without IPv4-mapped addresses.
    pub(super) const IPV6_ONLY: u32 = 1;
    /// UDP with `SO_REUSEADDR`.
    pub(super) const REUSE_ADDRESS: u32 = 4;

    fn read(message: &Message) -> Option<Query> {
        Some(Query {
            index: optional(message, "index")?.unwrap_or_default(),
            data: optional(message, "data")?,
            address: optional(message, "address")?,
            port: optional(message, "port")?,
            address_type: optional(message, "addressType")?.unwrap_or_default(),
            fd: message.member("fd"),
            flags: optional(message, "flags")?,
            backlog: message.member("backlog"),
            readable_all: optional(message, "readableAll")?,
            writable_all: optional(message, "writableAll")?,
            closed: optional(message, "closed")?.unwrap_or_default(),
        })
    }

    // ANCHOR: key
    /// The name of the listener that this asks for, as Node 20 builds it: queries of several workers with the same key share a listener.
    /// Absent values are spelt as in JavaScript.
    pub fn key(&self) -> String {
        let or_null = |number: Option<i64>| number.map_or("null".to_owned(), |number| number.to_string());
        let fd = self.fd.map_or("undefined".to_owned(), or_null);
        let address = self.address.as_deref().unwrap_or("null");
        format!("{address}:{}:{}:{fd}:{}", or_null(self.port), self.address_type, self.index)
    }
    // ANCHOR_END: key

    /// The primary's descriptor to listen on.
    pub(super) fn descriptor(&self) -> Option<i64> {
        self.fd.flatten().filter(|fd| *fd >= 0)
    }

    fn has_flag(&self, flag: u32) -> bool {
        self.flags.unwrap_or_default() & flag != 0
    }

    /// What to bind for it.
    pub(super) fn endpoint(&self) -> Endpoint<'_> {
        Endpoint {
            kind: self.address_type,
            address: self.address.as_deref(),
            port: self.port.unwrap_or_default(),
            fd: self.descriptor(),
            ipv6_only: self.has_flag(Query::IPV6_ONLY),
            reuse_address: self.has_flag(Query::REUSE_ADDRESS),
            readable_all: self.readable_all == Some(true),
            writable_all: self.writable_all == Some(true),
        }
    }
}

/// The primary's answer to a [`Query`]. If a handle comes with it, the worker listens on that handle itself; without one, the primary
/// accepts and hands the connections over.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reply {
    /// Null or 0 for success, otherwise a negative error number.
    pub errno: Option<i32>,
    pub key: Option<String>,
    pub ack: u64,
    pub data: Option<Box<RawValue>>,
    /// Where the primary listens, if that is TCP.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "sockname")]
    pub sockname: Option<SocketAddr>,
    /// Ours alone: the worker is to report when connections are closed.
    #[serde(skip_serializing_if = "is_false")]
    pub closed: bool,
}

impl Reply {
    fn read(message: &Message, ack: u64) -> Option<Reply> {
        let address = |name: serde_json::Value| {
            let port = name["port"].as_u64().and_then(|port| u16::try_from(port).ok());
            Some(SocketAddr::new(name["address"].as_str()?.parse().ok()?, port?))
        };
        Some(Reply {
            errno: optional(message, "errno")?,
            key: optional(message, "key")?,
            ack,
            data: optional(message, "data")?,
            sockname: message.member("sockname").and_then(address),
            closed: optional(message, "closed")?.unwrap_or_default(),
        })
    }
}

/// An address as Node's `server.address()` has it.
fn sockname<S: Serializer>(address: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct SockName {
        address: String,
        family: &'static str,
        port: u16,
    }
    let family = |address: &SocketAddr| if address.is_ipv6() { "IPv6" } else { "IPv4" };
    let name = |address: &SocketAddr| SockName {
        address: address.ip().to_string(),
        family: family(address),
        port: address.port(),
    };
    address.as_ref().map(name).serialize(serializer)
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: impl Serialize) -> String {
        serde_json::to_string(&Envelope::new(7, &body)).expect("JSON")
    }

    fn query(members: &str) -> Query {
        let line = format!(r#"{{"cmd":"NODE_CLUSTER","act":"queryServer","seq":7,{members}}}"#);
        let message = Message::of_line(bytes::Bytes::from(line)).expect("a message");
        match FromWorker::read(&message) {
            Some((Some(7), FromWorker::QueryServer(query))) => *query,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_spelt_as_in_node() {
        assert_eq!(json(FromWorker::Online), r#"{"cmd":"NODE_CLUSTER","act":"online","seq":7}"#);
        let accepted = FromWorker::Answer { ack: 2, accepted: true };
        assert_eq!(json(accepted), r#"{"cmd":"NODE_CLUSTER","ack":2,"accepted":true,"seq":7}"#);
        let newconn = FromPrimary::Newconn { key: "a:1:4:undefined:0".into() };
        assert_eq!(json(newconn), r#"{"cmd":"NODE_CLUSTER","act":"newconn","key":"a:1:4:undefined:0","seq":7}"#);
        assert_eq!(json(FromPrimary::Acknowledged { ack: 3 }), r#"{"cmd":"NODE_CLUSTER","ack":3,"seq":7}"#);
        let key = Some("null:0:4:undefined:0".to_owned());
        let reply = Reply { key, ack: 1, sockname: "[::]:44639".parse().ok(), ..Reply::default() };
        let expected = r#"{"cmd":"NODE_CLUSTER","errno":null,"key":"null:0:4:undefined:0","ack":1,"data":null,"#
            .to_owned()
            + r#""sockname":{"address":"::","family":"IPv6","port":44639},"seq":7}"#;
        assert_eq!(json(FromPrimary::Reply(Box::new(reply))), expected);
    }

    #[test]
    fn a_query_is_read_as_it_was_written_and_names_its_listener() {
        let tcp = query(r#""index":0,"data":null,"address":null,"port":0,"addressType":4,"backlog":0"#);
        assert_eq!((tcp.key(), tcp.backlog), ("null:0:4:undefined:0".to_owned(), Some(0)));
        let written = r#"{"index":0,"data":null,"address":null,"port":0,"addressType":4,"backlog":0}"#;
        assert_eq!(serde_json::to_string(&tcp).expect("JSON"), written);
        let local = query(r#""index":1,"address":"127.0.0.1","port":81,"addressType":4,"flags":0,"backlog":false"#);
        assert_eq!((local.key(), local.backlog), ("127.0.0.1:81:4:undefined:1".to_owned(), None));
        let udp = query(r#""index":0,"data":null,"address":"0.0.0.0","port":9,"addressType":"udp4","fd":-1,"flags":4"#);
        assert_eq!(udp.key(), "0.0.0.0:9:udp4:-1:0");
        assert!(udp.descriptor().is_none() && udp.endpoint().reuse_address && udp.address_type.is_udp());
        let fd = query(r#""index":0,"data":null,"address":null,"port":null,"addressType":null,"fd":19,"backlog":0"#);
        assert_eq!((fd.key(), fd.descriptor()), ("null:null:null:19:0".to_owned(), Some(19)));
        let path = query(r#""index":0,"data":null,"address":"/tmp/s","port":-1,"addressType":-1,"backlog":0"#);
        assert_eq!(path.key(), "/tmp/s:-1:-1:undefined:0");
    }
}
