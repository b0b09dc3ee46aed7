//! What is on its way out: given to the driver, in the order in which it goes.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;

use super::NotSent;
use super::handle::Kind;
use super::queue::{Entry, Parcel, Queue, Unacknowledged};
use super::shared::Shared;
use crate::error::{Error, ErrorKind};
use crate::sys::fd_passing;

/// How often a connection that was refused is sent in all. Node does so, too; nothing else is sent again.
const TIMES: u32 = 4;

/// Something to be written.
#[derive(Debug)]
enum Piece {
    Lines {
        bytes: Vec<u8>,
        written: usize,
        /// Whether they are of the queue, which wants to know how many of its bytes were taken.
        posted: bool,
    },
    Parcel(Box<Parcel>),
}

/// What the driver has taken from the queue, and its own acknowledgements.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pieces: VecDeque<Piece>,
    /// The handles that have been sent and not acknowledged, oldest first.
    sent: VecDeque<Box<Parcel>>,
    /// These, and those among the pieces.
    unacknowledged: Unacknowledged,
    /// How many bytes of the queue were written since the last [`count`](Outgoing::count).
    written: usize,
    /// The memory of lines of the queue that have been written.
    spent: Vec<Vec<u8>>,
    /// The kernel takes no descriptor until one that is on its way has arrived.
    crowded: bool,
}

/// What writing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The kernel has taken something.
    Some,
    /// It takes no descriptor before the peer has received some.
    Crowded,
}

impl Outgoing {
    /// Takes from the queue what may go, when what was taken before has gone: meanwhile short messages gather into one write.
    pub(super) fn refill(&mut self, queue: &mut Queue, window: usize) {
        self.spent.drain(..).for_each(|lines| queue.keep_spare(lines));
        while !self.pieces.iter().any(|piece| matches!(piece, Piece::Lines { posted: true, .. }))
            && let Some(entry) = queue.next(self.unacknowledged, window)
        {
            self.pieces.push_back(match entry {
                Entry::Lines(bytes) => Piece::Lines { bytes, written: 0, posted: true },
                Entry::Parcel(parcel) => {
                    self.unacknowledged.one_more(&parcel.line);
                    Piece::Parcel(parcel)
                }
            });
        }
    }

    /// Adds a line of the channel's own, which waits for nothing but what is being written.
    pub(super) fn push_own(&mut self, line: &[u8]) {
        if let Some(Piece::Lines { bytes, posted: false, .. }) = self.pieces.back_mut() {
            bytes.extend_from_slice(line);
        } else {
            self.pieces.push_back(Piece::Lines { bytes: line.to_vec(), written: 0, posted: false });
        }
    }

    pub(super) fn is_written(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether all is written and every handle acknowledged.
    pub(super) fn is_idle(&self) -> bool {
        self.pieces.is_empty() && self.unacknowledged.count == 0
    }

    /// How many bytes of the queue were written since the last time.
    pub(super) fn count(&mut self) -> usize {
        std::mem::take(&mut self.written)
    }

    /// One system call.
    ///
    /// # Errors
    ///
    /// Those of [`fd_passing::send`], except that too many descriptors on their way are something to wait for.
    pub(super) fn write(&mut self, socket: BorrowedFd<'_>) -> Result<Sent, Errno> {
        match self.pieces.front_mut() {
            None => {}
            Some(Piece::Lines { bytes, written, posted }) => {
                let taken = fd_passing::send(socket, &bytes[*written..], None)?;
                *written += taken;
                self.written += if *posted { taken } else { 0 };
                if *written == bytes.len() {
                    self.spent.extend(posted.then(|| std::mem::take(bytes)));
                    self.pieces.pop_front();
                }
            }
            Some(Piece::Parcel(_)) if self.crowded => return Ok(Sent::Crowded),
            Some(Piece::Parcel(parcel)) => {
                let taken = match fd_passing::send(socket, &parcel.line, Some(parcel.handle.as_fd())) {
                    Err(Errno::ETOOMANYREFS) if !self.sent.is_empty() => {
                        self.crowded = true;
                        return Ok(Sent::Crowded);
                    }
                    answer => answer,
                };
                let Some(Piece::Parcel(mut parcel)) = self.pieces.pop_front() else { return Ok(Sent::Some) };
                let taken = match taken {
                    Ok(taken) => taken,
                    Err(Errno::ETOOMANYREFS) => {
                        self.unacknowledged.one_less();
                        self.written += parcel.first_time();
                        parcel.fail(Error::system("send", "a handle", Errno::ETOOMANYREFS));
                        return Ok(Sent::Some);
                    }
                    Err(errno) => {
                        self.pieces.push_front(Piece::Parcel(parcel));
                        return Err(errno);
                    }
                };
                if taken < parcel.line.len() {
                    // The descriptor has gone; the rest follows without one.
                    let bytes = parcel.line[taken..].to_vec();
                    self.pieces.push_front(Piece::Lines { bytes, written: 0, posted: false });
                }
                self.written += parcel.first_time();
                parcel.times += 1;
                self.sent.push_back(parcel);
            }
        }
        Ok(Sent::Some)
    }

    /// The handle that the next acknowledgement, or refusal, is about.
    pub(super) fn acknowledged(&mut self) -> Option<Box<Parcel>> {
        let parcel = self.sent.pop_front()?;
        self.unacknowledged.one_less();
        self.crowded = false;
        Some(parcel)
    }

    /// Whether a handle was sent and not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Gives up what has not been sent.
    pub(super) fn drain_unsent(&mut self) -> impl Iterator<Item = Entry> {
        let unacknowledged = &mut self.unacknowledged;
        self.pieces.drain(..).filter_map(|piece| match piece {
            Piece::Lines { .. } => None,
            Piece::Parcel(parcel) => {
                unacknowledged.one_less();
                Some(Entry::Parcel(parcel))
            }
        })
    }

    /// Gives up everything.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry> {
        self.unacknowledged = Unacknowledged::default();
        let pieces = self.pieces.drain(..).filter_map(|piece| match piece {
            Piece::Lines { .. } => None,
            Piece::Parcel(parcel) => Some(parcel),
        });
        self.sent.drain(..).chain(pieces).map(Entry::Parcel)
    }
}

impl Parcel {
    /// The bytes that the queue is to be told of: those of the line, when it is sent for the first time.
    fn first_time(&self) -> usize {
        if self.times == 0 { self.line.len() } else { 0 }
    }

    fn fail(self, error: Error) {
        let Parcel { handle, receipt, .. } = self;
        receipt.tell(Err(NotSent::new(error, handle)));
    }

    /// Tells the sender how it ended; gives the parcel back if it is to be sent again.
    pub(super) fn conclude(self: Box<Parcel>, taken: bool, shared: &Shared) -> Option<Box<Parcel>> {
        if taken {
            let Parcel { handle, receipt, .. } = *self;
            // Nobody waits: then the handle is closed here, now that the peer has its own.
            receipt.tell(Ok(handle));
        } else if self.handle.kind() == Kind::Socket && self.times < TIMES {
            return Some(self);
        } else {
            let times = self.times;
            self.fail(shared.error("send a handle to", ErrorKind::HandleRefused { times }));
        }
        None
    }
}
