//! What is on its way in: read from the socket, split into messages, and each dealt with.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use nix::errno::Errno;

use super::Handle;
use super::counts::Counted;
use super::frame::{Decoder, Unreadable};
use super::handle::Kind;
use super::message::{self, ACK, Line, Message, NACK, malformed};
use super::outgoing::Outgoing;
use super::shared::Shared;
use crate::error::ErrorKind;
use crate::sys::fd_passing;

/// What has come and was not delivered.
#[derive(Debug)]
pub(super) struct Incoming {
    shared: Arc<Shared>,
    decoder: Decoder,
    /// Descriptors that have come and that no message has claimed.
    unclaimed: VecDeque<OwnedFd>,
    /// Whether the first of them came with the beginning of the message that is not complete.
    carried: bool,
    /// Messages to be delivered.
    pub(super) arrived: Vec<Message>,
}

/// What one read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    /// How many bytes; 0 at the end of the stream.
    pub(super) bytes: usize,
    /// Whether there may be more to read at once.
    pub(super) more: bool,
}

impl Incoming {
    pub(super) fn new(shared: Arc<Shared>) -> Incoming {
        let decoder = Decoder::new(shared.settings.message_limit);
        Incoming { shared, decoder, unclaimed: VecDeque::new(), carried: false, arrived: Vec::new() }
    }

    /// One system call. What it brings is looked at by [`sort`](Incoming::sort).
    ///
    /// # Errors
    ///
    /// Those of [`fd_passing::receive`].
    pub(super) fn read(&mut self, socket: BorrowedFd<'_>) -> Result<Read, Errno> {
        let buffer = self.decoder.room();
        let (room, held) = (buffer.capacity() - buffer.len(), self.unclaimed.len());
        let received = fd_passing::receive(socket, buffer, &mut self.unclaimed)?;
        // When less came than there was room for, nothing is left; unless it came with a descriptor, where a read ends early.
        let more = received.bytes == room || self.unclaimed.len() > held || received.truncated;
        Ok(Read { bytes: received.bytes, more })
    }

    /// Whether the stream has come to a point between two messages.
    pub(super) fn is_between_messages(&self) -> bool {
        self.decoder.incomplete().is_empty()
    }

    /// Deals with every whole message that has come.
    ///
    /// # Errors
    ///
    /// When the peer has sent what is not allowed. Nothing that comes after it can be trusted.
    pub(super) fn sort(&mut self, outgoing: &mut Outgoing) -> Result<(), ErrorKind> {
        while let Some(line) = self.next_line()? {
            let line = message::classify(line)?;
            if mem::take(&mut self.carried) && !matches!(line, Line::Handle { .. }) {
                // It came with this message, which says nothing of it.
                self.unclaimed.pop_front();
            }
            match line {
                Line::Message(message) => self.message_arrived(message),
                Line::Handle { kind, key, message } => {
                    outgoing.push_own(if self.handle_arrived(kind, key, message) { ACK } else { NACK });
                }
                Line::Ack => self.acknowledged(outgoing, true)?,
                Line::Nack => self.acknowledged(outgoing, false)?,
                Line::CountAsked(key) => self.shared.count(|counts| Some(counts.count_asked(&key))),
                Line::CloseAsked(key) => self.shared.count(|counts| counts.close_asked(&key)),
                Line::Counted(key, count) => self.shared.lock().counts.answered(&key, true, count),
                Line::AllClosed(key) => self.shared.lock().counts.answered(&key, false, 0),
            }
        }
        // A descriptor comes with the first byte of its message, and a read ends with the message that brought one. So one that is
        // left over belongs to the message whose end is still to come; if there is no such message, to none, and is closed.
        self.unclaimed.truncate(usize::from(!self.is_between_messages()));
        self.carried = !self.unclaimed.is_empty();
        Ok(())
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, ErrorKind> {
        self.decoder.next_message().map_err(|unreadable| match unreadable {
            Unreadable::TooLong => ErrorKind::MessageTooLong {
                limit: self.shared.settings.message_limit,
                beginning: message::excerpt(self.decoder.incomplete()),
            },
            Unreadable::Advanced => {
                let reason = "a frame of the serialization mode \"advanced\", and this channel speaks \"json\"";
                malformed(reason, self.decoder.incomplete())
            }
        })
    }

    fn message_arrived(&mut self, message: Message) {
        if !message.is_internal() || self.shared.settings.internal {
            self.arrived.push(message);
        }
    }

    /// A message has come that speaks of a handle; whether there is one, of the kind that it says. It is acknowledged at once, and
    /// not when the user receives it: until then the sender keeps all later messages back.
    fn handle_arrived(&mut self, kind: Option<Kind>, key: Option<String>, mut message: Message) -> bool {
        let fd = self.unclaimed.pop_front();
        let counted = || {
            let key = key?;
            self.shared.lock().counts.opened(&key);
            Some(Counted::new(self.shared.clone(), key))
        };
        message.handle = kind.zip(fd).and_then(|(kind, fd)| Handle::restore(kind, fd, counted));
        let taken = message.handle.is_some();
        if taken {
            self.message_arrived(message);
        }
        taken
    }

    /// The peer says of the oldest handle that is on its way that it has it, or that it has it not.
    fn acknowledged(&mut self, outgoing: &mut Outgoing, taken: bool) -> Result<(), ErrorKind> {
        let Some(parcel) = outgoing.acknowledged() else {
            let line = if taken { ACK } else { NACK };
            return Err(malformed("the acknowledgement of a handle that was not sent", line));
        };
        if let Some(refused) = parcel.conclude(taken, &self.shared) {
            self.shared.lock().queue.push_again(refused);
        }
        Ok(())
    }
}
