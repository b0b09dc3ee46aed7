//! What a policy decides: who is next. The items themselves wait elsewhere.

use std::fmt::Debug;

use super::members::Slot;

/// The workers with room, which are called open here, in the order of a policy.
pub(super) trait Order: Debug + Send + Sync {
    /// A new worker, not yet open.
    fn add(&mut self, slot: Slot, weight: u32);

    /// It has been closed before.
    fn remove(&mut self, slot: Slot);

    /// Only where weights matter.
    fn set_weight(&mut self, _slot: Slot, _weight: u32) {}

    /// It had no room, and has some.
    fn open(&mut self, slot: Slot);

    /// It had room, and has none.
    fn close(&mut self, slot: Slot);

    /// Whose turn it is, of the open ones. The answer is the same until something is changed.
    fn first(&mut self) -> Option<Slot>;

    /// The first was given an item; `open`: it still has room.
    fn given(&mut self, slot: Slot, open: bool);

    /// One of its items is done.
    fn done(&mut self, _slot: Slot) {}
}
