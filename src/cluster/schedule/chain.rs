//! A list from which any member can be taken in one step.

use super::members::Slot;

/// Slots in order, each at most once.
#[derive(Debug)]
pub(super) struct Chain {
    /// A ring of links: the first is the list's own, a slot's is one after its number. One that is not listed points at
    /// itself.
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
}

impl Chain {
    pub(super) fn new() -> Chain {
        Chain { links: vec![Link { before: 0, after: 0 }] }
    }

    pub(super) fn front(&self) -> Option<Slot> {
        self.links[0].after.checked_sub(1).map(|slot| slot as Slot)
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.links.get(usize::from(slot) + 1).is_some_and(|link| link.after != u32::from(slot) + 1)
    }

    /// If it is listed already it moves.
    pub(super) fn push_back(&mut self, slot: Slot) {
        self.remove(slot);
        self.insert(slot, self.links[0].before, 0);
    }

    /// If it is listed already it moves.
    pub(super) fn push_front(&mut self, slot: Slot) {
        self.remove(slot);
        self.insert(slot, 0, self.links[0].after);
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        let own = u32::from(slot) + 1;
        while self.links.len() <= own as usize {
            let next = self.links.len() as u32;
            self.links.push(Link { before: next, after: next });
        }
        let Link { before, after } = self.links[own as usize];
        self.links[before as usize].after = after;
        self.links[after as usize].before = before;
        self.links[own as usize] = Link { before: own, after: own };
    }

    fn insert(&mut self, slot: Slot, before: u32, after: u32) {
        let own = u32::from(slot) + 1;
        self.links[own as usize] = Link { before, after };
        self.links[before as usize].after = own;
        self.links[after as usize].before = own;
    }
}
