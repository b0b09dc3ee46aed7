//! Between the threads that simulate, and the one that waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(super) struct Watch {
    served: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    /// Returns how many requests have been served, by all policies together.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    pub(super) fn add_served(&self, count: u64) {
        self.served.fetch_add(count, Ordering::Relaxed);
    }

    /// Returns whether no thread waits for the outcome any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Ends the watch when dropped.
pub(super) struct Watching(pub(super) Arc<Watch>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}
