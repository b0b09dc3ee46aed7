//! The task that owns a channel's socket: it writes what was posted, reads what has come, and acknowledges handles, whether or not
//! anybody is receiving at the time.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;

use super::Ending;
use super::incoming::{Incoming, Read};
use super::outgoing::{Outgoing, Sent};
use super::shared::Shared;
use crate::error::Error;

/// How many reads, and how many bytes, are taken before other tasks have their turn. When the user has had his, and dropped what he got,
/// the buffer that it was in can be used again.
const READS: usize = 16;
const READ_BYTES: usize = 64 * 1024;

/// More reads than this a full socket does not hold: the kernel counts some hundreds of bytes for the shortest message.
const LAST_READS: usize = 1024;

/// How long the process, when its runtime ends before its channel, waits for a peer that takes nothing.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// When it last waited in vain. A runtime that ends with several such channels ends them one after the other, and the process is not to
/// wait anew for each.
static IN_VAIN: Mutex<Option<Instant>> = Mutex::new(None);

/// How long after that another channel is taken to end together with it.
const TOGETHER: Duration = Duration::from_millis(100);

/// What stands for the channel in whoever waits for its end: dropped when the socket has been closed.
pub(super) type Hold = Box<dyn Send + Sync>;

/// Owns the socket until the channel ends.
pub(super) struct Driver {
    /// None after the end.
    socket: Option<AsyncFd<OwnedFd>>,
    shared: Arc<Shared>,
    incoming: Incoming,
    outgoing: Outgoing,
    /// How the peer's side was closed, if a write has found that out; what it had sent before is still to be read.
    peer_gone: Option<Ending>,
    /// We are disconnecting, and there is nothing left to send or to be acknowledged.
    done: bool,
    /// The other end's process has ended, and nobody else there is waited for.
    severed: bool,
    /// The user has so much to receive that nothing more is read.
    full: bool,
    hold: Option<Hold>,
}

/// To be polled again when every other task has had its turn, also the one that the runtime blocks on. That one a current-thread runtime
/// looks at after 61 others, and a task that wakes itself counts as another each time: it would have megabytes waiting for it, in memory
/// that is new each time.
fn after_the_others<T>(context: &mut Context<'_>) -> Poll<T> {
    match pin!(yield_now()).poll(context) {
        Poll::Ready(()) => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Pending,
    }
}

/// How a channel ends: how, and the error if it is one.
type End = (Ending, Option<Error>);

impl Driver {
    pub(super) fn new(socket: AsyncFd<OwnedFd>, shared: Arc<Shared>, hold: Option<Hold>) -> Driver {
        Driver {
            socket: Some(socket),
            incoming: Incoming::new(shared.clone()),
            shared,
            outgoing: Outgoing::default(),
            peer_gone: None,
            done: false,
            severed: false,
            full: false,
            hold,
        }
    }

    /// One look at what is shared: hands over what has come, takes what may go.
    fn exchange(&mut self, waker: &Waker) {
        let mut state = self.shared.lock();
        state.deliver(&mut self.incoming.arrived);
        state.taken(self.outgoing.count());
        self.outgoing.refill(&mut state.queue, self.shared.settings.window);
        self.done = state.closing && state.queue.is_empty() && self.outgoing.is_idle();
        self.severed = state.severed;
        self.full = state.is_full(self.outgoing.is_waiting());
        state.driver_sleeps(waker);
        drop(state);
        // What was not delivered, because nobody wants it. Outside the lock: its handles may be counted ones.
        self.incoming.arrived.clear();
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            self.exchange(context.waker());
            if self.done {
                return Poll::Ready(self.last_look());
            }
            if self.severed {
                // It wrote before it ended, so all of it is there.
                self.peer_gone.get_or_insert(Ending::PeerClosed);
                return Poll::Ready(self.last_look());
            }
            let wrote = match self.poll_write(context) {
                Ok(wrote) => wrote,
                Err(end) => return Poll::Ready(end),
            };
            let (mut reads, mut bytes) = (0, 0);
            while !self.full && reads < READS && bytes < READ_BYTES {
                match self.poll_read(context) {
                    Poll::Ready(Ok(more)) => (reads, bytes) = (reads + 1, bytes + more),
                    Poll::Ready(Err(end)) => return Poll::Ready(end),
                    Poll::Pending => break,
                }
            }
            if !wrote && reads == 0 {
                return Poll::Pending;
            }
            if reads == READS || bytes >= READ_BYTES {
                // What this asks us to send goes out when the users have had their turn.
                self.exchange(context.waker());
                return after_the_others(context);
            }
        }
    }

    /// Writes until all is written or the kernel takes no more; whether it took anything.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut wrote = false;
        let Some(socket) = &self.socket else { return Ok(false) };
        while !self.outgoing.is_written() {
            let mut ready = match socket.poll_write_ready(context) {
                Poll::Ready(Ok(guard)) => guard,
                Poll::Ready(Err(error)) => return Err(self.broken(error)),
                Poll::Pending => break,
            };
            match self.outgoing.write(socket.as_fd()) {
                Ok(Sent::Some) => wrote = true,
                Ok(Sent::Crowded) => break,
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(errno) => return self.unwritable(errno).map(|()| true),
            }
        }
        Ok(wrote)
    }

    /// Reads once, if something has come; how many bytes.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, End>> {
        let Some(socket) = &self.socket else { return Poll::Pending };
        loop {
            let mut ready = match socket.poll_read_ready(context) {
                Poll::Ready(Ok(guard)) => guard,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.broken(error))),
                Poll::Pending => return Poll::Pending,
            };
            let read = self.incoming.read(socket.as_fd());
            if matches!(read, Ok(Read { more: false, .. }) | Err(Errno::EAGAIN)) {
                ready.clear_ready();
            }
            if read != Err(Errno::EAGAIN) {
                return Poll::Ready(self.look_at(read));
            }
        }
    }

    /// Deals with what a read has brought.
    fn look_at(&mut self, read: Result<Read, Errno>) -> Result<usize, End> {
        match read {
            Ok(Read { bytes: 0, .. }) if !self.incoming.is_between_messages() => Err((Ending::CutShort, None)),
            Ok(Read { bytes: 0, .. }) => Err((self.peer_gone.unwrap_or(Ending::PeerClosed), None)),
            Err(Errno::ECONNRESET) => Err((Ending::PeerReset, None)),
            Err(errno) => Err(self.broken(errno.into())),
            Ok(Read { bytes, .. }) => match self.incoming.sort(&mut self.outgoing) {
                Ok(()) => Ok(bytes),
                Err(kind) => Err((Ending::Failed, Some(self.shared.error("receive from", kind)))),
            },
        }
    }

    /// A write has failed. If nobody reads at the other end any more, what it had sent before can still be read; any other error is
    /// the end.
    fn unwritable(&mut self, errno: Errno) -> Result<(), End> {
        let ending = match errno {
            Errno::EPIPE => Ending::PeerClosed,
            Errno::ECONNRESET => Ending::PeerReset,
            errno => return Err(self.broken(errno.into())),
        };
        // The kernel says "reset" once.
        self.peer_gone.get_or_insert(ending);
        let mut state = self.shared.lock();
        state.closing = true;
        // Not what was sent: its acknowledgement may be among what has not been read.
        let given_up: Vec<_> = state.queue.drain().chain(self.outgoing.drain_unsent()).collect();
        drop(state);
        given_up.into_iter().for_each(|entry| self.shared.undeliverable(entry));
        Ok(())
    }

    fn broken(&self, error: io::Error) -> End {
        (Ending::Failed, Some(Error::io("use the channel to", self.shared.peer.clone(), error)))
    }

    /// Before we close the socket ourselves: takes what has come, so that the peer does not see a reset and no message is lost that was
    /// sent before our end.
    fn last_look(&mut self) -> End {
        for _ in 0..LAST_READS {
            let Some(socket) = &self.socket else { break };
            let read = self.incoming.read(socket.as_fd());
            if read == Err(Errno::EAGAIN) {
                break;
            }
            if let Err(end) = self.look_at(read) {
                return end;
            }
            if let Some(socket) = &self.socket {
                // Only acknowledgements can be left to write.
                let _ = self.outgoing.write(socket.as_fd());
            }
        }
        (self.peer_gone.unwrap_or(Ending::Disconnected), None)
    }

    /// Writes and reads without a runtime, until nothing is left to send or the peer takes nothing for a while.
    fn finish_alone(&mut self) -> End {
        let lock = || IN_VAIN.lock().unwrap_or_else(PoisonError::into_inner);
        let patience =
            if lock().is_some_and(|then| then.elapsed() < TOGETHER) { Duration::ZERO } else { LAST_PATIENCE };
        let mut deadline = Instant::now() + patience;
        loop {
            self.exchange(Waker::noop());
            if self.outgoing.is_idle() {
                return self.last_look();
            }
            let Some(socket) = &self.socket else { return (Ending::Disconnected, None) };
            let mut wanted = PollFlags::POLLIN;
            while !self.outgoing.is_written() {
                match self.outgoing.write(socket.as_fd()) {
                    Ok(Sent::Some) => deadline = Instant::now() + patience,
                    Ok(Sent::Crowded) => break,
                    Err(Errno::EAGAIN) => {
                        wanted |= PollFlags::POLLOUT;
                        break;
                    }
                    Err(_) => return (Ending::PeerClosed, None),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if self.outgoing.is_idle() {
                continue;
            }
            let ready = poll(
                &mut [PollFd::new(socket.as_fd(), wanted)],
                PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO),
            );
            if left.is_zero() || !matches!(ready, Ok(1..) | Err(Errno::EINTR)) {
                *lock() = Some(Instant::now());
                return (Ending::Disconnected, None);
            }
            let read = self.incoming.read(socket.as_fd());
            if read != Err(Errno::EAGAIN)
                && let Err(end) = self.look_at(read)
            {
                return end;
            }
        }
    }

    /// Closes the socket and says so, to everybody who waits.
    fn end(&mut self, (ending, failure): End) {
        if self.socket.take().is_none() {
            return;
        }
        {
            let mut state = self.shared.lock();
            state.deliver(&mut self.incoming.arrived);
            state.taken(self.outgoing.count());
        }
        self.incoming.arrived.clear();
        let given_up: Vec<_> = self.outgoing.drain().collect();
        self.shared.end(ending, failure);
        given_up.into_iter().for_each(|entry| self.shared.undeliverable(entry));
        self.hold = None;
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.poll_end(context).map(|end| this.end(end))
    }
}

impl Drop for Driver {
    /// When the runtime ends before the channel, which is what happens when `main` returns: what was sent is sent all the same. In Node,
    /// too, a process lives until its writes are done.
    fn drop(&mut self) {
        if self.socket.is_some() {
            let end = self.finish_alone();
            self.end(end);
        }
    }
}
