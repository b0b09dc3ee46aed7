//! The messages of the cluster, `{"cmd":"NODE_CLUSTER",…}`, as Node 20 writes them. Both sides number what they send (`seq`); an answer
//! names the number of its question (`ack`).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::ipc::Message;
use crate::net::{AddressType, Endpoint};

/// The `cmd` of all of them.
const CLUSTER: &str = "NODE_CLUSTER";

/// Numbers what a process sends: one sequence for all of its channels, as in Node.
#[derive(Debug, Default)]
pub(super) struct Sequence(AtomicU64);

impl Sequence {
    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

// ANCHOR: envelope
/// What is to be sent: `cmd`, the members of `body`, `seq`.
#[derive(Debug, Serialize)]
pub(super) struct Outgoing<B> {
    cmd: &'static str,
    #[serde(flatten)]
    body: B,
    seq: u64,
}
// ANCHOR_END: envelope

impl<B: Serialize> Outgoing<B> {
    pub(super) fn new(seq: u64, body: B) -> Outgoing<B> {
        Outgoing { cmd: CLUSTER, body, seq }
    }
}

/// What a message is about, and which question it answers. The rest is read by [`body`], as what `act` says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    cmd: String,
    pub(super) act: Option<Act>,
    pub(super) seq: Option<u64>,
    pub(super) ack: Option<u64>,
    pub(super) accepted: Option<bool>,
    pub(super) key: Option<String>,
    pub(super) count: Option<u64>,
}

impl Head {
    /// None for what is no message of the cluster, or none that could be understood: Node ignores these, too.
    pub(super) fn of(message: &Message) -> Option<Head> {
        message.decode::<Head>().ok().filter(|head| head.cmd == CLUSTER)
    }
}

/// The members of a message besides its [`Head`]; none when they are not what they should be.
pub(super) fn body<'a, B: Deserialize<'a>>(message: &'a Message) -> Option<B> {
    message.decode().ok()
}

// ANCHOR: act
/// What is to be done, or has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Act {
    /// The worker runs.
    Online,
    /// The worker wants to listen: [`Query`]. Answered by a [`Reply`].
    QueryServer,
    /// The worker listens: a [`Query`] with the real port.
    Listening,
    /// The worker has closed the server of a key.
    Close,
    /// The worker is going to disconnect by itself. Answered, and the worker waits for it.
    ExitedAfterDisconnect,
    /// The primary hands over a connection. Answered by [`Accepted`].
    Newconn,
    /// The primary asks the worker to disconnect.
    Disconnect,
    /// Ours alone: so many connections of a key, which the worker had taken, are closed. Sent only to a primary that asked for it.
    Closed,
    #[serde(other)]
    Unknown,
}
// ANCHOR_END: act

/// A message with an act and no more than a key and a count.
#[derive(Debug, Serialize)]
pub(super) struct Plain<'a> {
    pub(super) act: Act,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
}

impl Plain<'_> {
    pub(super) fn act(act: Act) -> Plain<'static> {
        Plain { act, key: None, count: None }
    }
}

/// An answer without content.
#[derive(Debug, Serialize)]
pub(super) struct Acknowledged {
    pub(super) ack: u64,
}

/// The worker's answer to a connection that it was handed.
#[derive(Debug, Serialize)]
pub(super) struct Accepted {
    pub(super) ack: u64,
    pub(super) accepted: bool,
}

/// What a worker wants to listen on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    /// 0 for the first server of this worker on this address, 1 for the next, …
    #[serde(default)]
    pub(super) index: u64,
    /// What TLS servers share: their ticket keys. The first worker's is everybody's.
    #[serde(default)]
    pub(super) data: Option<Box<RawValue>>,
    /// A host's address, the absolute path of a Unix socket, or null for all addresses.
    #[serde(default)]
    pub(super) address: Option<String>,
    /// 0 for one that the kernel chooses, -1 for a Unix socket.
    #[serde(default)]
    pub(super) port: Option<i64>,
    #[serde(default)]
    pub(super) address_type: AddressType,
    /// The number of a descriptor in the primary; absent, null, or for UDP -1 when there is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) fd: Option<Option<i64>>,
    /// libuv's: 1 for IPv6 only, 4 for `SO_REUSEADDR` (UDP).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flags: Option<u32>,
    /// Node sends a number, 0 for its default, or `false`.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub(super) backlog: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) readable_all: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) writable_all: Option<bool>,
    /// Ours alone: this worker can say when connections are closed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) closed: bool,
}

impl Query {
    /// IPv6 without IPv4-mapped addresses.
    pub(super) const IPV6_ONLY: u32 = 1;
    /// UDP with `SO_REUSEADDR`.
    pub(super) const REUSE_ADDRESS: u32 = 4;

    // ANCHOR: key
    /// The name of the listener that this asks for, as Node 20 builds it: the same from several workers is the same listener. What is not
    /// there has JavaScript's spelling.
    pub(super) fn key(&self) -> String {
        let or_null = |number: Option<i64>| number.map_or("null".to_owned(), |number| number.to_string());
        let fd = self.fd.map_or("undefined".to_owned(), or_null);
        let address = self.address.as_deref().unwrap_or("null");
        format!("{address}:{}:{}:{fd}:{}", or_null(self.port), self.address_type, self.index)
    }
    // ANCHOR_END: key

    /// The descriptor of the primary that is to be listened on.
    pub(super) fn descriptor(&self) -> Option<i64> {
        self.fd.flatten().filter(|fd| *fd >= 0)
    }

    pub(super) fn has_flag(&self, flag: u32) -> bool {
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

/// A member that is there, even if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A number; anything else is as good as absent.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let value = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(value.get()).ok())
}

/// The primary's answer to a [`Query`]. With a handle the worker listens on that one itself; without, the primary does and hands over the
/// connections.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    /// Null or 0 when all went well, otherwise a negative error number.
    #[serde(default)]
    pub(super) errno: Option<i32>,
    #[serde(default)]
    pub(super) key: Option<String>,
    pub(super) ack: u64,
    #[serde(default)]
    pub(super) data: Option<Box<RawValue>>,
    /// Where the primary listens, if that is TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sockname: Option<SockName>,
    /// Ours alone: the worker is to say when connections are closed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) closed: bool,
}

/// An address as Node's `server.address()` has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SockName {
    pub(super) address: String,
    pub(super) family: String,
    pub(super) port: u16,
}

impl From<SocketAddr> for SockName {
    fn from(address: SocketAddr) -> SockName {
        let family = if address.is_ipv6() { "IPv6" } else { "IPv4" };
        SockName { address: address.ip().to_string(), family: family.to_owned(), port: address.port() }
    }
}

impl SockName {
    pub(super) fn socket_address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.address.parse().ok()?, self.port))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: impl Serialize) -> String {
        serde_json::to_string(&Outgoing::new(7, body)).expect("JSON")
    }

    #[test]
    fn messages_are_spelt_as_in_node() {
        assert_eq!(json(Plain::act(Act::Online)), r#"{"cmd":"NODE_CLUSTER","act":"online","seq":7}"#);
        let accepted = Accepted { ack: 2, accepted: true };
        assert_eq!(json(accepted), r#"{"cmd":"NODE_CLUSTER","ack":2,"accepted":true,"seq":7}"#);
        let address = "[::]:44639".parse::<SocketAddr>().expect("an address");
        let key = Some("null:0:4:undefined:0".to_owned());
        let reply = Reply { errno: None, key, ack: 1, data: None, sockname: Some(address.into()), closed: false };
        let wanted = r#"{"cmd":"NODE_CLUSTER","errno":null,"key":"null:0:4:undefined:0","ack":1,"data":null,"#
            .to_owned()
            + r#""sockname":{"address":"::","family":"IPv6","port":44639},"seq":7}"#;
        assert_eq!(json(reply), wanted);
    }

    #[test]
    fn a_query_survives_the_way_and_names_its_listener() {
        let of = |json: &str| serde_json::from_str::<Query>(json).expect("a query");
        let tcp = r#"{"index":0,"data":null,"address":null,"port":0,"addressType":4,"backlog":0}"#;
        assert_eq!((of(tcp).key(), of(tcp).backlog), ("null:0:4:undefined:0".to_owned(), Some(0)));
        assert_eq!(serde_json::to_string(&of(tcp)).expect("JSON"), tcp);
        let local = of(r#"{"index":1,"address":"127.0.0.1","port":81,"addressType":4,"flags":0,"backlog":false}"#);
        assert_eq!((local.key(), local.backlog), ("127.0.0.1:81:4:undefined:1".to_owned(), None));
        let udp = of(r#"{"index":0,"data":null,"address":"0.0.0.0","port":9,"addressType":"udp4","fd":-1,"flags":4}"#);
        assert_eq!(udp.key(), "0.0.0.0:9:udp4:-1:0");
        assert!(udp.descriptor().is_none() && udp.has_flag(Query::REUSE_ADDRESS) && udp.address_type.is_udp());
        let fd = of(r#"{"index":0,"data":null,"address":null,"port":null,"addressType":null,"fd":19,"backlog":0}"#);
        assert_eq!((fd.key(), fd.descriptor()), ("null:null:null:19:0".to_owned(), Some(19)));
        let path = of(r#"{"index":0,"data":null,"address":"/tmp/s","port":-1,"addressType":-1,"backlog":0}"#);
        assert_eq!(path.key(), "/tmp/s:-1:-1:undefined:0");
    }
}
