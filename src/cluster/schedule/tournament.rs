//! Who has the least rank, when ranks change all the time.

use super::members::Slot;

/// The rank of a slot that does not take part. All others have at most 48 bits.
pub(super) const NOBODY: u64 = u64::MAX;

/// Knock-out tournaments, `N` of them among the same slots: at each node stands the winner of the two below. A change
/// plays the matches on one way to the root again, ten of them among a thousand slots. A heap plays fewer, but which
/// ones depends on the outcome of those before, which the processor cannot foresee; here all opponents are known from
/// the start, and `N` matches are played in little more time than one.
#[derive(Debug)]
pub(super) struct Tournament<const N: usize> {
    /// A rank above 16 bits for its slot, or `NOBODY`. The root is at 1, the nodes below `i` are at `2i` and `2i + 1`,
    /// the slots themselves are the second half.
    nodes: Vec<[u64; N]>,
}

impl<const N: usize> Tournament<N> {
    pub(super) fn new() -> Self {
        Tournament { nodes: vec![[NOBODY; N]; 2] }
    }

    /// The slot with the least rank in this tournament; of several the least slot.
    pub(super) fn first(&self, tournament: usize) -> Option<Slot> {
        let winner = self.nodes[1][tournament];
        (winner != NOBODY).then_some(winner as Slot)
    }

    /// The slot has these ranks.
    // Inline: the processor waits for an array that was written in halves and is read whole.
    #[inline]
    pub(super) fn set(&mut self, slot: Slot, ranks: [u64; N]) {
        while self.nodes.len() / 2 <= usize::from(slot) {
            self.grow();
        }
        let mut winners = ranks.map(|rank| if rank == NOBODY { NOBODY } else { rank << 16 | u64::from(slot) });
        let mut at = self.nodes.len() / 2 + usize::from(slot);
        self.nodes[at] = winners;
        while at > 1 {
            let rivals = self.nodes[at ^ 1];
            for i in 0..N {
                winners[i] = winners[i].min(rivals[i]);
            }
            at /= 2;
            self.nodes[at] = winners;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let half = self.nodes.len();
        let slots = self.nodes.split_off(half / 2);
        self.nodes.resize(half, [NOBODY; N]);
        self.nodes.extend(slots);
        self.nodes.resize(2 * half, [NOBODY; N]);
        for at in (1..half).rev() {
            let (left, right) = (self.nodes[2 * at], self.nodes[2 * at + 1]);
            self.nodes[at] = std::array::from_fn(|i| left[i].min(right[i]));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_has_the_least_rank(
            changes in prop::collection::vec((0u16..70, any::<[Option<u8>; 2]>()), 0..300),
        ) {
            let (mut tournament, mut all) = (Tournament::new(), BTreeMap::new());
            for (slot, ranks) in changes {
                let ranks = ranks.map(|rank| rank.map_or(NOBODY, u64::from));
                tournament.set(slot, ranks);
                all.insert(slot, ranks);
                for i in 0..2 {
                    let least = all.iter().map(|(slot, ranks)| (ranks[i], *slot)).min();
                    let least = least.filter(|(rank, _)| *rank != NOBODY);
                    prop_assert_eq!(tournament.first(i), least.map(|(_, slot)| slot));
                }
            }
        }
    }
}
