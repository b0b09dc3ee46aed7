//! What waits to be sent, and which part of it may go.

use std::collections::VecDeque;

use super::handle::{Handle, HandleType};
use super::outcome::{NotSent, Receipt};
use crate::error::{Error, ErrorKind};

/// How many bytes may wait before a sender has to wait, too. The same as in Node.
pub(super) const HIGH_WATER: usize = 128 * 1024;

/// A longer message is not copied behind the others, but stays in its own memory.
const COPIED: usize = 16 * 1024;

/// The longest line that may be on its way together with other handles. The kernel passes it in one piece then. Node
/// keeps a single descriptor for the next handle that it finds; with the end of one line and the beginning of the next
/// in one read, it would confuse their descriptors.
const PIPELINED: usize = 16 * 1024;

/// How often a connection that was refused is sent in all. Node does the same, and sends nothing else again.
const TIMES: u32 = 4;

/// Something to send.
#[derive(Debug)]
pub(super) enum Entry {
    /// Whole lines without handles.
    Lines(Vec<u8>),
    /// A line with its handle.
    Handle(Box<HandleMessage>),
}

impl Entry {
    /// Gives up: the sender of a handle gets it back.
    pub(super) fn undeliverable(self, peer: &str) {
        if let Entry::Handle(message) = self {
            message.fail(Error::new("send a handle to", peer, ErrorKind::ChannelClosed));
        }
    }
}

/// A message with a handle, kept until the peer acknowledges it.
#[derive(Debug)]
pub(super) struct HandleMessage {
    pub(super) line: Vec<u8>,
    pub(super) handle: Handle,
    /// How often it has been sent.
    pub(super) times: u32,
    pub(super) receipt: Receipt,
}

impl HandleMessage {
    /// How many bytes the queue counts when it is sent: those of its line, the first time.
    pub(super) fn counted_bytes(&self) -> usize {
        if self.times == 0 { self.line.len() } else { 0 }
    }

    pub(super) fn fail(self, error: Error) {
        let HandleMessage { handle, receipt, .. } = self;
        receipt.tell(Err(NotSent::new(error, handle)));
    }

    /// Tells the sender what the peer answered. Returns the message if it has to be sent again.
    pub(super) fn conclude(self: Box<Self>, taken: bool, peer: &str) -> Option<Box<Self>> {
        if taken {
            let HandleMessage { handle, receipt, .. } = *self;
            receipt.tell(Ok(handle));
        } else if self.handle.handle_type() == HandleType::Socket && self.times < TIMES {
            return Some(self);
        } else {
            let times = self.times;
            self.fail(Error::new("send a handle to", peer, ErrorKind::HandleRefused { times }));
        }
        None
    }
}

/// The handles that have left the queue and are not acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unacknowledged {
    pub(super) count: usize,
    /// Whether one of them has a line longer than [`PIPELINED`].
    long: bool,
}

impl Unacknowledged {
    pub(super) fn one_more(&mut self, line: &[u8]) {
        self.count += 1;
        self.long |= line.len() > PIPELINED;
    }

    pub(super) fn one_less(&mut self) {
        self.count -= 1;
        self.long &= self.count > 0;
    }
}

/// What was posted and the driver has not taken.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// Memory of lines that were written, for later ones: fresh memory costs a page fault for every 4 KiB.
    spare: Vec<Vec<u8>>,
    /// Bytes posted since the channel was made.
    posted: u64,
    /// How many of them the kernel has taken.
    taken: u64,
}

impl Queue {
    /// Adds a line. Returns memory for the next one.
    pub(super) fn push_line(&mut self, line: Vec<u8>) -> Vec<u8> {
        self.posted += line.len() as u64;
        if line.len() > COPIED {
            // The next message is often as long.
            let spare = self.spare.pop().filter(|spare| spare.capacity() >= line.len());
            let memory = spare.unwrap_or_else(|| Vec::with_capacity(line.len()));
            self.entries.push_back(Entry::Lines(line));
            return memory;
        }
        if let Some(Entry::Lines(lines)) = self.entries.back_mut() {
            lines.extend_from_slice(&line);
        } else {
            let mut lines = self.spare.pop().unwrap_or_default();
            lines.clear();
            lines.extend_from_slice(&line);
            self.entries.push_back(Entry::Lines(lines));
        }
        line
    }

    /// Keeps the memory of lines that were written, but not much of it.
    pub(super) fn keep_spare(&mut self, lines: Vec<u8>) {
        if self.spare.len() < 2 && lines.capacity() <= 2 * HIGH_WATER {
            self.spare.push(lines);
        }
    }

    pub(super) fn push_handle(&mut self, message: Box<HandleMessage>) {
        self.posted += message.line.len() as u64;
        self.entries.push_back(Entry::Handle(message));
    }

    /// Puts a handle that was refused before everything else.
    pub(super) fn push_again(&mut self, message: Box<HandleMessage>) {
        self.entries.push_front(Entry::Handle(message));
    }

    /// Takes the next entry, if it may go.
    pub(super) fn next(&mut self, unacknowledged: Unacknowledged, window: usize) -> Option<Entry> {
        self.entries.pop_front_if(|entry| may_go(entry, unacknowledged, window))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes everything, whether it may go or not.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry> {
        self.entries.drain(..)
    }

    /// Notes how many bytes more the kernel has taken.
    pub(super) fn taken(&mut self, bytes: usize) {
        self.taken += bytes as u64;
    }

    /// Whether a sender may add more without waiting.
    pub(super) fn has_room(&self) -> bool {
        self.waiting() <= HIGH_WATER
    }

    /// How many bytes were posted and not taken.
    pub(super) fn waiting(&self) -> usize {
        (self.posted - self.taken) as usize
    }

    pub(super) fn posted(&self) -> u64 {
        self.posted
    }

    /// Whether the kernel has taken everything that was posted when [`posted`](Queue::posted) returned `mark`.
    pub(super) fn has_passed(&self, mark: u64) -> bool {
        self.taken >= mark
    }
}

/// Whether an entry may be sent while these handles are not acknowledged. The rules:
///
/// 1. when there are none, anything may go;
/// 2. lines wait until there are none, so that no message overtakes a handle that has to be sent again
///    (acknowledgements are not entries and do not wait: otherwise two processes could wait for each other's);
/// 3. a handle may go if there are fewer than `window`, and neither its own line nor one of theirs is long.
fn may_go(entry: &Entry, unacknowledged: Unacknowledged, window: usize) -> bool {
    match entry {
        _ if unacknowledged.count == 0 => true,
        Entry::Lines(_) => false,
        Entry::Handle(message) => {
            unacknowledged.count < window && !unacknowledged.long && message.line.len() <= PIPELINED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Delivery;
    use super::*;

    fn handle_message(length: usize) -> Box<HandleMessage> {
        let (handle, _) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let (receipt, _) = Delivery::new();
        Box::new(HandleMessage { line: vec![b'x'; length], handle: handle.into(), times: 0, receipt })
    }

    fn unacknowledged(lengths: &[usize]) -> Unacknowledged {
        let mut unacknowledged = Unacknowledged::default();
        lengths.iter().for_each(|length| unacknowledged.one_more(&vec![0; *length]));
        unacknowledged
    }

    #[test]
    fn lines_wait_behind_a_handle_and_handles_for_the_window() {
        let (lines, small) = (Entry::Lines(Vec::new()), Entry::Handle(handle_message(9)));
        let long = Entry::Handle(handle_message(99_999));
        let may_go = |entry, lengths: &[usize], window| may_go(entry, unacknowledged(lengths), window);
        assert!(may_go(&lines, &[], 1) && may_go(&small, &[], 1) && may_go(&long, &[], 1));
        assert!(!may_go(&lines, &[9], 99), "no message overtakes a handle");
        assert!(!may_go(&small, &[9], 1) && may_go(&small, &[9], 2) && !may_go(&small, &[9, 9], 2));
        assert!(!may_go(&long, &[9], 2) && !may_go(&small, &[99_999], 2), "a long line goes alone");
    }

    #[test]
    fn order_is_kept_and_short_lines_are_joined() {
        let mut queue = Queue::default();
        queue.push_line(b"1\n".to_vec());
        queue.push_line(b"2\n".to_vec());
        queue.push_handle(handle_message(3));
        queue.push_line(b"4\n".to_vec());
        assert_eq!(queue.posted(), 9);
        let none = Unacknowledged::default();
        assert!(matches!(queue.next(none, 1), Some(Entry::Lines(lines)) if lines == b"1\n2\n"));
        assert!(matches!(queue.next(none, 1), Some(Entry::Handle(_))));
        assert!(queue.next(unacknowledged(&[3]), 1).is_none());
        queue.taken(7);
        assert!(!queue.has_passed(9) && queue.has_passed(7));
        assert!(matches!(queue.next(none, 1), Some(Entry::Lines(lines)) if lines == b"4\n"));
    }

    #[test]
    fn there_is_room_until_more_than_the_high_water_mark_waits() {
        let mut queue = Queue::default();
        queue.push_line(vec![b'x'; HIGH_WATER]);
        assert!(queue.has_room());
        queue.push_line(b"\n".to_vec());
        assert!(!queue.has_room());
        queue.taken(1);
        assert!(queue.has_room());
    }
}
