//! What the kernel does with a listening socket that several processes wait on: a model of `Policy::Shared`.

use forklore::cluster::schedule::{Candidate, Order};

/// The open workers lie on a pile: the one that became idle last takes items as long as it has room. Under a light load
/// one worker does nearly everything.
///
/// This is a model, not a rule of the kernel's. Of several processes that wait with epoll, the kernel wakes all
/// (`epoll_ctl(2)`, `EPOLLEXCLUSIVE`), and the quickest takes the connection: most often one that has not slept for
/// long.
#[derive(Debug, Default)]
pub(super) struct Pile(Vec<u32>);

// ANCHOR: order
impl Order for Pile {
    fn open(&mut self, worker: &Candidate) {
        self.0.push(worker.id);
    }

    fn close(&mut self, worker: &Candidate) {
        self.0.retain(|other| *other != worker.id);
    }

    fn first(&mut self) -> Option<u32> {
        self.0.last().copied()
    }

    fn given(&mut self, _worker: &Candidate, still_open: bool) {
        if !still_open {
            self.0.pop();
        }
    }
}
// ANCHOR_END: order

#[cfg(test)]
mod tests {
    use forklore::cluster::schedule::Scheduler;

    use super::*;

    #[test]
    fn the_worker_that_became_idle_last_takes_what_comes() {
        let mut scheduler = Scheduler::with_order(Box::new(Pile::default()));
        (1..=4).for_each(|worker| scheduler.add(worker, 1));
        scheduler.set_room(3, 2);
        scheduler.remove(2);
        (0..5).for_each(|item| scheduler.offer(item, 0));
        let mut given = || std::iter::from_fn(|| scheduler.next()).collect::<Vec<_>>();
        assert_eq!(given(), [(4, 0), (3, 1), (3, 2), (1, 3)]);
        scheduler.set_room(3, 1);
        assert_eq!(scheduler.next(), Some((3, 4)));
    }
}
