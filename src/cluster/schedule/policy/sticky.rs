//! The same client to the same worker, by consistent hashing (Karger and others, 1997).

use super::round_robin::RoundRobin;
use crate::cluster::schedule::order::{Candidate, Order};

/// How many points a worker has. Shares differ by about one part in the square root of this, 9 %; a thousand workers
/// take a megabyte.
const POINTS: u64 = 128;

/// Workers and clients are points on one ring; a client belongs to the worker whose point comes next. A new worker
/// takes clients from the others and moves none between them; one that goes leaves its own to the others.
#[derive(Debug)]
pub(super) struct Sticky {
    /// Equal parts of the ring, each with its points in order: places with their workers. A search in one list of a
    /// thousand workers' points would take seventeen steps, most of them outside of the processor's cache.
    parts: Vec<Vec<(u32, u32)>>,
    /// The open workers take turns.
    turns: RoundRobin,
}

/// The number of parts is 2 to the power of this.
const PART_BITS: u32 = 12;

/// Returns the part of the ring that has this place.
fn part(place: u32) -> usize {
    (place >> (u32::BITS - PART_BITS)) as usize
}

impl Default for Sticky {
    fn default() -> Sticky {
        Sticky { parts: vec![Vec::new(); 1 << PART_BITS], turns: RoundRobin::default() }
    }
}

impl Order for Sticky {
    fn add(&mut self, worker: u32, _weight: u32) {
        for point in points(worker) {
            let part = &mut self.parts[part(point.0)];
            part.insert(part.partition_point(|other| *other < point), point);
        }
    }

    fn remove(&mut self, worker: u32) {
        points(worker).for_each(|point| self.parts[part(point.0)].retain(|other| *other != point));
    }

    fn has_owners(&self) -> bool {
        true
    }

    fn owner(&self, client: u64) -> Option<u32> {
        let place = place(client);
        let next = self.parts[part(place)..].iter().flatten().find(|(point, _)| *point >= place);
        next.or_else(|| self.parts.iter().flatten().next()).map(|(_, worker)| *worker)
    }

    fn open(&mut self, worker: &Candidate) {
        self.turns.open(worker);
    }

    fn close(&mut self, worker: &Candidate) {
        self.turns.close(worker);
    }

    fn first(&mut self) -> Option<u32> {
        self.turns.first()
    }

    fn given(&mut self, worker: &Candidate, still_open: bool) {
        self.turns.given(worker, still_open);
    }
}

/// 2⁶⁴ divided by the golden ratio, odd: its multiples lie evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Returns a number's place on the ring: the same one in every process and every run, so that a client meets its worker
/// again. This is the last step of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input changes about half
/// of the output's.
fn place(number: u64) -> u32 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((number ^ (number >> 31)) >> 32) as u32
}

/// Returns a worker's points. Ids that follow each other begin far apart.
fn points(worker: u32) -> impl Iterator<Item = (u32, u32)> {
    let product = u128::from(u64::from(worker) ^ GOLDEN) * 0xbf58_476d_1ce4_e5b9;
    let start = (product >> 64) as u64 ^ product as u64;
    (1..=POINTS).map(move |index| (place(start.wrapping_add(index.wrapping_mul(GOLDEN))), worker))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sticky(workers: impl IntoIterator<Item = u32>) -> Sticky {
        let mut sticky = Sticky::default();
        workers.into_iter().for_each(|worker| sticky.add(worker, 1));
        sticky
    }

    proptest! {
        #[test]
        fn the_owner_does_not_depend_on_which_worker_came_first(
            workers in prop::collection::hash_set(any::<u32>(), 1..12),
            client: u64,
        ) {
            let workers: Vec<u32> = workers.into_iter().collect();
            let (forwards, backwards) = (sticky(workers.iter().copied()), sticky(workers.iter().rev().copied()));
            prop_assert_eq!(forwards.owner(client), backwards.owner(client));
        }
    }

    #[test]
    fn shares_are_about_equal_and_one_more_worker_moves_its_share() {
        const CLIENTS: u64 = 100_000;
        for workers in [2, 16, 100] {
            let mut sticky = sticky(0..workers);
            let owners = |sticky: &Sticky| (0..CLIENTS).map(|client| sticky.owner(client)).collect::<Vec<_>>();
            let before = owners(&sticky);
            for worker in 0..workers {
                let share = before.iter().filter(|owner| **owner == Some(worker)).count() as f64;
                let even = CLIENTS as f64 / f64::from(workers);
                assert!((0.6..1.4).contains(&(share / even)), "{worker} of {workers} has {share}, not about {even}");
            }
            sticky.add(workers, 1);
            let after = owners(&sticky);
            let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
            assert!(moved.iter().all(|(_, after)| **after == Some(workers)), "none moved between the others");
            let (moved, even) = (moved.len() as f64, CLIENTS as f64 / f64::from(workers + 1));
            assert!((0.6..1.4).contains(&(moved / even)), "one more than {workers} moved {moved}, not about {even}");
            sticky.remove(workers);
            assert_eq!(owners(&sticky), before, "when it goes its clients move back");
        }
    }
}
