//! What is on its way between a primary and a worker.

use forklore::cluster::state::primary::{ConnectionId, Delivery, ListenerId};
use forklore::cluster::state::{FromPrimary, FromWorker};

/// A handle on its way to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parcel {
    Connection(ConnectionId),
    Listener { listener: ListenerId, ack: u64 },
}

/// What a worker has not read.
#[derive(Debug)]
pub(crate) enum Down {
    Message { seq: u64, message: FromPrimary, parcel: Option<Parcel> },
    End,
}

/// What the primary has not handled.
#[derive(Debug)]
pub(crate) enum Up {
    /// What became of a handle.
    Back(Parcel, Delivery),
    Message(Option<u64>, FromWorker),
    End,
}
