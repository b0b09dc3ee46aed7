//! What arrived and waits for its receiver.

use std::collections::VecDeque;
use std::mem;

use super::message::Message;

/// How much may wait for a user that does not receive, as [`Message::cost`] counts it. Then the channel is not read,
/// and the peer has to wait.
pub(super) const INBOX_LIMIT: usize = 16 * 1024 * 1024;

/// The limit while we wait for something that may be among what was not read: the acknowledgement of a handle, an
/// answer. With the lower limit two processes that both send handles before they receive would wait forever.
pub(super) const WAITING_LIMIT: usize = 256 * 1024 * 1024;

/// The messages that wait for a user.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    /// The internal messages, if the user asked for them.
    internal: VecDeque<Message>,
    /// The cost of both, as [`Message::cost`] counts it.
    cost: usize,
    /// The driver reads again when the cost is not above this.
    stalled_at: Option<usize>,
    /// Every user is gone, or one has received what is not JSON.
    unwanted: bool,
}

impl Inbox {
    /// Moves messages to the user. When no user is left they stay where they are. Returns whether any moved.
    pub(super) fn deliver(&mut self, arrived: &mut Vec<Message>) -> bool {
        if arrived.is_empty() || self.unwanted {
            return false;
        }
        for message in arrived.drain(..) {
            self.cost += message.cost();
            if message.is_internal() { &mut self.internal } else { &mut self.messages }.push_back(message);
        }
        true
    }

    /// Takes the next message of the user, or the next internal one.
    pub(super) fn take(&mut self, internal: bool) -> Option<Message> {
        let message = if internal { &mut self.internal } else { &mut self.messages }.pop_front()?;
        self.cost -= message.cost();
        Some(message)
    }

    /// Takes the messages, or the internal ones. No more will be delivered.
    pub(super) fn refuse(&mut self, internal: bool) -> VecDeque<Message> {
        self.unwanted = true;
        let refused = mem::take(if internal { &mut self.internal } else { &mut self.messages });
        self.cost -= refused.iter().map(Message::cost).sum::<usize>();
        refused
    }

    /// Whether more than `limit` waits. Then nothing more is to be read until [`has_room_again`](Inbox::has_room_again).
    pub(super) fn is_above(&mut self, limit: usize) -> bool {
        self.stalled_at = (self.cost > limit).then_some(limit);
        self.stalled_at.is_some()
    }

    /// Whether the driver stands still for a limit that is no longer exceeded.
    pub(super) fn has_room_again(&self) -> bool {
        self.stalled_at.is_some_and(|limit| self.cost <= limit)
    }
}
