//! The items that wait, and the workers.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::order::{Candidate, Order};
use super::policy::Policy;

/// Keeps items (`T`: a connection, a simulated request) until a worker can take them, and chooses the worker.
///
/// A call that names an unknown worker has no effect: an answer may come after the worker has gone.
#[derive(Debug)]
pub struct Scheduler<T> {
    order: Box<dyn Order>,
    entries: HashMap<u32, Entry<T>>,
    /// What waits for any worker; with owners, for the first worker that is added.
    common: VecDeque<Queued<T>>,
    /// How many items wait, in all lines together.
    waiting: usize,
    /// How many items were given.
    given: u64,
    /// The ages of the last item that was offered, and of the last one that came back. An older item has a smaller age.
    newest: i64,
    oldest: i64,
}

#[derive(Debug)]
struct Entry<T> {
    candidate: Candidate,
    /// How many more items it may be given.
    room: usize,
    /// Whether the order counts it among the open workers.
    open: bool,
    /// What waits for this worker alone, the oldest first.
    line: VecDeque<Queued<T>>,
}

#[derive(Debug)]
struct Queued<T> {
    item: T,
    client: u64,
    age: i64,
}

impl<T> Scheduler<T> {
    /// Creates a scheduler without workers, and with nothing waiting. Returns `None` with [`Policy::Shared`], where the
    /// primary does not decide.
    pub fn new(policy: Policy) -> Option<Self> {
        policy.order().map(Scheduler::with_order)
    }

    /// Creates a scheduler with an order of the caller's own.
    #[doc(hidden)]
    pub fn with_order(order: Box<dyn Order>) -> Self {
        let (entries, common) = (HashMap::new(), VecDeque::new());
        Scheduler { order, entries, common, waiting: 0, given: 0, newest: 0, oldest: 0 }
    }

    /// Adds a worker, with room for one item at first. Only [`Policy::Weighted`] uses its weight, which is from 1 to
    /// 4,096: 0 counts as 1, more as the most. A worker that was added before only gets the weight.
    pub fn add(&mut self, worker: u32, weight: u32) {
        if self.entries.contains_key(&worker) {
            return self.set_weight(worker, weight);
        }
        let candidate = Candidate { id: worker, load: 0, last_item: 0 };
        self.entries.insert(worker, Entry { candidate, room: 0, open: false, line: VecDeque::new() });
        self.order.add(worker, weight);
        self.set_room(worker, 1);
        if self.order.has_owners() {
            let unassigned = std::mem::take(&mut self.common);
            self.assign(unassigned);
        }
    }

    /// Removes a worker and its load. What waited for it alone ([`Policy::Sticky`]) waits for the others.
    pub fn remove(&mut self, worker: u32) {
        self.set_room(worker, 0);
        let Some(entry) = self.entries.remove(&worker) else { return };
        self.order.remove(worker);
        self.assign(entry.line);
    }

    /// Changes a worker's weight, as in [`add`](Scheduler::add).
    pub fn set_weight(&mut self, worker: u32, weight: u32) {
        if self.entries.contains_key(&worker) {
            self.order.set_weight(worker, weight);
        }
    }

    /// Sets how many more items a worker may be given. The caller does this whenever that changes, except that
    /// [`next`](Scheduler::next) counts what it gives.
    pub fn set_room(&mut self, worker: u32, room: usize) {
        if let Some(entry) = self.entries.get_mut(&worker) {
            entry.room = room;
            entry.update(&mut *self.order);
        }
    }

    /// Adds an item, which waits behind the others. Only [`Policy::Sticky`] uses `client`: a number made of the
    /// client's address, without the port.
    pub fn offer(&mut self, item: T, client: u64) {
        self.newest += 1;
        self.put(Queued { item, client, age: self.newest }, VecDeque::push_back);
    }

    /// Puts an item back, before the others; with [`Policy::Sticky`], before the others of the same worker.
    pub fn offer_again(&mut self, item: T, client: u64) {
        self.oldest -= 1;
        self.put(Queued { item, client, age: self.oldest }, VecDeque::push_front);
    }

    /// Chooses a worker and gives it an item: takes one of its room and adds one to its load. Returns `None` when
    /// nothing waits or no worker that may get it has room.
    // An iterator that has ended stays at its end; this one goes on when there is room again.
    #[allow(clippy::should_implement_trait)]
    // ANCHOR: next
    pub fn next(&mut self) -> Option<(u32, T)> {
        if self.waiting == 0 {
            return None;
        }
        let entry = self.entries.get_mut(&self.order.first()?)?;
        let line = if self.order.has_owners() { &mut entry.line } else { &mut self.common };
        let Queued { item, .. } = line.pop_front()?;
        self.waiting -= 1;
        self.given += 1;
        entry.room -= 1;
        entry.candidate.load += 1;
        entry.candidate.last_item = self.given;
        entry.open = entry.can_take(&*self.order);
        self.order.given(&entry.candidate, entry.open);
        Some((entry.candidate.id, item))
    }
    // ANCHOR_END: next

    /// Takes one from a worker's load: an item is done, closed or refused. The worker's room stays the same.
    pub fn done(&mut self, worker: u32) {
        let Some(entry) = self.entries.get_mut(&worker).filter(|entry| entry.candidate.load > 0) else { return };
        entry.candidate.load -= 1;
        if entry.open {
            self.order.done(&entry.candidate);
        }
    }

    /// Returns how many items a worker was given that are not done.
    pub fn load(&self, worker: u32) -> usize {
        self.entries.get(&worker).map_or(0, |entry| entry.candidate.load)
    }

    /// Returns how many items wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns everything that waits, in no particular order.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        let lines = self.entries.values().flat_map(|entry| &entry.line);
        self.common.iter().chain(lines).map(|queued| &queued.item)
    }

    /// Takes what waits and is chosen, the oldest first.
    pub fn extract(&mut self, mut is_chosen: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut chosen = Vec::new();
        let lines = self.entries.values_mut().map(|entry| &mut entry.line);
        for line in lines.chain([&mut self.common]) {
            let (taken, kept): (Vec<_>, Vec<_>) = line.drain(..).partition(|queued| is_chosen(&queued.item));
            *line = kept.into();
            chosen.extend(taken);
        }
        self.entries.values_mut().for_each(|entry| entry.update(&mut *self.order));
        chosen.sort_by_key(|queued| queued.age);
        self.waiting -= chosen.len();
        chosen.into_iter().map(|queued| queued.item).collect()
    }

    fn put(&mut self, queued: Queued<T>, push: fn(&mut VecDeque<Queued<T>>, Queued<T>)) {
        self.waiting += 1;
        match self.order.owner(queued.client).and_then(|owner| self.entries.get_mut(&owner)) {
            Some(owner) => {
                push(&mut owner.line, queued);
                owner.update(&mut *self.order);
            }
            None => push(&mut self.common, queued),
        }
    }

    /// Moves items that wait already, the oldest first, to their owners' lines, each to its place by age.
    fn assign(&mut self, items: VecDeque<Queued<T>>) {
        let mut changed = BTreeSet::new();
        for queued in items {
            let owner = self.order.owner(queued.client);
            let entry = owner.and_then(|owner| self.entries.get_mut(&owner));
            entry.map_or(&mut self.common, |entry| &mut entry.line).push_back(queued);
            changed.extend(owner);
        }
        for worker in changed {
            let Some(entry) = self.entries.get_mut(&worker) else { continue };
            entry.line.make_contiguous().sort_by_key(|queued| queued.age);
            entry.update(&mut *self.order);
        }
    }
}

impl<T> Entry<T> {
    /// Whether it has room, and may take what waits.
    fn can_take(&self, order: &dyn Order) -> bool {
        self.room > 0 && !(order.has_owners() && self.line.is_empty())
    }

    /// Tells the order if this worker has opened or closed.
    fn update(&mut self, order: &mut dyn Order) {
        let open = self.can_take(order);
        match (std::mem::replace(&mut self.open, open), open) {
            (false, true) => order.open(&self.candidate),
            (true, false) => order.close(&self.candidate),
            _ => {}
        }
    }
}
