//! What is on its way out: given to the driver, in the order in which it goes.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;

use super::queue::{Entry, HandleMessage, Queue, Unacknowledged};
use crate::error::Error;
use crate::sys::fd_passing;

/// Something to write.
#[derive(Debug)]
enum Piece {
    Lines {
        bytes: Vec<u8>,
        written: usize,
        /// Whether they come from the queue, which counts how many of its bytes the kernel took.
        posted: bool,
    },
    Handle(Box<HandleMessage>),
}

/// What the driver took from the queue, and its own acknowledgements.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// How many handles may be unacknowledged.
    window: usize,
    pieces: VecDeque<Piece>,
    /// The handles that were sent and not acknowledged, oldest first.
    sent: VecDeque<Box<HandleMessage>>,
    /// These and those among the pieces.
    unacknowledged: Unacknowledged,
    /// How many bytes of the queue were written since the last [`count`](Outgoing::count).
    written: usize,
    /// The memory of lines of the queue that were written.
    spent: Vec<Vec<u8>>,
    /// The kernel takes no descriptor until one that is on its way has arrived.
    crowded: bool,
    /// The kernel has taken something since the last [`progress`](Outgoing::progress).
    progress: bool,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The kernel took something.
    Some,
    /// It takes no descriptor before the peer has received some.
    Crowded,
}

impl Outgoing {
    pub(super) fn new(window: usize) -> Outgoing {
        Outgoing { window, ..Outgoing::default() }
    }

    /// Takes from the queue what may go, once what was taken before is written: short messages gather meanwhile.
    pub(super) fn refill(&mut self, queue: &mut Queue) {
        self.spent.drain(..).for_each(|lines| queue.keep_spare(lines));
        while !self.pieces.iter().any(|piece| matches!(piece, Piece::Lines { posted: true, .. }))
            && let Some(entry) = queue.next(self.unacknowledged, self.window)
        {
            self.pieces.push_back(match entry {
                Entry::Lines(bytes) => Piece::Lines { bytes, written: 0, posted: true },
                Entry::Handle(message) => {
                    self.unacknowledged.one_more(&message.line);
                    Piece::Handle(message)
                }
            });
        }
    }

    /// Adds a line of the channel's own, which waits only for what is being written.
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

    /// Whether everything is written and every handle acknowledged.
    pub(super) fn is_idle(&self) -> bool {
        self.pieces.is_empty() && self.unacknowledged.count == 0
    }

    /// Returns how many bytes of the queue were written since the last call.
    pub(super) fn count(&mut self) -> usize {
        mem::take(&mut self.written)
    }

    /// Writes the first piece, in one system call.
    ///
    /// # Errors
    ///
    /// Those of [`fd_passing::send`], except `ETOOMANYREFS`: the driver waits until fewer descriptors are on their way.
    pub(super) fn write(&mut self, socket: BorrowedFd<'_>) -> Result<Sent, Errno> {
        match self.pieces.front_mut() {
            None => {}
            Some(Piece::Lines { bytes, written, posted }) => {
                let taken = fd_passing::send(socket, &bytes[*written..], None)?;
                self.progress = true;
                *written += taken;
                self.written += if *posted { taken } else { 0 };
                if *written == bytes.len() {
                    self.spent.extend(posted.then(|| mem::take(bytes)));
                    self.pieces.pop_front();
                }
            }
            Some(Piece::Handle(_)) if self.crowded => return Ok(Sent::Crowded),
            Some(Piece::Handle(message)) => {
                let taken = match fd_passing::send(socket, &message.line, Some(message.handle.as_fd())) {
                    Err(Errno::ETOOMANYREFS) if !self.sent.is_empty() => {
                        self.crowded = true;
                        return Ok(Sent::Crowded);
                    }
                    Err(errno) if errno != Errno::ETOOMANYREFS => return Err(errno),
                    answer => answer,
                };
                let Some(Piece::Handle(mut message)) = self.pieces.pop_front() else { return Ok(Sent::Some) };
                self.written += message.counted_bytes();
                let Ok(taken) = taken else {
                    self.unacknowledged.one_less();
                    message.fail(Error::system("send", "a handle", Errno::ETOOMANYREFS));
                    return Ok(Sent::Some);
                };
                if taken < message.line.len() {
                    // The descriptor is sent; the rest follows without one.
                    let bytes = message.line[taken..].to_vec();
                    self.pieces.push_front(Piece::Lines { bytes, written: 0, posted: false });
                }
                message.times += 1;
                self.progress = true;
                self.sent.push_back(message);
            }
        }
        Ok(Sent::Some)
    }

    /// Takes the handle that the next acknowledgement or refusal is about.
    pub(super) fn acknowledged(&mut self) -> Option<Box<HandleMessage>> {
        let message = self.sent.pop_front()?;
        self.unacknowledged.one_less();
        self.crowded = false;
        Some(message)
    }

    /// Returns how many bytes are to be written.
    pub(super) fn unwritten(&self) -> usize {
        let bytes = |piece: &Piece| match piece {
            Piece::Lines { bytes, written, .. } => bytes.len() - written,
            Piece::Handle(message) => message.line.len(),
        };
        self.pieces.iter().map(bytes).sum()
    }

    /// Returns whether the kernel has taken something since the last call.
    pub(super) fn progress(&mut self) -> bool {
        mem::take(&mut self.progress)
    }

    /// Whether a handle was sent and not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Gives up what was not sent.
    pub(super) fn drain_unsent(&mut self) -> impl Iterator<Item = Entry> {
        let unacknowledged = &mut self.unacknowledged;
        self.pieces.drain(..).filter_map(|piece| match piece {
            Piece::Lines { .. } => None,
            Piece::Handle(message) => {
                unacknowledged.one_less();
                Some(Entry::Handle(message))
            }
        })
    }

    /// Gives up everything.
    pub(super) fn drain(&mut self) -> Vec<Entry> {
        let sent = mem::take(&mut self.sent).into_iter().map(Entry::Handle);
        let given_up = sent.chain(self.drain_unsent()).collect();
        self.unacknowledged = Unacknowledged::default();
        given_up
    }
}
