//! Who is there.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash};

use super::hash::FixedHasher;

/// A worker's place in all tables: small numbers, used again after a removal.
pub(super) type Slot = u16;

/// One worker as every policy sees it.
#[derive(Debug)]
pub(super) struct Member<W> {
    pub(super) worker: W,
    /// How many more items it may be given.
    pub(super) room: usize,
    /// How many items it was given that are not done.
    pub(super) load: usize,
}

/// The workers, by id and by slot.
#[derive(Debug)]
pub(super) struct Members<W> {
    slots: HashMap<W, Slot, BuildHasherDefault<FixedHasher>>,
    /// None: free.
    members: Vec<Option<Member<W>>>,
    free: Vec<Slot>,
}

impl<W: Copy + Eq + Hash> Members<W> {
    pub(super) fn new() -> Self {
        Members { slots: HashMap::default(), members: Vec::new(), free: Vec::new() }
    }

    /// A slot for a worker that has none.
    pub(super) fn add(&mut self, worker: W) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            let Ok(slot) = Slot::try_from(self.members.len()) else { panic!("more than 65,536 workers at once") };
            self.members.push(None);
            slot
        });
        self.members[usize::from(slot)] = Some(Member { worker, room: 0, load: 0 });
        self.slots.insert(worker, slot);
        slot
    }

    pub(super) fn remove(&mut self, worker: W) -> Option<(Slot, Member<W>)> {
        let slot = self.slots.remove(&worker)?;
        self.free.push(slot);
        self.members[usize::from(slot)].take().map(|member| (slot, member))
    }

    pub(super) fn slot(&self, worker: W) -> Option<Slot> {
        self.slots.get(&worker).copied()
    }

    pub(super) fn find(&mut self, worker: W) -> Option<(Slot, &mut Member<W>)> {
        let slot = self.slot(worker)?;
        self.at(slot).map(|member| (slot, member))
    }

    pub(super) fn at(&mut self, slot: Slot) -> Option<&mut Member<W>> {
        self.members[usize::from(slot)].as_mut()
    }

    pub(super) fn get(&self, worker: W) -> Option<&Member<W>> {
        self.slot(worker).and_then(|slot| self.members[usize::from(slot)].as_ref())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member<W>> {
        self.members.iter().flatten()
    }

    /// The same number for the same worker in every process.
    pub(super) fn seed(&self, worker: W) -> u64 {
        self.slots.hasher().hash_one(worker)
    }
}
