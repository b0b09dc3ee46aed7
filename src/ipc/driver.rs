//! The task that owns a channel's socket: it writes what was posted, reads what arrives, and acknowledges handles.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::PollFlags;
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;

use super::incoming::{Incoming, Read, Settings};
use super::mailbox::Mailbox;
use super::outcome::Ending;
use super::outgoing::{Outgoing, Sent};
use super::patience::{self, PeerWait};
use crate::error::Error;

/// After so many reads, or [`Incoming::turn`] bytes, other tasks have their turn, and the user can receive.
const READS: usize = 16;

/// A full socket holds fewer reads than this: the kernel counts some hundreds of bytes for the shortest message.
const LAST_READS: usize = 1024;

/// Keeps something until the socket is closed.
pub(super) type Hold = Box<dyn Send + Sync>;

/// Owns the socket until the channel ends.
pub(super) struct Driver {
    /// `None` after the end.
    socket: Option<AsyncFd<OwnedFd>>,
    mailbox: Arc<Mailbox>,
    incoming: Incoming,
    outgoing: Outgoing,
    /// How the peer's end was closed, if a write found that out. What it sent before is still to be read.
    peer_gone: Option<Ending>,
    /// The wait for the peer's end when we disconnect; `None` if we close our end at once.
    wait: Option<PeerWait>,
    hold: Option<Hold>,
}

/// Has the task polled again after every other task had its turn, also the one that the runtime blocks on. A
/// current-thread runtime polls that one after 61 others, and counts a task that wakes itself each time: megabytes
/// would gather for it, in fresh memory.
fn after_the_others(context: &mut Context<'_>) {
    if pin!(yield_now()).poll(context).is_ready() {
        context.waker().wake_by_ref();
    }
}

/// How a channel ends, with the error if it is one.
type End = (Ending, Option<Error>);

impl Driver {
    pub(super) fn new(socket: AsyncFd<OwnedFd>, mailbox: Arc<Mailbox>, settings: Settings, hold: Option<Hold>) -> Self {
        Driver {
            socket: Some(socket),
            incoming: Incoming::new(mailbox.clone(), settings),
            mailbox,
            outgoing: Outgoing::new(settings.window),
            peer_gone: None,
            wait: settings.waits_for_peer.then(PeerWait::new),
            hold,
        }
    }

    /// Looks into the mailbox once: delivers what arrived, takes what may go. Goes on with whether so much waits for
    /// the user that nothing is read; breaks with how the channel ends once everything is read.
    fn exchange(&mut self, waker: &Waker) -> ControlFlow<Ending, bool> {
        let mut contents = self.mailbox.lock();
        contents.deliver(&mut self.incoming.arrived);
        contents.taken(self.outgoing.count());
        self.outgoing.refill(&mut contents.queue);
        let full = contents.is_full(&mut self.outgoing);
        let next = match contents.closing && contents.queue.is_empty() && self.outgoing.is_idle() {
            _ if contents.ending.is_some() => ControlFlow::Break(Ending::Failed), // A user has received what is not JSON.
            true => ControlFlow::Break(Ending::Disconnected),
            // The process wrote before it exited, so everything has arrived.
            false if contents.severed => ControlFlow::Break(Ending::PeerClosed),
            false => ControlFlow::Continue(full),
        };
        contents.driver_sleeps(waker);
        drop(contents);
        // Undelivered, as no user is left. Outside the lock: a handle that is dropped may have to be counted.
        self.incoming.arrived.clear();
        next
    }

    /// Works until there is nothing to do for now, or returns how the channel ends.
    fn work(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        loop {
            let full = match self.exchange(context.waker()) {
                ControlFlow::Continue(full) => full,
                ControlFlow::Break(Ending::Failed) => return Err((Ending::Failed, None)),
                ControlFlow::Break(ending) if self.wait_ends().is_none() => {
                    self.begin_end(ending)?;
                    continue;
                }
                ControlFlow::Break(ending) => match self.wait.as_mut().map(|wait| wait.poll_over(context)) {
                    Some(Poll::Ready(())) => return Err((ending, None)),
                    _ => false,
                },
            };
            let wrote = self.poll_write(context)?;
            let (mut reads, mut bytes) = (0, 0);
            while !full
                && reads < READS
                && bytes < self.incoming.turn()
                && let Poll::Ready(more) = self.poll_read(context)?
            {
                (reads, bytes) = (reads + 1, bytes + more);
            }
            if !wrote && reads == 0 {
                return Ok(());
            }
            if reads == READS || bytes >= self.incoming.turn() {
                // What this asks us to send goes out after the users have had their turn.
                let _ = self.exchange(context.waker());
                after_the_others(context);
                return Ok(());
            }
        }
    }

    /// Writes until everything is written or the kernel takes no more. Returns whether it took anything.
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

    /// Reads once, if something has arrived. Returns how many bytes.
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
                return Poll::Ready(self.handle_read(read));
            }
        }
    }

    /// Deals with the result of a read.
    fn handle_read(&mut self, read: Result<Read, Errno>) -> Result<usize, End> {
        match read {
            Ok(Read { bytes: 0, .. }) if !self.incoming.is_between_messages() => Err((Ending::CutShort, None)),
            Ok(Read { bytes: 0, .. }) => Err((self.peer_gone.unwrap_or(Ending::PeerClosed), None)),
            Err(Errno::ECONNRESET) => Err((Ending::PeerReset, None)),
            Err(errno) => Err(self.broken(errno.into())),
            Ok(Read { bytes, .. }) => {
                let sorted = self.incoming.sort(&mut self.outgoing);
                if self.wait_ends().is_some() {
                    // A handle that cannot be acknowledged any more stays the peer's.
                    self.incoming.arrived.clear();
                    self.outgoing.drain_unsent().for_each(drop);
                }
                sorted.map(|()| bytes).map_err(|kind| (Ending::Failed, Some(self.mailbox.error("receive from", kind))))
            }
        }
    }

    /// Handles a failed write. What a closed peer sent before can still be read. Any other error ends the channel.
    fn unwritable(&mut self, errno: Errno) -> Result<(), End> {
        let ending = match errno {
            Errno::EPIPE => Ending::PeerClosed,
            Errno::ECONNRESET => Ending::PeerReset,
            errno => return Err(self.broken(errno.into())),
        };
        // The kernel says "reset" once.
        self.peer_gone.get_or_insert(ending);
        let mut contents = self.mailbox.lock();
        contents.closing = true;
        // Not what was sent: its acknowledgement may be among what was not read.
        let given_up: Vec<_> = contents.queue.drain().chain(self.outgoing.drain_unsent()).collect();
        drop(contents);
        given_up.into_iter().for_each(|entry| entry.undeliverable(&self.mailbox.peer));
        Ok(())
    }

    fn broken(&self, error: io::Error) -> End {
        (Ending::Failed, Some(Error::io("use the channel to", self.mailbox.peer.clone(), error)))
    }

    /// Reads what arrived before we close the socket ourselves, so that the peer sees no reset and no message is lost.
    fn read_the_rest(&mut self, ending: Ending) -> End {
        for _ in 0..LAST_READS {
            let Some(socket) = &self.socket else { break };
            let read = self.incoming.read(socket.as_fd());
            if read == Err(Errno::EAGAIN) {
                break;
            }
            if let Err(end) = self.handle_read(read) {
                return end;
            }
            // Only acknowledgements are left to write.
            let _ = self.socket.as_ref().map(|socket| self.outgoing.write(socket.as_fd()));
        }
        (self.peer_gone.unwrap_or(ending), None)
    }

    /// Begins the wait for the peer's end, if there is one and the peer's end is open. Otherwise the channel ends.
    fn begin_end(&mut self, ending: Ending) -> Result<(), End> {
        let end = self.read_the_rest(ending);
        if end.0 == Ending::Disconnected
            && let (Some(socket), Some(wait)) = (&self.socket, &mut self.wait)
            && wait.begin(socket.as_fd())
        {
            self.peer_gone = Some(Ending::Disconnected);
            return Ok(());
        }
        Err(end)
    }

    /// Returns when the wait for the peer's end is over, once our direction of the stream is closed.
    fn wait_ends(&self) -> Option<Instant> {
        self.wait.as_ref()?.until()
    }

    /// Writes and reads without a runtime, until nothing is left to send or to wait for, or the peer does nothing.
    fn finish_without_runtime(&mut self) -> Result<(), End> {
        let patience = patience::without_runtime();
        let mut deadline = Instant::now() + patience;
        loop {
            let _ = self.exchange(Waker::noop());
            if self.outgoing.is_idle() && self.wait_ends().is_none() {
                self.begin_end(Ending::Disconnected)?;
                deadline = Instant::now() + patience;
                continue;
            }
            deadline = self.wait_ends().map_or(deadline, |ends| ends.min(deadline));
            let Some(socket) = &self.socket else { return Ok(()) };
            let mut events = PollFlags::POLLIN;
            while !self.outgoing.is_written() {
                match self.outgoing.write(socket.as_fd()) {
                    Ok(Sent::Some) => deadline = Instant::now() + patience,
                    Ok(Sent::Crowded) => break,
                    Err(Errno::EAGAIN) => {
                        events |= PollFlags::POLLOUT;
                        break;
                    }
                    Err(_) => return Err((Ending::PeerClosed, None)),
                }
            }
            if self.outgoing.is_idle() && self.wait_ends().is_none() {
                continue;
            }
            if !patience::poll_until(deadline, socket.as_fd(), events) {
                return Err((Ending::Disconnected, None));
            }
            let read = self.incoming.read(socket.as_fd());
            if read != Err(Errno::EAGAIN) {
                self.handle_read(read)?;
            }
        }
    }

    /// Closes the socket and tells every task that waits.
    fn end(&mut self, (ending, failure): End) {
        if self.socket.take().is_none() {
            return;
        }
        let mut contents = self.mailbox.lock();
        contents.deliver(&mut self.incoming.arrived);
        contents.taken(self.outgoing.count());
        drop(contents);
        self.incoming.arrived.clear();
        let given_up = self.outgoing.drain();
        self.mailbox.end(ending, failure);
        given_up.into_iter().for_each(|entry| entry.undeliverable(&self.mailbox.peer));
        self.hold = None;
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Err(end) = self.work(context) else { return Poll::Pending };
        self.end(end);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    /// Writes what was posted when the runtime ends before the channel, as it does when `main` returns. In Node, too, a
    /// process lives until its writes are done.
    fn drop(&mut self) {
        if self.socket.is_some()
            && let Err(end) = self.finish_without_runtime()
        {
            self.end(end);
        }
    }
}
