//! Node's round robin.

use super::chain::Chain;
use super::members::Slot;
use super::order::Order;

/// The open workers stand in a line. Who was given an item goes to its end, at once if it still has room, otherwise when it has
/// room again: one that is slow to answer loses its turns and nothing else.
#[derive(Debug)]
pub(super) struct RoundRobin(Chain);

impl RoundRobin {
    pub(super) fn new() -> RoundRobin {
        RoundRobin(Chain::new())
    }
}

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
