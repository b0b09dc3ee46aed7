//! Servers, as the worker's state machine knows them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::interface::{HandleId, RequestId};
use crate::cluster::protocol::Query;

/// A wish to listen that the primary has not answered.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) request: RequestId,
    pub(super) query: Box<Query>,
    /// The key of the first server on the same address.
    pub(super) place: String,
}

/// The servers on one address.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The number of the next one.
    pub(super) next: u64,
    /// How many there are.
    pub(super) live: usize,
}

/// Where connections come from: the primary, or a socket of this process.
#[derive(Debug)]
pub(super) struct Server {
    /// What the primary knows of it; `None` for a server of this process alone.
    pub(super) known: Option<Known>,
    /// What was handed over and not taken, by the number of the message. Still the primary's.
    pub(super) waiting: VecDeque<(u64, HandleId)>,
    /// The worker accepts from a socket.
    pub(super) accepts: bool,
    /// Connections that were taken and not closed.
    pub(super) open: usize,
    /// How many may be open, including those that wait.
    pub(super) limit: usize,
    pub(super) is_closed: bool,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) key: Arc<str>,
    pub(super) place: String,
    pub(super) query: Box<Query>,
    /// The primary wants to know when its connections are closed.
    pub(super) reports: bool,
}

impl Server {
    pub(super) fn new(known: Option<Known>, accepts: bool) -> Server {
        Server { known, waiting: VecDeque::new(), accepts, open: 0, limit: usize::MAX, is_closed: false }
    }

    /// Its key, if closings are to be reported.
    pub(super) fn reported_key(&self) -> Option<&Arc<str>> {
        self.known.as_ref().filter(|known| known.reports).map(|known| &known.key)
    }
}
