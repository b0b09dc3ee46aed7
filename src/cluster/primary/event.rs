//! What happens in a cluster, in the order in which it happened.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Worker;
use crate::child_process::Exit;
use crate::cluster::protocol::Query;
use crate::error::Error;
use crate::ipc::Message;
use crate::net::AddressType;

/// How many messages of the workers may wait for [`Primary::next_event`](super::Primary::next_event). What exceeds it waits in
/// its worker's channel, whose own limit then makes the worker wait.
const MESSAGES: usize = 64;

/// What happens in a cluster: Node's events, and two that it does not have.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker was started.
    Fork(Worker),
    /// It runs, and speaks the cluster's protocol.
    Online(Worker),
    /// It listens on an address, or has those that connect to it handed over.
    Listening(Worker, Address),
    /// It has sent a message.
    Message(Worker, Message),
    /// Its channel has ended, after all of its messages. The process may still run.
    Disconnect(Worker),
    /// Its process has ended, and how: the error is that of waiting for it. It comes after [`Event::Disconnect`].
    Exit(Worker, Result<Exit, Error>),
    /// It has not answered for longer than [`Options::answer_limit`](super::Options::answer_limit), and was sent SIGKILL. Its
    /// connections move on when it has ended.
    Silent(Worker),
    /// Connections could not be accepted, and stay in the kernel's backlog; it is tried again. Said once for each such time.
    AcceptFailed(Address, Error),
}

/// What a worker listens on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Address {
    /// A host's address or the path of a Unix socket; none for all addresses, or for a descriptor.
    pub address: Option<String>,
    /// The port; 0 where there is none.
    pub port: u16,
    /// Its kind.
    pub address_type: AddressType,
    /// The number of a descriptor in the primary, if that is listened on.
    pub fd: Option<i64>,
}

impl Address {
    pub(super) fn of(query: &Query) -> Address {
        let port = query.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
        Address { address: query.address.clone(), port, address_type: query.address_type, fd: query.descriptor() }
    }
}

impl fmt::Display for Address {
    /// `127.0.0.1:8000`, `[::1]:8000`, `*:8000` for all addresses, `/run/app.sock`, `descriptor 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.fd) {
            (None, Some(fd)) => write!(f, "descriptor {fd}"),
            (Some(path), _) if self.address_type == AddressType::Unix => f.write_str(path),
            (Some(host), _) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            (Some(host), _) => write!(f, "{host}:{}", self.port),
            (None, None) => write!(f, "*:{}", self.port),
        }
    }
}

/// Events that nobody has received.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: Mutex<Queue>,
    /// Told when there is another one, or when there will be none.
    pub(super) news: Notify,
    /// Told when there is room for a message again.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    messages: usize,
}

impl Events {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, event: Event) {
        let mut queue = self.lock();
        queue.messages += usize::from(matches!(event, Event::Message(..)));
        queue.events.push_back(event);
        drop(queue);
        self.news.notify_one();
    }

    pub(super) fn pop(&self) -> Option<Event> {
        let mut queue = self.lock();
        let event = queue.events.pop_front()?;
        if matches!(event, Event::Message(..)) {
            queue.messages -= 1;
            if queue.messages == MESSAGES - 1 {
                self.room.notify_waiters();
            }
        }
        Some(event)
    }

    /// Waits until there is room for a message.
    pub(super) async fn has_room(&self) {
        loop {
            let told = self.room.notified();
            if self.lock().messages < MESSAGES {
                return;
            }
            told.await;
        }
    }
}
