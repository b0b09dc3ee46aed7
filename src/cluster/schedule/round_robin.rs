//! Node's round robin.

use super::chain::Chain;
use super::members::Slot;
use super::order::Order;

/// The open workers stand in a line. Who was given an item goes to its end, at once if it still has room, otherwise
/// when it has room again: one that is slow to answer loses its turns and nothing else.
#[derive(Debug)]
pub(super) struct RoundRobin(Chain);

impl RoundRobin {
    pub(super) fn new() -> RoundRobin {
        RoundRobin(Chain::new())
    }
}

// ANCHOR: order
impl Order for RoundRobin {
    fn add(&mut self, _slot: Slot, _weight: u32) {}

    fn remove(&mut self, _slot: Slot) {}

    fn open(&mut self, slot: Slot) {
        self.0.push_back(slot);
    }

    fn close(&mut self, slot: Slot) {
        self.0.remove(slot);
    }

    fn first(&mut self) -> Option<Slot> {
        self.0.front()
    }

    fn given(&mut self, slot: Slot, open: bool) {
        if open {
            self.0.push_back(slot);
        } else {
            self.0.remove(slot);
        }
    }
}
// ANCHOR_END: order

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Policy, Scheduler};

    proptest! {
        #[test]
        fn among_those_with_room_nobody_is_two_items_ahead(rooms in prop::collection::vec(1usize..20, 1..20)) {
            let mut scheduler = Scheduler::new(Policy::RoundRobin);
            for (worker, room) in rooms.iter().enumerate() {
                scheduler.add(worker, 1);
                scheduler.set_room(worker, *room);
            }
            (0..rooms.iter().sum()).for_each(|item: usize| scheduler.offer(item, 0));
            while let Some((worker, _)) = scheduler.next() {
                let load = scheduler.load(worker);
                let mut others = (0..rooms.len()).filter(|other| scheduler.load(*other) < rooms[*other]);
                prop_assert!(others.all(|other| scheduler.load(other) + 1 >= load));
            }
            prop_assert_eq!(scheduler.waiting(), 0);
        }
    }
}
