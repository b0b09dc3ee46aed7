//! The worker with the fewest connections.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::cluster::schedule::order::{Candidate, Order};

/// The open workers by load, then by how long ago they were given an item.
///
/// Ranks change twice for each connection. The heap keeps outdated ranks until they come up, or until they are more
/// than half of it: a `BTreeSet` without them takes twice as long.
#[derive(Debug, Default)]
pub(super) struct LeastConnections {
    ranks: HashMap<u32, u128>,
    /// Every current rank, and outdated ones, the least first.
    heap: BinaryHeap<Reverse<u128>>,
}

// ANCHOR: rank
/// Returns load, number of the last item and id as one number, since one number compares faster than three.
fn rank(worker: &Candidate) -> u128 {
    (worker.load as u128) << 96 | u128::from(worker.last_item) << 32 | u128::from(worker.id)
}
// ANCHOR_END: rank

impl Order for LeastConnections {
    fn open(&mut self, worker: &Candidate) {
        let rank = rank(worker);
        self.ranks.insert(worker.id, rank);
        self.heap.push(Reverse(rank));
        if self.heap.len() > 2 * self.ranks.len() + 16 {
            self.heap = self.ranks.values().copied().map(Reverse).collect();
        }
    }

    fn close(&mut self, worker: &Candidate) {
        self.ranks.remove(&worker.id);
    }

    fn first(&mut self) -> Option<u32> {
        loop {
            let Reverse(rank) = *self.heap.peek()?;
            let worker = rank as u32;
            if self.ranks.get(&worker) == Some(&rank) {
                return Some(worker);
            }
            self.heap.pop();
        }
    }

    fn given(&mut self, worker: &Candidate, still_open: bool) {
        if still_open { self.open(worker) } else { self.close(worker) }
    }

    fn done(&mut self, worker: &Candidate) {
        self.open(worker);
    }
}
