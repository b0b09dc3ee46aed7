//! What the kernel does with a listening socket that several processes wait on.

use super::chain::Chain;
use super::members::Slot;
use super::order::Order;

/// The open workers lie on a pile: who became idle last is woken first, as by epoll, which puts each process that
/// begins to wait before the others. The one on top takes items as long as it has room. Under a light load one worker
/// does nearly everything.
#[derive(Debug)]
pub(super) struct Shared(Chain);

impl Shared {
    pub(super) fn new() -> Shared {
        Shared(Chain::new())
    }
}

impl Order for Shared {
    fn add(&mut self, _slot: Slot, _weight: u32) {}

    fn remove(&mut self, _slot: Slot) {}

    fn open(&mut self, slot: Slot) {
        self.0.push_front(slot);
    }

    fn close(&mut self, slot: Slot) {
        self.0.remove(slot);
    }

    fn first(&mut self) -> Option<Slot> {
        self.0.front()
    }

    fn given(&mut self, slot: Slot, open: bool) {
        if !open {
            self.0.remove(slot);
        }
    }
}
