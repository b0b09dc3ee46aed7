//! Workers that are not the library's: one like Node's, and dishonest ones.

use forklore::cluster::state::{FromPrimary, FromWorker};

use super::honest::Sent;
use super::wire::Parcel;
use crate::step::{Kind, Port};

/// A worker without a state machine of the library.
#[derive(Debug)]
pub(crate) struct Stub {
    kind: Kind,
    next_seq: u64,
    /// The numbers of connections that it was handed and has not answered for.
    pub(crate) received: Vec<u64>,
    /// What it listens on.
    pub(crate) keys: Vec<String>,
    pub(super) descriptors: usize,
    /// It closes its end of the channel.
    pub(crate) leaves: bool,
}

impl Stub {
    pub(super) fn new(kind: Kind) -> Stub {
        Stub { kind, next_seq: 0, received: Vec::new(), keys: Vec::new(), descriptors: 0, leaves: false }
    }

    pub(super) fn say(&mut self, message: FromWorker, sent: &mut Sent) {
        sent.push((self.next_seq, message));
        self.next_seq += 1;
    }

    pub(crate) fn query(&mut self, port: Port, sent: &mut Sent) {
        let mut query = port.query();
        query.closed = self.kind != Kind::Node;
        self.say(FromWorker::QueryServer(query), sent);
    }

    /// Reads a message. Returns the connection that it takes.
    pub(super) fn arrived(
        &mut self,
        (seq, message): (u64, FromPrimary),
        parcel: Option<Parcel>,
        sent: &mut Sent,
    ) -> Option<Parcel> {
        self.descriptors += usize::from(parcel.is_some());
        match message {
            FromPrimary::Newconn { key } if self.kind.accepts() && self.keys.iter().any(|known| **known == *key) => {
                self.say(FromWorker::Answer { ack: seq, accepted: true }, sent);
                return parcel;
            }
            FromPrimary::Newconn { .. } if self.kind == Kind::Liar => self.received.push(seq),
            FromPrimary::Newconn { .. } => {
                self.descriptors -= usize::from(parcel.is_some());
                self.say(FromWorker::Answer { ack: seq, accepted: false }, sent);
            }
            FromPrimary::Reply(reply) if reply.errno.unwrap_or_default() == 0 => self.keys.extend(reply.key),
            FromPrimary::Disconnect if self.kind != Kind::Liar => {
                for key in std::mem::take(&mut self.keys) {
                    self.say(FromWorker::Close { key: key.into() }, sent);
                }
                self.leaves = true;
            }
            FromPrimary::Acknowledged { .. } => self.leaves |= self.kind != Kind::Liar,
            FromPrimary::Disconnect | FromPrimary::Reply(_) => {}
        }
        None
    }
}
