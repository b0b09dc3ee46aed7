//! What the users of a channel and its driver share.

use std::mem;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use super::counts::Counts;
use super::inbox::{INBOX_LIMIT, Inbox, WAITING_LIMIT};
use super::message::Message;
use super::outcome::Ending;
use super::outgoing::Outgoing;
use super::queue::{Entry, Queue};
use crate::error::{Error, ErrorKind, Result};

/// How much may wait for a peer that is not trusted, before nothing more is read from it: a peer that asks and never reads the answers
/// would fill our memory with them.
const BACKLOG_LIMIT: usize = 1024 * 1024;

/// A channel without its socket.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// What error messages call the process at the other end.
    pub(super) peer: String,
    /// The number of our end's descriptor while the channel is open.
    pub(super) number: RawFd,
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) queue: Queue,
    inbox: Inbox,
    /// The peer's process has exited, and its parent may wait for the end of what it sent. A limit applies all the
    /// same: a process that it started may hold the channel and go on sending.
    peer_exited: bool,
    /// The peer's process has exited, and other holders of its end do not count: the channel ends after what arrived.
    pub(super) severed: bool,
    /// Nothing more may be posted: we are disconnecting, or the peer does not read any more.
    pub(super) closing: bool,
    /// How the channel ended: set when its socket is closed, or just before that when a user receives what is not JSON.
    pub(super) ending: Option<Ending>,
    /// The error that ended it, until a user has received it.
    failure: Option<Error>,
    /// Wakes the driver; `None` while it is awake.
    driver: Option<Waker>,
    /// Tasks that wait for a message or for the end.
    receivers: Waiters,
    /// Tasks that wait for room, or until everything is sent.
    senders: Waiters,
    pub(super) counts: Counts,
    /// The peer is not trusted: see [`Settings::of_primary`](super::Settings::of_primary).
    bounded: bool,
    /// The peer leaves unread what it is sent, so that nothing more is read from it.
    stalled: bool,
    /// What the user was told of that.
    stall_told: bool,
}

/// Tasks that wait for something.
#[derive(Debug, Default)]
struct Waiters(Vec<Waker>);

impl Waiters {
    fn add(&mut self, waker: &Waker) {
        if !self.0.iter().any(|known| known.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    fn wake(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

/// Disconnects when the last user is gone.
pub(super) struct Users(pub(super) Arc<Mailbox>);

impl Drop for Users {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Mailbox {
    pub(super) fn new(peer: String, number: RawFd, bounded: bool) -> Mailbox {
        Mailbox { peer, number, contents: Mutex::new(Contents { bounded, ..Contents::default() }) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn error(&self, operation: &'static str, kind: ErrorKind) -> Error {
        Error::new(operation, self.peer.clone(), kind)
    }

    pub(super) fn closed(&self, operation: &'static str) -> Error {
        self.error(operation, ErrorKind::ChannelClosed)
    }

    /// Adds a line. Returns whether there is room for more, and memory for the next line.
    pub(super) fn post(&self, line: Vec<u8>) -> Result<(bool, Vec<u8>)> {
        let mut contents = self.lock();
        if contents.closing {
            return Err(self.closed("send to"));
        }
        let memory = contents.queue.push_line(line);
        contents.wake_driver();
        Ok((contents.queue.has_room(), memory))
    }

    /// Waits until the peer begins to leave unread what it is sent, or reads again.
    pub(super) fn poll_stall(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut contents = self.lock();
        if contents.stalled != contents.stall_told {
            contents.stall_told = contents.stalled;
            return Poll::Ready(contents.stalled);
        }
        contents.receivers.add(context.waker());
        Poll::Pending
    }

    /// Waits for room for another message.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut contents = self.lock();
        if contents.closing {
            return Poll::Ready(Err(self.closed("send to")));
        }
        if contents.queue.has_room() {
            return Poll::Ready(Ok(()));
        }
        contents.senders.add(context.waker());
        Poll::Pending
    }

    /// Waits until the kernel has taken everything that was posted when `mark` was.
    pub(super) fn poll_passed(&self, mark: u64, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut contents = self.lock();
        if contents.queue.has_passed(mark) {
            return Poll::Ready(Ok(()));
        }
        if contents.ending.is_some() {
            return Poll::Ready(Err(self.closed("flush what was sent to")));
        }
        contents.senders.add(context.waker());
        Poll::Pending
    }

    /// Takes the next message of the user, or the next internal one; `None` after the end.
    pub(super) fn poll_message(&self, internal: bool, context: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        let mut contents = self.lock();
        if let Some(message) = contents.inbox.take(internal) {
            if contents.inbox.has_room_again() {
                contents.wake_driver();
            }
            return Poll::Ready(Ok(Some(message)));
        }
        if contents.ending.is_some() {
            return Poll::Ready(contents.failure.take().map_or(Ok(None), Err));
        }
        contents.receivers.add(context.waker());
        Poll::Pending
    }

    pub(super) fn poll_ending(&self, context: &mut Context<'_>) -> Poll<Ending> {
        let mut contents = self.lock();
        if let Some(ending) = contents.ending {
            return Poll::Ready(ending);
        }
        contents.receivers.add(context.waker());
        Poll::Pending
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.lock().ending
    }

    /// Checks a message that was taken. One that is not JSON ends the channel, and what came after it is dropped.
    pub(super) fn checked(&self, message: Message) -> Result<Message> {
        message.checked().map_err(|kind| {
            let mut contents = self.lock();
            let later = contents.inbox.refuse(false);
            self.end_locked(contents, Ending::Failed, None);
            drop(later);
            self.error("receive from", kind)
        })
    }

    /// Begins the end: the driver sends what was posted, waits for what is not acknowledged, then closes the socket.
    pub(super) fn close(&self) {
        let mut contents = self.lock();
        contents.closing = true;
        // There will be no more room.
        contents.senders.wake();
        contents.wake_driver();
    }

    /// Drops what arrived, and whatever arrives until the end: the last user is gone.
    pub(super) fn abandon(&self) {
        let mut contents = self.lock();
        let messages = [false, true].map(|internal| contents.inbox.refuse(internal));
        drop(contents);
        // Outside the lock: a handle that is dropped may have to be counted.
        drop(messages);
        self.close();
    }

    /// Marks the end. What arrived can still be received.
    pub(super) fn end(&self, ending: Ending, failure: Option<Error>) {
        self.end_locked(self.lock(), ending, failure);
    }

    fn end_locked(&self, mut contents: MutexGuard<'_, Contents>, ending: Ending, failure: Option<Error>) {
        contents.closing = true;
        // Of two ends the first counts, and one error is enough.
        contents.failure = failure.filter(|_| contents.ending.is_none());
        contents.ending.get_or_insert(ending);
        contents.wake_driver();
        let entries: Vec<Entry> = contents.queue.drain().collect();
        contents.counts.forget_questions();
        contents.receivers.wake();
        contents.senders.wake();
        drop(contents);
        // Outside the lock, as above.
        entries.into_iter().for_each(|entry| entry.undeliverable(&self.peer));
    }

    /// Asks the peer about its sockets of a key: how many are open, or to be told when none is.
    pub(super) fn ask(&self, key: &str, how_many: bool) -> Result<oneshot::Receiver<u64>> {
        let mut contents = self.lock();
        if contents.closing {
            return Err(self.closed("ask"));
        }
        let (line, answered) = contents.counts.ask(key, how_many);
        contents.post_own(line);
        Ok(answered)
    }

    /// Changes the counts, and posts the line that the change requires.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts) -> Option<Vec<u8>>) {
        let mut contents = self.lock();
        if let Some(line) = change(&mut contents.counts) {
            contents.post_own(line);
        }
    }

    /// Notes that the process at the other end has exited.
    pub(super) fn peer_exited(&self) {
        let mut contents = self.lock();
        contents.peer_exited = true;
        contents.wake_driver();
    }

    /// Ends the channel when what arrived has been read, even if another process still holds the other end.
    pub(super) fn sever(&self) {
        let mut contents = self.lock();
        contents.severed = true;
        contents.wake_driver();
    }
}

impl Contents {
    /// Adds a line of the channel's own.
    fn post_own(&mut self, line: Vec<u8>) {
        if !self.closing {
            self.queue.push_line(line);
            self.wake_driver();
        }
    }

    pub(super) fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// Has the driver woken when there is work for it.
    pub(super) fn driver_sleeps(&mut self, waker: &Waker) {
        self.driver = Some(waker.clone());
    }

    /// Notes that the kernel has taken bytes of the queue.
    pub(super) fn taken(&mut self, bytes: usize) {
        if bytes > 0 {
            self.queue.taken(bytes);
            self.senders.wake();
        }
    }

    /// Moves messages to the user. When no user is left they stay where they are.
    pub(super) fn deliver(&mut self, arrived: &mut Vec<Message>) {
        if self.inbox.deliver(arrived) {
            self.receivers.wake();
        }
    }

    /// Whether so much waits for the user, or for the peer, that nothing more is to be read.
    pub(super) fn is_full(&mut self, outgoing: &mut Outgoing) -> bool {
        let waits = outgoing.is_waiting() || self.peer_exited || self.counts.is_waiting();
        let limit = if waits && !self.bounded { WAITING_LIMIT } else { INBOX_LIMIT };
        let progress = outgoing.progress();
        let is_backlogged = self.bounded && self.queue.waiting().max(outgoing.unwritten()) > BACKLOG_LIMIT;
        if mem::replace(&mut self.stalled, is_backlogged && !progress) != self.stalled {
            self.receivers.wake();
        }
        // A user that disconnects may receive nothing more, and what it waits for is among what was not read.
        let limit = if self.closing { usize::MAX } else { limit };
        self.inbox.is_above(limit) || is_backlogged
    }
}
