//! What a primary holds of a worker's process, and what it has to tell its user.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::state::{Notice, WorkerStatus};
use crate::child_process::{Child, Exit};
use crate::error::Result;
use crate::ipc::{Channel, Message};

/// How many messages of the workers may wait for [`Primary::next_event`](super::Primary::next_event). Further ones stay in their
/// worker's channel, whose own limit then makes the worker wait.
const MESSAGES: usize = 64;

/// A worker's process and its channel.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u32,
    pub(super) pid: u32,
    pub(super) channel: Channel,
    child: Mutex<Child>,
    /// How the process has ended, until the user is told.
    pub(super) exit: Mutex<Option<Result<Exit>>>,
    /// Set when the cluster has forgotten the worker.
    pub(super) last_status: OnceLock<WorkerStatus>,
}

impl Member {
    pub(super) fn new(id: u32, child: Child, channel: Channel) -> Member {
        let pid = child.pid();
        Member { id, pid, channel, child: Mutex::new(child), exit: Mutex::default(), last_status: OnceLock::new() }
    }

    pub(super) fn with_child<T>(&self, use_it: impl FnOnce(&mut Child) -> T) -> T {
        use_it(&mut self.child.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Something that the user has not been told.
#[derive(Debug)]
pub(super) enum QueuedEvent {
    /// The worker is absent where the notice concerns none.
    Notice(Notice, Option<Arc<Member>>),
    Message(Arc<Member>, Message),
}

/// What the user has not been told, in its order.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    queue: Mutex<Queue>,
    /// Notified when there is more, or when there will be nothing more.
    pub(super) changed: Notify,
    /// Notified when there is room for a message again.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<QueuedEvent>,
    messages: usize,
}

impl EventQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, event: QueuedEvent) {
        let mut queue = self.lock();
        queue.messages += usize::from(matches!(event, QueuedEvent::Message(..)));
        queue.events.push_back(event);
        drop(queue);
        self.changed.notify_one();
    }

    pub(super) fn pop(&self) -> Option<QueuedEvent> {
        let mut queue = self.lock();
        let event = queue.events.pop_front()?;
        if matches!(event, QueuedEvent::Message(..)) {
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
            let room = self.room.notified();
            if self.lock().messages < MESSAGES {
                return;
            }
            room.await;
        }
    }
}
