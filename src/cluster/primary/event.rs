//! What happens in a cluster, in the order in which it happened.

use std::sync::{Arc, PoisonError};

use nix::errno::Errno;

use super::Worker;
use super::address::Address;
use super::member::QueuedEvent;
use super::run::Cluster;
use super::state::Notice;
use crate::child_process::Exit;
use crate::error::Error;
use crate::ipc::Message;

/// What happens in a cluster: Node's events, and two that it does not have.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker was started.
    Fork(Worker),
    /// It runs, and speaks the cluster's protocol.
    Online(Worker),
    /// It listens on an address, or is handed the connections to it.
    Listening(Worker, Address),
    /// It has sent a message.
    Message(Worker, Message),
    /// Its channel has ended, after all of its messages. The process may still run.
    Disconnect(Worker),
    /// Its process has ended, and how; the error is that of waiting for it. This follows [`Event::Disconnect`].
    Exit(Worker, Result<Exit, Error>),
    /// It has not answered for longer than [`Options::answer_limit`](super::Options::answer_limit), and was sent SIGKILL. Its
    /// connections move on when it has ended.
    Silent(Worker),
    /// Connections could not be accepted and stay in the kernel's backlog; the primary goes on trying. Reported once for each failure that
    /// lasts.
    AcceptFailed(Address, Error),
}

impl Event {
    /// `None` for what concerns a worker that is not there, which does not occur.
    pub(super) fn new(queued: QueuedEvent, cluster: &Arc<Cluster>) -> Option<Event> {
        let (notice, member) = match queued {
            QueuedEvent::Message(member, message) => {
                return Some(Event::Message(Worker::new(member, cluster), message));
            }
            QueuedEvent::Notice(Notice::AcceptFailed(address, errno), _) => {
                let error = Error::system("accept a connection on", address.to_string(), Errno::from_raw(errno));
                return Some(Event::AcceptFailed(address, error));
            }
            QueuedEvent::Notice(notice, member) => (notice, member?),
        };
        let exit = || member.exit.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(match notice {
            Notice::Fork(_) => Event::Fork(Worker::new(member, cluster)),
            Notice::Online(_) => Event::Online(Worker::new(member, cluster)),
            Notice::Listening(_, address) => Event::Listening(Worker::new(member, cluster), address),
            Notice::Disconnect(_) => Event::Disconnect(Worker::new(member, cluster)),
            Notice::Exit(_) => {
                let exit = exit()?;
                Event::Exit(Worker::new(member, cluster), exit)
            }
            Notice::Silent(_) => Event::Silent(Worker::new(member, cluster)),
            Notice::AcceptFailed(..) => return None,
        })
    }
}
