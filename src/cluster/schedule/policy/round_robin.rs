//! Node's round robin.

use std::collections::VecDeque;

use crate::cluster::schedule::order::{Candidate, Order};

/// The open workers stand in a line. A worker that was given an item goes to its end: at once if it still has room,
/// otherwise when it has room again. One that is slow to answer loses its turns and nothing else.
#[derive(Debug, Default)]
pub(super) struct RoundRobin(VecDeque<u32>);

// ANCHOR: order
impl Order for RoundRobin {
    fn open(&mut self, worker: &Candidate) {
        self.0.push_back(worker.id);
    }

    fn close(&mut self, worker: &Candidate) {
        self.0.retain(|other| *other != worker.id);
    }

    fn first(&mut self) -> Option<u32> {
        self.0.front().copied()
    }

    fn given(&mut self, worker: &Candidate, still_open: bool) {
        self.0.pop_front();
        if still_open {
            self.0.push_back(worker.id);
        }
    }
}
// ANCHOR_END: order
