//! What happens in a cluster, in the order in which it happened.

use std::sync::{Arc, PoisonError};

use nix::errno::Errno;

use super::Worker;
use super::address::Address;
use super::member::{Disconnection, Member, QueuedEvent};
use super::run::Cluster;
use super::state::Notice;
use crate::child_process::Exit;
use crate::error::Error;
use crate::ipc::Message;

/// What happens in a cluster: Node's events, and some that Node does not have.
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
    /// Its channel has ended, after all of its messages, and how. The process may still run.
    Disconnect(Worker, Disconnection),
    /// Its process has ended, and how; the error is that of waiting for it. This follows [`Event::Disconnect`].
    Exit(Worker, Result<Exit, Error>),
    /// It has not answered for longer than [`Options::answer_limit`](super::Options::answer_limit), and was sent SIGKILL. Its
    /// connections move on when it has ended.
    Silent(Worker),
    /// It has left unread what it was sent for longer than [`Options::stall_limit`](super::Options::stall_limit), and was sent SIGKILL: what
    /// the primary keeps for it must not grow forever.
    Stalled(Worker),
    /// It has asked to listen on a descriptor that [`Options::allow_descriptor`](super::Options::allow_descriptor) has not announced, and was
    /// refused. Reported once for each worker.
    DescriptorRefused(Worker, Address),
    /// A listener was closed that has had no worker for [`Options::idle_listener_limit`](super::Options::idle_listener_limit).
    ListenerClosed(Address),
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
            QueuedEvent::Notice(notice, member) => (notice, member),
        };
        let worker = |member: Arc<Member>| Worker::new(member, cluster);
        Some(match (notice, member) {
            (Notice::AcceptFailed(address, errno), _) => {
                let error = Error::system("accept a connection on", address.to_string(), Errno::from_raw(errno));
                Event::AcceptFailed(address, error)
            }
            (Notice::ListenerClosed(address), _) => Event::ListenerClosed(address),
            (_, None) => return None,
            (Notice::Fork(_), Some(member)) => Event::Fork(worker(member)),
            (Notice::Online(_), Some(member)) => Event::Online(worker(member)),
            (Notice::Listening(_, address), Some(member)) => Event::Listening(worker(member), address),
            (Notice::Disconnect(_), Some(member)) => {
                let how = member.disconnection()?;
                Event::Disconnect(worker(member), how)
            }
            (Notice::Exit(_), Some(member)) => {
                let exit = member.exit.lock().unwrap_or_else(PoisonError::into_inner).take()?;
                Event::Exit(worker(member), exit)
            }
            (Notice::Silent(_), Some(member)) => Event::Silent(worker(member)),
            (Notice::Stalled(_), Some(member)) => Event::Stalled(worker(member)),
            (Notice::DescriptorRefused(_, address), Some(member)) => Event::DescriptorRefused(worker(member), address),
        })
    }
}
