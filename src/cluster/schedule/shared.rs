//! What the kernel does with a listening socket that several processes wait on.

use super::chain::Chain;
use super::members::Slot;
use super::order::Order;

/// The open workers lie on a pile: who became idle last takes items as long as it has room. Under a light load one worker does nearly
/// everything.
///
/// A model, and no rule of the kernel's: of several processes that wait with epoll it wakes all (`epoll_ctl(2)`, `EPOLLEXCLUSIVE`), and
/// the quickest takes the connection, most often one that has not slept for long.
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
