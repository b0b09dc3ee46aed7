//! What a primary holds of a worker's process, and what it has to tell its user.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::state::{Notice, WorkerStatus};
use crate::child_process::{Child, Exit};
use crate::error::{Error, Result};
use crate::ipc::{Channel, Ending, Message};

/// How many messages of the workers may wait for [`Primary::next_event`](super::Primary::next_event). Further ones stay in their
/// worker's channel, whose own limit then makes the worker wait.
const MESSAGES: usize = 64;

/// How many bytes these messages may have together, not counting the last of them.
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// How many other events of one worker may wait. Then its messages to the cluster stay in its channel, too.
const EVENTS: usize = 64;

/// A worker's process and its channel.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u32,
    pub(super) pid: u32,
    pub(super) channel: Channel,
    child: Mutex<Child>,
    /// Its messages of the cluster are not read for the moment.
    is_paused: AtomicBool,
    /// How many events that its messages caused the user has not received.
    queued: AtomicUsize,
    /// Notified when its messages may be read again.
    pub(super) resumed: Notify,
    /// The error that ended its channel, if one did.
    failure: OnceLock<Arc<Error>>,
    /// How the process has ended, until the user is told.
    pub(super) exit: Mutex<Option<Result<Exit>>>,
    /// Set when the cluster has forgotten the worker.
    pub(super) last_status: OnceLock<WorkerStatus>,
}

impl Member {
    pub(super) fn new(id: u32, child: Child, channel: Channel) -> Member {
        Member {
            id,
            pid: child.pid(),
            channel,
            child: Mutex::new(child),
            is_paused: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
            resumed: Notify::new(),
            failure: OnceLock::new(),
            exit: Mutex::default(),
            last_status: OnceLock::new(),
        }
    }

    /// Whether the next message of the cluster may be read.
    pub(super) fn may_read(&self) -> bool {
        !self.is_paused.load(Ordering::Acquire) && self.queued.load(Ordering::Acquire) < EVENTS
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.is_paused.store(paused, Ordering::Release);
        self.resumed.notify_one();
    }

    /// Its channel has ended with an error.
    pub(super) fn failed(&self, error: Error) {
        let _ = self.failure.set(Arc::new(error));
    }

    /// How its channel has ended; `None` while it is open.
    pub(super) fn disconnection(&self) -> Option<Disconnection> {
        Some(Disconnection { ending: self.channel.ending()?, error: self.failure.get().cloned() })
    }

    pub(super) fn with_child<T>(&self, use_it: impl FnOnce(&mut Child) -> T) -> T {
        use_it(&mut self.child.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How a worker's channel has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Disconnection {
    /// What the kernel and the channel say.
    pub ending: Ending,
    /// What the worker sent that is not allowed, or what failed, if the channel ended for that: [`Ending::Failed`].
    pub error: Option<Arc<Error>>,
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
    /// The bytes of these messages.
    bytes: usize,
}

impl EventQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, event: QueuedEvent) {
        let mut queue = self.lock();
        match &event {
            QueuedEvent::Message(_, message) => {
                queue.messages += 1;
                queue.bytes += message.json().len();
            }
            QueuedEvent::Notice(_, Some(member)) => {
                member.queued.fetch_add(1, Ordering::AcqRel);
            }
            QueuedEvent::Notice(_, None) => {}
        }
        queue.events.push_back(event);
        drop(queue);
        self.changed.notify_one();
    }

    pub(super) fn pop(&self) -> Option<QueuedEvent> {
        let mut queue = self.lock();
        let event = queue.events.pop_front()?;
        match &event {
            QueuedEvent::Message(_, message) => {
                queue.messages -= 1;
                queue.bytes -= message.json().len();
                self.room.notify_waiters();
            }
            QueuedEvent::Notice(_, Some(member)) => {
                if member.queued.fetch_sub(1, Ordering::AcqRel) == EVENTS {
                    member.resumed.notify_one();
                }
            }
            QueuedEvent::Notice(_, None) => {}
        }
        Some(event)
    }

    /// Waits until there is room for a message.
    pub(super) async fn has_room(&self) {
        loop {
            let room = self.room.notified();
            {
                let queue = self.lock();
                if queue.messages < MESSAGES && queue.bytes < MESSAGE_BYTES {
                    return;
                }
            }
            room.await;
        }
    }
}
