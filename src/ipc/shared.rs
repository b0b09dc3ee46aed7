//! What the users of a channel and its driver both see.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use super::counts::{Counts, KeepsCounts};
use super::message::Message;
use super::queue::{Entry, HIGH_WATER, Parcel, Queue};
use super::{Ending, NotSent, Settings};
use crate::error::{Error, ErrorKind, Result};

/// How much may wait for a user that does not receive, as [`Message::cost`] counts it. Then the channel is read no further, and it is
/// the peer that has to wait.
const INBOX_LIMIT: usize = 16 * 1024 * 1024;

/// The same as long as we wait for something that may be among what has not been read: the acknowledgement of a handle, an answer.
/// If that did not come through, two processes that both send handles before they receive would wait for each other for ever.
const WAITING_LIMIT: usize = 256 * 1024 * 1024;

/// A channel without its socket.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    /// Who is at the other end, for messages.
    pub(super) peer: String,
    /// The number of our end's descriptor, as long as the channel is open.
    pub(super) number: RawFd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queue: Queue,
    /// What has come for the user.
    inbox: VecDeque<Message>,
    /// What has come of internal messages, if the user asked for them.
    internal: VecDeque<Message>,
    /// What both cost together.
    held: usize,
    /// The driver reads no more until no more than this is held.
    stalled_at: Option<usize>,
    /// The process at the other end has ended: somebody may wait for the channel's end, which comes after what has not been read. Not
    /// without a limit, since what that process has started may hold the channel and go on sending.
    peer_exited: bool,
    /// The process at the other end has ended, and whoever else holds its end is not waited for: what has come is read, then it is over.
    pub(super) severed: bool,
    /// Nothing more may be posted: we are disconnecting, or nobody reads at the other end.
    pub(super) closing: bool,
    /// How the channel ended, when its socket has been closed.
    ending: Option<Ending>,
    /// The error that ended it, until somebody has received it.
    failure: Option<Error>,
    /// Wakes the driver; none while it is awake already.
    driver: Option<Waker>,
    /// Those who wait for a message, or for the end.
    receivers: Waiters,
    /// Those who wait for room, or until all is sent.
    senders: Waiters,
    pub(super) counts: Counts,
    /// Nobody is left who could receive.
    unwanted: bool,
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

impl Shared {
    pub(super) fn new(settings: Settings, peer: String, number: RawFd) -> Shared {
        Shared { settings, peer, number, state: Mutex::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn error(&self, operation: &'static str, kind: ErrorKind) -> Error {
        Error::new(operation, self.peer.clone(), kind)
    }

    pub(super) fn closed(&self, operation: &'static str) -> Error {
        self.error(operation, ErrorKind::ChannelClosed)
    }

    /// Adds a line; whether there is room for more, and memory for the next one.
    pub(super) fn post(&self, line: Vec<u8>) -> Result<(bool, Vec<u8>)> {
        let mut state = self.lock();
        if state.closing {
            return Err(self.closed("send to"));
        }
        let memory = state.queue.push_line(line);
        state.wake_driver();
        Ok((state.queue.waiting() <= HIGH_WATER, memory))
    }

    /// Adds a message with a handle.
    pub(super) fn post_parcel(&self, parcel: Box<Parcel>) -> Result<(), NotSent> {
        let mut state = self.lock();
        if state.closing {
            return Err(NotSent::new(self.closed("send to"), parcel.handle));
        }
        state.queue.push_parcel(parcel);
        state.wake_driver();
        Ok(())
    }

    /// Ready when there is room for another message.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.lock();
        if state.closing {
            return Poll::Ready(Err(self.closed("send to")));
        }
        if state.queue.waiting() <= HIGH_WATER {
            return Poll::Ready(Ok(()));
        }
        state.senders.add(context.waker());
        Poll::Pending
    }

    /// Ready when the kernel has taken all that was posted when `mark` was.
    pub(super) fn poll_passed(&self, mark: u64, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.lock();
        if state.queue.has_passed(mark) {
            return Poll::Ready(Ok(()));
        }
        if state.ending.is_some() {
            return Poll::Ready(Err(self.closed("flush what was sent to")));
        }
        state.senders.add(context.waker());
        Poll::Pending
    }

    /// The next message of the user, or of the channel's internal ones; none after the end.
    pub(super) fn poll_message(&self, internal: bool, context: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        let mut state = self.lock();
        let state = &mut *state;
        let inbox = if internal { &mut state.internal } else { &mut state.inbox };
        if let Some(message) = inbox.pop_front() {
            state.held -= message.cost();
            if state.stalled_at.is_some_and(|limit| state.held <= limit) {
                state.wake_driver();
            }
            return Poll::Ready(Ok(Some(message)));
        }
        if state.ending.is_some() {
            return Poll::Ready(state.failure.take().map_or(Ok(None), Err));
        }
        state.receivers.add(context.waker());
        Poll::Pending
    }

    /// Ready at the end.
    pub(super) fn poll_ending(&self, context: &mut Context<'_>) -> Poll<Ending> {
        let mut state = self.lock();
        if let Some(ending) = state.ending {
            return Poll::Ready(ending);
        }
        state.receivers.add(context.waker());
        Poll::Pending
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.lock().ending
    }

    /// Sends what was posted, waits for what is not acknowledged, then closes the socket.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        // Whoever waits for room will find none.
        state.senders.wake();
        state.wake_driver();
    }

    /// The last user has gone: what has come goes nowhere, and with it what may come until the end.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.unwanted = true;
        state.held = 0;
        let messages = (mem::take(&mut state.inbox), mem::take(&mut state.internal));
        drop(state);
        // Outside the lock: their handles may be counted ones.
        drop(messages);
        self.close();
    }

    /// Marks the end. What has come can still be received.
    pub(super) fn end(&self, ending: Ending, failure: Option<Error>) {
        let mut state = self.lock();
        state.closing = true;
        state.ending = Some(ending);
        state.failure = failure;
        let entries: Vec<Entry> = state.queue.drain().collect();
        state.counts.forget_questions();
        state.receivers.wake();
        state.senders.wake();
        drop(state);
        // Outside the lock: a handle that is given up may be a counted one.
        entries.into_iter().for_each(|entry| self.undeliverable(entry));
    }

    /// Asks the peer about its sockets of a key: how many are open, or to be told when none is.
    pub(super) fn ask(&self, key: &str, how_many: bool) -> Result<oneshot::Receiver<u64>> {
        let mut state = self.lock();
        if state.closing {
            return Err(self.closed("ask"));
        }
        let (line, answered) = state.counts.ask(key, how_many);
        state.post_own(line);
        Ok(answered)
    }

    /// Changes the counts, and sends what has to be sent because of it.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts) -> Option<Vec<u8>>) {
        let mut state = self.lock();
        if let Some(line) = change(&mut state.counts) {
            state.post_own(line);
        }
    }

    /// The process at the other end has ended.
    pub(super) fn peer_exited(&self) {
        let mut state = self.lock();
        state.peer_exited = true;
        state.wake_driver();
    }

    /// Ends the channel when what has come has been read, whoever may still hold the other end.
    pub(super) fn sever(&self) {
        let mut state = self.lock();
        state.severed = true;
        state.wake_driver();
    }

    /// Tells the sender of a handle that it gets it back.
    pub(super) fn undeliverable(&self, entry: Entry) {
        if let Entry::Parcel(parcel) = entry {
            let Parcel { handle, receipt, .. } = *parcel;
            receipt.tell(Err(NotSent::new(self.closed("send a handle to"), handle)));
        }
    }
}

impl KeepsCounts for Shared {
    fn socket_closed(&self, key: &str) {
        self.count(|counts| counts.closed(key));
    }
}

impl State {
    /// Adds a line of the channel's own.
    fn post_own(&mut self, line: Vec<u8>) {
        if !self.closing {
            self.queue.push_line(line);
            self.wake_driver();
        }
    }

    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// The driver is to be woken when there is something for it to do.
    pub(super) fn driver_sleeps(&mut self, waker: &Waker) {
        self.driver = Some(waker.clone());
    }

    /// The kernel has taken bytes of the queue.
    pub(super) fn taken(&mut self, bytes: usize) {
        if bytes > 0 {
            self.queue.taken(bytes);
            self.senders.wake();
        }
    }

    /// Hands messages to the user. When no user is left they stay where they are.
    pub(super) fn deliver(&mut self, arrived: &mut Vec<Message>) {
        if arrived.is_empty() || self.unwanted {
            return;
        }
        for message in arrived.drain(..) {
            self.held += message.cost();
            if message.is_internal() { &mut self.internal } else { &mut self.inbox }.push_back(message);
        }
        self.receivers.wake();
    }

    /// Whether so much has come and was not received that the peer must wait; `waiting` says whether we wait for an acknowledgement.
    pub(super) fn is_full(&mut self, waiting: bool) -> bool {
        let limit = if waiting || self.peer_exited || self.counts.is_waiting() { WAITING_LIMIT } else { INBOX_LIMIT };
        // Who disconnects may receive nothing more, and what we wait for then is in what has not been read.
        let full = self.held > limit && !self.closing;
        self.stalled_at = full.then_some(limit);
        full
    }
}
