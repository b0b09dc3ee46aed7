//! What a policy decides.

use std::fmt::Debug;

/// Decides which worker is next, and for which worker a client's items wait. The [`Scheduler`](super::Scheduler) keeps
/// the items, and counts.
///
/// A worker is *open* while it can take an item: it has room, and, if the order has owners, an item waits for it.
///
/// This trait is public so that lab 10 can bring an order of its own. It is outside of semver.
pub trait Order: Debug + Send + Sync {
    /// Adds a worker, which is not open yet.
    fn add(&mut self, _worker: u32, _weight: u32) {}

    /// Removes a worker, which is not open any more.
    fn remove(&mut self, _worker: u32) {}

    /// Changes a worker's weight.
    fn set_weight(&mut self, _worker: u32, _weight: u32) {}

    /// Returns whether each item waits for one worker, its client's owner. Otherwise it waits for any worker.
    fn has_owners(&self) -> bool {
        false
    }

    /// Returns the worker to which this client belongs. With owners it is `None` only while there are no workers.
    fn owner(&self, _client: u64) -> Option<u32> {
        None
    }

    /// Opens a worker, which was not open.
    fn open(&mut self, worker: &Candidate);

    /// Closes a worker, which was open.
    fn close(&mut self, worker: &Candidate);

    /// Returns the open worker whose turn it is. It stays the same until another method is called.
    fn first(&mut self) -> Option<u32>;

    /// Notes that the first worker was given an item, which the candidate counts already.
    fn given(&mut self, worker: &Candidate, still_open: bool);

    /// Notes that the load of an open worker is one item less, which the candidate counts already.
    fn done(&mut self, _worker: &Candidate) {}
}

/// What an [`Order`] knows of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The worker's id.
    pub id: u32,
    /// How many items it was given that are not done.
    pub load: usize,
    /// The number of the last item that it was given. 0: it was given none yet.
    pub last_item: u64,
}
