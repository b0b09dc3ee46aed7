//! Who gets the next connection: five policies, without a clock, a socket or a process.
//!
//! | [`Policy`] | who is next, of the workers with room | one decision among n workers |
//! |---|---|---|
//! | [`RoundRobin`](Policy::RoundRobin) | the one that was given something, or got room, longest ago | O(1) |
//! | [`Shared`](Policy::Shared) | the one that became idle last, as long as it has room | O(1) |
//! | [`Weighted`](Policy::Weighted) | in turn, evenly mixed; each gets its weight a round | O(log n) on average |
//! | [`LeastConnections`](Policy::LeastConnections) | the least loaded; of those, the longest unserved | O(log n) |
//! | [`Sticky`](Policy::Sticky) | the client's own: consistent hashing of its address | O(1) |
//!
//! What waits is served in the order in which it came; with [`Sticky`](Policy::Sticky) that holds for each worker, and
//! a worker without room delays its own clients only. The same calls give the same answers in every run.
//!
//! ```
//! use forklore::cluster::schedule::{Policy, Scheduler};
//!
//! let mut scheduler = Scheduler::new(Policy::RoundRobin);
//! scheduler.offer("a connection", 0);
//! assert_eq!(scheduler.next(), None); // nobody is there
//! scheduler.add(1, 1);
//! assert_eq!(scheduler.next(), Some((1, "a connection")));
//! ```

use std::collections::VecDeque;
use std::hash::Hash;

mod chain;
mod hash;
mod least_connections;
mod members;
mod order;
mod policy;
mod ring;
mod round_robin;
mod shared;
mod sticky;
#[cfg(test)]
mod tests;
mod tournament;
mod weighted;

use least_connections::LeastConnections;
use members::{Members, Slot};
use order::Order;
pub use policy::{Policy, UnknownPolicy};
use round_robin::RoundRobin;
use shared::Shared;
use sticky::Sticky;
use weighted::Weighted;

/// What waits (`T`: a connection, a simulated request) and who may get it (`W`: a worker's id).
///
/// What is said of a worker that is not there is ignored: an answer may come after the worker has gone.
#[derive(Debug)]
pub struct Scheduler<W, T> {
    members: Members<W>,
    lines: Lines<T>,
}

#[derive(Debug)]
enum Lines<T> {
    /// All workers serve the same queue.
    One { queue: VecDeque<T>, order: Box<dyn Order> },
    /// Each has its own.
    Own(Sticky<T>),
}

impl<W: Copy + Eq + Hash, T> Scheduler<W, T> {
    /// Without workers, and with nothing waiting.
    pub fn new(policy: Policy) -> Self {
        let order: Box<dyn Order> = match policy {
            Policy::RoundRobin => Box::new(RoundRobin::new()),
            Policy::Shared => Box::new(Shared::new()),
            Policy::Weighted => Box::new(Weighted::new()),
            Policy::LeastConnections => Box::new(LeastConnections::new()),
            Policy::Sticky => return Scheduler { members: Members::new(), lines: Lines::Own(Sticky::new()) },
        };
        Scheduler { members: Members::new(), lines: Lines::One { queue: VecDeque::new(), order } }
    }

    /// A new worker, with room for one item at first. Only [`Policy::Weighted`] looks at its weight, which is from 1 to
    /// 4,096: 0 counts as 1, more as the most. A worker that is there already only gets the weight.
    ///
    /// # Panics
    ///
    /// When there are 65,536 others.
    pub fn add(&mut self, worker: W, weight: u32) {
        if self.contains(worker) {
            return self.set_weight(worker, weight);
        }
        let slot = self.members.add(worker);
        match &mut self.lines {
            Lines::One { order, .. } => order.add(slot, weight),
            Lines::Own(sticky) => sticky.add(slot, self.members.seed(worker)),
        }
        self.set_room(worker, 1);
    }

    /// Forgets a worker and its load. What waited for it alone ([`Policy::Sticky`]) waits for the others.
    pub fn remove(&mut self, worker: W) {
        self.set_room(worker, 0);
        let Some((slot, _)) = self.members.remove(worker) else { return };
        match &mut self.lines {
            Lines::One { order, .. } => order.remove(slot),
            Lines::Own(sticky) => sticky.remove(slot),
        }
    }

    /// Whether this worker is there.
    pub fn contains(&self, worker: W) -> bool {
        self.members.slot(worker).is_some()
    }

    /// From now on this worker has this weight, as in [`add`](Scheduler::add).
    pub fn set_weight(&mut self, worker: W, weight: u32) {
        if let (Some(slot), Lines::One { order, .. }) = (self.members.slot(worker), &mut self.lines) {
            order.set_weight(slot, weight);
        }
    }

    /// How many more items this worker may be given from now on; 0: none. To be called whenever that changes, but for
    /// what [`next`](Scheduler::next) takes itself.
    pub fn set_room(&mut self, worker: W, room: usize) {
        let Some((slot, member)) = self.members.find(worker) else { return };
        let before = std::mem::replace(&mut member.room, room);
        match (&mut self.lines, before > 0, room > 0) {
            (Lines::One { order, .. }, false, true) => order.open(slot),
            (Lines::One { order, .. }, true, false) => order.close(slot),
            (Lines::Own(sticky), false, true) => sticky.open(slot),
            (Lines::Own(sticky), true, false) => sticky.close(slot),
            _ => {}
        }
    }

    /// One more item waits. Only [`Policy::Sticky`] looks at `client`: a number made of the client's address, without
    /// the port.
    pub fn offer(&mut self, item: T, client: u64) {
        match &mut self.lines {
            Lines::One { queue, .. } => queue.push_back(item),
            Lines::Own(sticky) => sticky.offer(item, client),
        }
    }

    /// An item that came back waits again, before all others; with [`Policy::Sticky`] before all others for the same
    /// worker.
    pub fn offer_again(&mut self, item: T, client: u64) {
        match &mut self.lines {
            Lines::One { queue, .. } => queue.push_front(item),
            Lines::Own(sticky) => sticky.offer_again(item, client),
        }
    }

    /// Who gets an item now, and which; None when nothing waits, or nobody who may get it has room. Takes one of the
    /// worker's room and adds one to its load.
    // An iterator that has ended may be asked no more; this one goes on when there is room again.
    #[allow(clippy::should_implement_trait)]
    // ANCHOR: next
    pub fn next(&mut self) -> Option<(W, T)> {
        match &mut self.lines {
            Lines::One { queue, order } => {
                if queue.is_empty() {
                    return None;
                }
                let slot = order.first()?;
                let (worker, open) = give(&mut self.members, slot)?;
                order.given(slot, open);
                queue.pop_front().map(|item| (worker, item))
            }
            Lines::Own(sticky) => {
                let slot = sticky.first()?;
                let (worker, open) = give(&mut self.members, slot)?;
                sticky.take(slot, open).map(|item| (worker, item))
            }
        }
    }
    // ANCHOR_END: next

    /// An item that this worker was given is done, closed or refused: its load is one less. Its room is set separately.
    pub fn done(&mut self, worker: W) {
        let Some((slot, member)) = self.members.find(worker) else { return };
        if member.load > 0 {
            member.load -= 1;
            if let Lines::One { order, .. } = &mut self.lines {
                order.done(slot);
            }
        }
    }

    /// How many items this worker was given that are not done; 0 when it is not there.
    pub fn load(&self, worker: W) -> usize {
        self.members.get(worker).map_or(0, |member| member.load)
    }

    /// How many items wait.
    pub fn waiting(&self) -> usize {
        match &self.lines {
            Lines::One { queue, .. } => queue.len(),
            Lines::Own(sticky) => sticky.waiting(),
        }
    }

    /// Everything that waits, the oldest first; nothing waits any longer.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + use<W, T> {
        match &mut self.lines {
            Lines::One { queue, .. } => std::mem::take(queue),
            Lines::Own(sticky) => sticky.drain(),
        }
        .into_iter()
    }

    /// Who is there, in no particular order.
    pub fn workers(&self) -> impl Iterator<Item = W> {
        self.members.iter().map(|member| member.worker)
    }
}

/// Takes one of a worker's room, adds one to its load. Answers who it is, and whether it has room left.
fn give<W: Copy + Eq + Hash>(members: &mut Members<W>, slot: Slot) -> Option<(W, bool)> {
    let member = members.at(slot)?;
    member.room -= 1;
    member.load += 1;
    Some((member.worker, member.room > 0))
}
