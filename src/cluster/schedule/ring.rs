//! Consistent hashing (Karger and others, 1997).

use super::hash::{GOLDEN, mix};
use super::members::Slot;

/// How many points a worker has. Shares differ by about one part in the square root of this, 9 %; a thousand workers
/// take a megabyte.
const POINTS: u64 = 128;

/// Workers and clients are points on one ring; a client belongs to the worker whose point comes next. A worker that
/// comes takes clients from the others and moves none between them; one that goes leaves its own to the others.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// In order. Where two workers share a point the seed decides, so that the ring does not depend on who came first.
    points: Vec<Point>,
    /// Where in `points` each of as many equal parts of the ring begins. Points lie evenly, so a search looks at one or
    /// two: a binary search would look at seventeen of a thousand workers', most of them not in the cache.
    parts: Vec<u32>,
    /// By how many bits to shift a place on the ring to get its part.
    shift: u32,
    /// By slot.
    seeds: Vec<u64>,
    /// Workers have come or gone since the points were put in order: that is done when somebody asks, once for all of them.
    changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    place: u32,
    slot: Slot,
}

impl Ring {
    /// `seed`: what this worker's points are made of.
    pub(super) fn add(&mut self, slot: Slot, seed: u64) {
        if self.seeds.len() <= usize::from(slot) {
            self.seeds.resize(usize::from(slot) + 1, 0);
        }
        self.seeds[usize::from(slot)] = seed;
        let place = |index: u64| (mix(seed.wrapping_add(index.wrapping_mul(GOLDEN))) >> 32) as u32;
        self.points.extend((1..=POINTS).map(|index| Point { place: place(index), slot }));
        self.changed = true;
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        self.points.retain(|point| point.slot != slot);
        self.changed = true;
    }

    /// Whose client this is; None when there are no workers.
    pub(super) fn owner(&mut self, client: u64) -> Option<Slot> {
        if std::mem::take(&mut self.changed) {
            self.put_in_order();
        }
        let place = (mix(client) >> 32) as u32;
        let start = *self.parts.get((u64::from(place) >> self.shift) as usize)? as usize;
        let next = self.points[start..].iter().find(|point| point.place >= place);
        next.or(self.points.first()).map(|point| point.slot)
    }

    #[cold]
    fn put_in_order(&mut self) {
        let seeds = &self.seeds;
        // The stable sort finds what is in order already, and merges.
        self.points.sort_by(|a, b| {
            a.place.cmp(&b.place).then_with(|| seeds[usize::from(a.slot)].cmp(&seeds[usize::from(b.slot)]))
        });
        self.divide();
    }

    fn divide(&mut self) {
        self.parts.clear();
        if self.points.is_empty() {
            return;
        }
        let parts = self.points.len().next_power_of_two();
        self.shift = 32 - parts.ilog2();
        for (index, point) in self.points.iter().enumerate() {
            let part = (u64::from(point.place) >> self.shift) as usize;
            if self.parts.len() <= part {
                self.parts.resize(part + 1, index as u32);
            }
        }
        self.parts.resize(parts, self.points.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring(seeds: impl IntoIterator<Item = u64>) -> Ring {
        let mut ring = Ring::default();
        for (slot, seed) in seeds.into_iter().enumerate() {
            ring.add(slot as Slot, mix(seed));
        }
        ring
    }

    proptest! {
        #[test]
        fn the_parts_lead_to_the_next_point(workers in 1u64..20, clients in prop::collection::vec(any::<u64>(), 30)) {
            let mut ring = ring(0..workers);
            for client in clients {
                let place = (mix(client) >> 32) as u32;
                let owner = ring.owner(client);
                let next = ring.points.iter().find(|point| point.place >= place).unwrap_or(&ring.points[0]);
                prop_assert_eq!(owner, Some(next.slot));
            }
        }

        #[test]
        fn the_ring_does_not_depend_on_who_came_first(
            seeds in prop::collection::hash_set(any::<u64>(), 1..12),
            client: u64,
        ) {
            let forwards: Vec<u64> = seeds.into_iter().collect();
            let backwards: Vec<u64> = forwards.iter().rev().copied().collect();
            let owner = |seeds: &[u64]| ring(seeds.iter().copied()).owner(client).map(|slot| seeds[usize::from(slot)]);
            prop_assert_eq!(owner(&forwards), owner(&backwards));
        }
    }

    #[test]
    fn shares_are_about_equal_and_one_more_worker_moves_its_share() {
        const CLIENTS: u64 = 100_000;
        for workers in [2, 16, 100] {
            let mut ring = ring(0..workers);
            let before: Vec<_> = (0..CLIENTS).map(|client| ring.owner(client)).collect();
            for slot in 0..workers as Slot {
                let share = before.iter().filter(|owner| **owner == Some(slot)).count() as f64;
                let even = CLIENTS as f64 / workers as f64;
                assert!((0.6..1.4).contains(&(share / even)), "{slot} of {workers} has {share}, not about {even}");
            }
            ring.add(workers as Slot, mix(workers));
            let after: Vec<_> = (0..CLIENTS).map(|client| ring.owner(client)).collect();
            let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
            assert!(moved.iter().all(|(_, after)| **after == Some(workers as Slot)), "nobody moved between the others");
            let moved = moved.len() as f64;
            let even = CLIENTS as f64 / (workers + 1) as f64;
            assert!((0.6..1.4).contains(&(moved / even)), "one more than {workers} moved {moved}, not about {even}");
            ring.remove(workers as Slot);
            assert!((0..CLIENTS).map(|client| ring.owner(client)).eq(before), "when it goes its clients move back");
        }
    }
}
