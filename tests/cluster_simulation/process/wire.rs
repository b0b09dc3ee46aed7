//! What is on its way between a primary and a worker.

use forklore::cluster::state::primary::{ConnectionId, Delivery, ListenerId};
use forklore::cluster::state::{FromPrimary, FromWorker};

use super::Process;

/// A channel stands still when more than so many messages wait in it.
const STALLED_AT: usize = 18;

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

impl Process {
    /// Whether it leaves unread what it was sent.
    pub(crate) fn is_stalled(&self) -> bool {
        !self.is_broken && self.down.len() > STALLED_AT
    }

    /// Which of what came from it the primary handles next. `only_back`: the next handle, which may overtake messages.
    pub(crate) fn next_up(&self, only_back: bool) -> Option<usize> {
        match only_back || self.is_paused || self.is_stalled() {
            true => self.up.iter().position(|up| matches!(up, Up::Back(..))),
            false => (!self.up.is_empty()).then_some(0),
        }
    }
}
