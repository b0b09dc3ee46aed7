//! What is on its way in: read from the socket, split into messages, and each dealt with.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use nix::errno::Errno;

use super::frame::{DEFAULT_MESSAGE_LIMIT, Decoder, Unreadable};
use super::handle::{Handle, HandleType};
use super::line::{self, ACK, Line, NACK};
use super::mailbox::Mailbox;
use super::message::{Message, excerpt, malformed};
use super::outgoing::Outgoing;
use super::socket::OnClose;
use crate::error::ErrorKind;
use crate::sys::fd_passing;

/// After so many bytes other tasks have their turn.
const TURN: usize = 64 * 1024;

/// The same for a peer that is not trusted: some dozens of short messages. The clients of the other workers wait for each turn.
const UNTRUSTED_TURN: usize = 4 * 1024;

/// How a channel works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    message_limit: usize,
    pub(super) window: usize,
    internal: bool,
    pub(super) bounded: bool,
    /// Whether our end, when it disconnects, stays open until the peer has closed its own.
    pub(super) waits_for_peer: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        let message_limit = DEFAULT_MESSAGE_LIMIT;
        Settings { message_limit, window: 1, internal: false, bounded: false, waits_for_peer: false }
    }
}

impl Settings {
    /// Sets how many bytes a message from the peer may have, at most 4 GiB less one. A longer message ends the channel.
    /// Default: [`DEFAULT_MESSAGE_LIMIT`].
    pub fn message_limit(self, bytes: usize) -> Settings {
        Settings { message_limit: bytes.min(u32::MAX as usize), ..self }
    }

    /// Sets how many handles may be on their way without an acknowledgement. Default: 1, as in Node. With more, handles
    /// are passed many times faster, but one that is refused and sent again comes after those that were behind it.
    /// Messages without a handle keep their order in any case.
    pub fn window(self, handles: usize) -> Settings {
        Settings { window: handles.max(1), ..self }
    }

    /// Keeps the internal messages (`NODE_…`) that the channel does not handle itself for
    /// [`recv_internal`](super::Channel::recv_internal), which must then be called. Default: they are dropped, with
    /// their handles.
    pub fn internal_messages(self) -> Settings {
        Settings { internal: true, ..self }
    }

    /// The settings of a primary's end: internal messages are kept, at least so many handles may be on their way, and the channel is not
    /// read while the peer leaves unread what it is sent ([`Channel::stall_changed`](super::Channel::stall_changed)). Only a primary does
    /// that: two ends that both did would wait for each other.
    pub(crate) fn of_primary(self, window: usize) -> Settings {
        Settings { internal: true, window: self.window.max(window), bounded: true, ..self }
    }
}

/// What arrived and was not delivered.
#[derive(Debug)]
pub(super) struct Incoming {
    mailbox: Arc<Mailbox>,
    settings: Settings,
    decoder: Decoder,
    /// Descriptors that arrived and that no message has claimed.
    unclaimed: VecDeque<OwnedFd>,
    /// Whether the first of them came with the beginning of the message that is not complete.
    carried: bool,
    /// Messages to deliver.
    pub(super) arrived: Vec<Message>,
}

/// The result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    /// How many bytes were read; 0 at the end of the stream.
    pub(super) bytes: usize,
    /// Whether there may be more to read at once.
    pub(super) more: bool,
}

impl Incoming {
    pub(super) fn new(mailbox: Arc<Mailbox>, settings: Settings) -> Incoming {
        let decoder = Decoder::new(settings.message_limit);
        Incoming { mailbox, settings, decoder, unclaimed: VecDeque::new(), carried: false, arrived: Vec::new() }
    }

    /// Reads once. [`sort`](Incoming::sort) deals with the result.
    ///
    /// # Errors
    ///
    /// Those of [`fd_passing::receive`].
    pub(super) fn read(&mut self, socket: BorrowedFd<'_>) -> Result<Read, Errno> {
        // A long message has its reads doubled, so that it needs only a few.
        let most = self.turn().max(self.decoder.incomplete().len());
        let buffer = self.decoder.room();
        let (room, held) = ((buffer.capacity() - buffer.len()).min(most), self.unclaimed.len());
        let received = fd_passing::receive(socket, buffer, most, &mut self.unclaimed)?;
        // A read that does not fill the room leaves nothing; unless it brought a descriptor, where a read ends early.
        let more = received.bytes == room || self.unclaimed.len() > held || received.truncated;
        Ok(Read { bytes: received.bytes, more })
    }

    /// After how many bytes other tasks have their turn, and the user can receive.
    pub(super) fn turn(&self) -> usize {
        if self.settings.bounded { UNTRUSTED_TURN } else { TURN }
    }

    /// Whether the stream has reached a point between two messages.
    pub(super) fn is_between_messages(&self) -> bool {
        self.decoder.incomplete().is_empty()
    }

    /// Deals with every complete message that arrived.
    ///
    /// # Errors
    ///
    /// When the peer sent what is not allowed. Nothing that comes after it can be trusted.
    pub(super) fn sort(&mut self, outgoing: &mut Outgoing) -> Result<(), ErrorKind> {
        while let Some(line) = self.next_line()? {
            let line = line::classify(line)?;
            if mem::take(&mut self.carried) && !matches!(line, Line::Handle { .. }) {
                // It came with this message, which does not announce it.
                self.unclaimed.pop_front();
            }
            match line {
                Line::Message(message) => self.message_arrived(message),
                Line::Handle { handle_type, key, message } => {
                    outgoing.push_own(if self.handle_arrived(handle_type, key, message) { ACK } else { NACK });
                }
                Line::Ack => self.acknowledged(outgoing, true)?,
                Line::Nack => self.acknowledged(outgoing, false)?,
                Line::CountAsked(key) => self.mailbox.count(|counts| Some(counts.count_asked(&key))),
                Line::CloseAsked(key) => self.mailbox.count(|counts| counts.close_asked(&key)),
                Line::Counted(key, count) => self.mailbox.lock().counts.answered(&key, true, count),
                Line::AllClosed(key) => self.mailbox.lock().counts.answered(&key, false, 0),
            }
        }
        // A descriptor comes with the first byte of its message, and a read ends with the message that brought one. So
        // one that is left over belongs to the message whose end is still to come. Without such a message, it is
        // closed.
        self.unclaimed.truncate(usize::from(!self.is_between_messages()));
        self.carried = !self.unclaimed.is_empty();
        Ok(())
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, ErrorKind> {
        self.decoder.next_message().map_err(|unreadable| match unreadable {
            Unreadable::TooLong => ErrorKind::MessageTooLong {
                limit: self.settings.message_limit,
                beginning: excerpt(self.decoder.incomplete()),
            },
            Unreadable::Advanced => {
                let reason = "a frame of the serialization mode \"advanced\", and this channel speaks \"json\"";
                malformed(reason, self.decoder.incomplete())
            }
        })
    }

    fn message_arrived(&mut self, message: Message) {
        if !message.is_internal() || self.settings.internal {
            self.arrived.push(message);
        }
    }

    /// Takes the handle that a message announces. Returns whether there is one, of the type that the message says. It
    /// is acknowledged at once, and not when the user receives it: until then the sender keeps all later messages back.
    fn handle_arrived(&mut self, named: Option<HandleType>, key: Option<String>, mut message: Message) -> bool {
        let fd = self.unclaimed.pop_front();
        let counted = || {
            let (key, mailbox) = (key?, self.mailbox.clone());
            mailbox.lock().counts.opened(&key);
            Some(OnClose::new(move || mailbox.count(|counts| counts.closed(&key))))
        };
        message.handle = named.zip(fd).and_then(|(named, fd)| Handle::restore(named, fd, counted));
        let taken = message.handle.is_some();
        if taken {
            self.message_arrived(message);
        }
        taken
    }

    /// Concludes the oldest handle that is on its way: the peer has taken it or refused it.
    fn acknowledged(&mut self, outgoing: &mut Outgoing, taken: bool) -> Result<(), ErrorKind> {
        let Some(message) = outgoing.acknowledged() else {
            let line = if taken { ACK } else { NACK };
            return Err(malformed("the acknowledgement of a handle that was not sent", line));
        };
        if let Some(refused) = message.conclude(taken, &self.mailbox.peer) {
            self.mailbox.lock().queue.push_again(refused);
        }
        Ok(())
    }
}
