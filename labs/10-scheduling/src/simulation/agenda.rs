//! What is to happen when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// When each busy worker will have finished.
#[derive(Debug, Default)]
// Times are not negative, and so their bits are in the same order.
pub(super) struct Agenda(BinaryHeap<Reverse<(u64, u32)>>);

impl Agenda {
    pub(super) fn add(&mut self, time: f64, worker: u32) {
        self.0.push(Reverse((time.to_bits(), worker)));
    }

    /// The earliest of these times; infinity if there is none.
    pub(super) fn next_time(&self) -> f64 {
        self.0.peek().map_or(f64::INFINITY, |Reverse((time, _))| f64::from_bits(*time))
    }

    /// Whose it is; it is done.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.0.pop().map(|Reverse((_, worker))| worker)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
