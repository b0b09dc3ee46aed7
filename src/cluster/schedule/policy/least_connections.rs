//! The worker with the fewest connections.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::cluster::schedule::order::{Candidate, Order};

/// The open workers by load, then by how long ago they were given an item.
#[derive(Debug, Default)]
pub(super) struct LeastConnections {
    ranks: HashMap<u32, Rank>,
    /// All ranks, the least first; those that workers had before, too: they are skipped.
    heap: BinaryHeap<Reverse<Rank>>,
}

/// A worker's load, the number of its last item, its id.
type Rank = (usize, u64, u32);

// ANCHOR: order
impl Order for LeastConnections {
    fn open(&mut self, worker: &Candidate) {
        let rank = (worker.load, worker.last_item, worker.worker);
        self.ranks.insert(worker.worker, rank);
        self.heap.push(Reverse(rank));
        if self.heap.len() > 2 * self.ranks.len() + 16 {
            self.heap = self.ranks.values().copied().map(Reverse).collect();
        }
    }

    fn close(&mut self, worker: &Candidate) {
        self.ranks.remove(&worker.worker);
    }

    fn first(&mut self) -> Option<u32> {
        loop {
            let Reverse(rank) = self.heap.peek()?;
            if self.ranks.get(&rank.2) == Some(rank) {
                return Some(rank.2);
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
// ANCHOR_END: order
