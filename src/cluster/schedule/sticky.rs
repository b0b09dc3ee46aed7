//! The same client to the same worker.

use std::collections::VecDeque;

use super::chain::Chain;
use super::members::Slot;
use super::ring::Ring;

/// Each worker has its own queue. A worker without room keeps its clients waiting and nobody else's.
#[derive(Debug)]
pub(super) struct Sticky<T> {
    ring: Ring,
    /// By slot.
    seats: Vec<Seat<T>>,
    /// Those that are open and have items waiting, in turn.
    ready: Chain,
    /// What came when there were no workers.
    homeless: VecDeque<Waiting<T>>,
    waiting: usize,
    /// The age of the last item that was offered; later ones have greater numbers.
    newest: i64,
    /// The age of the last item that came back; later ones have lesser numbers.
    oldest: i64,
}

#[derive(Debug)]
struct Seat<T> {
    open: bool,
    /// By age.
    queue: VecDeque<Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    client: u64,
    age: i64,
    item: T,
}

impl<T> Sticky<T> {
    pub(super) fn new() -> Self {
        let (ring, ready) = (Ring::default(), Chain::new());
        Sticky { ring, seats: Vec::new(), ready, homeless: VecDeque::new(), waiting: 0, newest: 0, oldest: 0 }
    }

    /// A new worker, not yet open. What waits for others already goes on waiting for them.
    pub(super) fn add(&mut self, slot: Slot, seed: u64) {
        while self.seats.len() <= usize::from(slot) {
            self.seats.push(Seat { open: false, queue: VecDeque::new() });
        }
        self.ring.add(slot, seed);
        let homeless = std::mem::take(&mut self.homeless);
        self.assign(homeless);
    }

    /// It has been closed before.
    pub(super) fn remove(&mut self, slot: Slot) {
        self.ring.remove(slot);
        let queue = std::mem::take(&mut self.seats[usize::from(slot)].queue);
        self.assign(queue);
    }

    pub(super) fn open(&mut self, slot: Slot) {
        let seat = &mut self.seats[usize::from(slot)];
        seat.open = true;
        if !seat.queue.is_empty() {
            self.ready.push_back(slot);
        }
    }

    pub(super) fn close(&mut self, slot: Slot) {
        self.seats[usize::from(slot)].open = false;
        self.ready.remove(slot);
    }

    pub(super) fn offer(&mut self, item: T, client: u64) {
        self.newest += 1;
        let waiting = Waiting { client, age: self.newest, item };
        self.queue_of(client).push_back(waiting);
    }

    pub(super) fn offer_again(&mut self, item: T, client: u64) {
        self.oldest -= 1;
        let waiting = Waiting { client, age: self.oldest, item };
        self.queue_of(client).push_front(waiting);
    }

    /// Where one more item of this client is about to be put.
    fn queue_of(&mut self, client: u64) -> &mut VecDeque<Waiting<T>> {
        self.waiting += 1;
        let Some(slot) = self.ring.owner(client) else { return &mut self.homeless };
        let seat = &mut self.seats[usize::from(slot)];
        if seat.open && seat.queue.is_empty() {
            self.ready.push_back(slot);
        }
        &mut seat.queue
    }

    pub(super) fn first(&self) -> Option<Slot> {
        self.ready.front()
    }

    /// The oldest item that waits for this worker, which is `first`; `open`: it has room for more.
    pub(super) fn take(&mut self, slot: Slot, open: bool) -> Option<T> {
        let seat = &mut self.seats[usize::from(slot)];
        seat.open = open;
        let taken = seat.queue.pop_front()?;
        self.waiting -= 1;
        if open && !seat.queue.is_empty() {
            self.ready.push_back(slot);
        } else {
            self.ready.remove(slot);
        }
        Some(taken.item)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Everything that waits, the oldest first.
    pub(super) fn drain(&mut self) -> VecDeque<T> {
        let mut all: Vec<_> = self.homeless.drain(..).collect();
        for (slot, seat) in self.seats.iter_mut().enumerate() {
            all.extend(seat.queue.drain(..));
            self.ready.remove(slot as Slot);
        }
        self.waiting = 0;
        all.sort_by_key(|waiting| waiting.age);
        all.into_iter().map(|waiting| waiting.item).collect()
    }

    /// Gives items, which wait already, to the workers whose they now are, each to its place by age.
    fn assign(&mut self, items: VecDeque<Waiting<T>>) {
        let mut changed = Vec::new();
        for waiting in items {
            let Some(slot) = self.ring.owner(waiting.client) else {
                self.homeless.push_back(waiting);
                continue;
            };
            self.seats[usize::from(slot)].queue.push_back(waiting);
            changed.push(slot);
        }
        changed.sort_unstable();
        changed.dedup();
        for slot in changed {
            let seat = &mut self.seats[usize::from(slot)];
            seat.queue.make_contiguous().sort_by_key(|waiting| waiting.age);
            if seat.open && !self.ready.contains(slot) {
                self.ready.push_back(slot);
            }
        }
    }
}
