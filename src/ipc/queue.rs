//! What waits to be sent, and which of it may go.

use std::collections::VecDeque;

use tokio::sync::{mpsc, oneshot};

use super::{Handle, NotSent};

/// What may wait before a sender is told to wait, too: as much as in Node.
pub(super) const HIGH_WATER: usize = 128 * 1024;

/// A message longer than this is not copied behind the others, but stays as it was made.
const COPIED: usize = 16 * 1024;

/// The longest line that may be on its way together with other handles. The kernel passes it in one piece then. Node keeps a single
/// descriptor for the next handle that it finds; with the end of one line and the beginning of the next in one read, it would confuse
/// their descriptors.
const PIPELINED: usize = 16 * 1024;

/// Something to be sent.
#[derive(Debug)]
pub(super) enum Entry {
    /// Whole lines without handles.
    Lines(Vec<u8>),
    /// A line with its handle.
    Parcel(Box<Parcel>),
}

/// A message with a handle, kept until its receiver says that it has it.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) line: Vec<u8>,
    pub(super) handle: Handle,
    /// How often it has been sent.
    pub(super) times: u32,
    /// Where the sender waits for the outcome, if it does.
    pub(super) receipt: Receipt,
}

/// What became of a handle: it is ours again, taken by the peer as well or not.
pub(crate) type Outcome = Result<Handle, NotSent>;

/// Where the sender of a handle learns what became of it.
#[derive(Debug)]
pub(super) enum Receipt {
    One(oneshot::Sender<Outcome>),
    /// One of many that are told in one place, in the order in which it happened, each with its number.
    Numbered(u64, mpsc::UnboundedSender<(u64, Outcome)>),
}

impl Receipt {
    /// Nobody may be waiting: then the handle is closed here.
    pub(super) fn tell(self, outcome: Outcome) {
        match self {
            Receipt::One(sender) => drop(sender.send(outcome)),
            Receipt::Numbered(number, sender) => drop(sender.send((number, outcome))),
        }
    }
}

/// The handles that have been let go and are not acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unacknowledged {
    pub(super) count: usize,
    /// Whether one of them has a line longer than [`PIPELINED`].
    pub(super) long: bool,
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

/// What a sender has posted and the driver has not taken.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// Memory of lines that have been written, to be used again: new memory costs a page fault for every 4 KiB.
    spare: Vec<Vec<u8>>,
    /// Bytes posted since the channel was made.
    posted: u64,
    /// How many of them the kernel has taken.
    taken: u64,
}

impl Queue {
    /// Adds a line, and gives back memory for the next one.
    pub(super) fn push_line(&mut self, line: Vec<u8>) -> Vec<u8> {
        self.posted += line.len() as u64;
        if line.len() > COPIED {
            self.entries.push_back(Entry::Lines(line));
            return self.spare.pop().unwrap_or_default();
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

    /// Keeps the memory of lines that have been written, but not much of it.
    pub(super) fn keep_spare(&mut self, lines: Vec<u8>) {
        if self.spare.len() < 2 && lines.capacity() <= 2 * HIGH_WATER {
            self.spare.push(lines);
        }
    }

    pub(super) fn push_parcel(&mut self, parcel: Box<Parcel>) {
        self.posted += parcel.line.len() as u64;
        self.entries.push_back(Entry::Parcel(parcel));
    }

    /// Puts a parcel that was refused before everything else.
    pub(super) fn push_again(&mut self, parcel: Box<Parcel>) {
        self.entries.push_front(Entry::Parcel(parcel));
    }

    /// The next entry, if it may go.
    pub(super) fn next(&mut self, unacknowledged: Unacknowledged, window: usize) -> Option<Entry> {
        let entry = self.entries.pop_front_if(|entry| may_go(entry, unacknowledged, window))?;
        Some(entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Everything, whether it may go or not.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry> {
        self.entries.drain(..)
    }

    /// The kernel has taken so many bytes more.
    pub(super) fn taken(&mut self, bytes: usize) {
        self.taken += bytes as u64;
    }

    /// Bytes posted that the kernel has not taken.
    pub(super) fn waiting(&self) -> usize {
        (self.posted - self.taken) as usize
    }

    pub(super) fn posted(&self) -> u64 {
        self.posted
    }

    /// Whether the kernel has taken all that was posted when [`posted`](Queue::posted) said `mark`.
    pub(super) fn has_passed(&self, mark: u64) -> bool {
        self.taken >= mark
    }
}

/// Whether an entry may be sent while these handles are not acknowledged. The rules:
///
/// 1. when there are none, anything may;
/// 2. lines wait until there are none, so that no message overtakes a handle that has to be sent again (acknowledgements are no
///    entries and wait for nothing: otherwise two processes could wait for each other's);
/// 3. a handle may if there are fewer than `window`, and neither its own line nor one of theirs is long.
fn may_go(entry: &Entry, unacknowledged: Unacknowledged, window: usize) -> bool {
    match entry {
        _ if unacknowledged.count == 0 => true,
        Entry::Lines(_) => false,
        Entry::Parcel(parcel) => {
            unacknowledged.count < window && !unacknowledged.long && parcel.line.len() <= PIPELINED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(length: usize) -> Box<Parcel> {
        let (handle, _) = std::os::unix::net::UnixStream::pair().expect("a pair");
        Box::new(Parcel {
            line: vec![b'x'; length],
            handle: handle.into(),
            times: 0,
            receipt: Receipt::One(oneshot::channel().0),
        })
    }

    fn unacknowledged(lengths: &[usize]) -> Unacknowledged {
        let mut unacknowledged = Unacknowledged::default();
        lengths.iter().for_each(|length| unacknowledged.one_more(&vec![0; *length]));
        unacknowledged
    }

    #[test]
    fn lines_wait_behind_a_handle_and_handles_for_the_window() {
        let (lines, small, long) = (Entry::Lines(Vec::new()), Entry::Parcel(parcel(9)), Entry::Parcel(parcel(99_999)));
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
        queue.push_parcel(parcel(3));
        queue.push_line(b"4\n".to_vec());
        assert_eq!((queue.waiting(), queue.posted()), (9, 9));
        let none = Unacknowledged::default();
        assert!(matches!(queue.next(none, 1), Some(Entry::Lines(lines)) if lines == b"1\n2\n"));
        assert!(matches!(queue.next(none, 1), Some(Entry::Parcel(_))));
        assert!(queue.next(unacknowledged(&[3]), 1).is_none());
        queue.taken(7);
        assert!(!queue.has_passed(9) && queue.has_passed(7));
        assert!(matches!(queue.next(none, 1), Some(Entry::Lines(lines)) if lines == b"4\n"));
    }
}
