//! How the groups of a run are served.

use std::time::Duration;

use forklore::cluster::Options;
use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::STALL_LIMIT;

use crate::random::Random;

/// How one group of a run is served. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupOptions {
    pub(crate) policy: Policy,
    pub(crate) window: usize,
    pub(crate) waiting: usize,
    pub(crate) answer_limit: Option<u64>,
    pub(crate) linger: u64,
    pub(crate) waiting_time: u64,
    pub(crate) idle_limit: u64,
    pub(crate) listeners: usize,
    /// The descriptor that the workers may listen on.
    pub(crate) descriptor: Option<u16>,
}

impl GroupOptions {
    pub(crate) fn random(random: &mut Random) -> GroupOptions {
        let often = [Policy::RoundRobin, Policy::RoundRobin, Policy::LeastConnections, Policy::Weighted];
        let policy = if random.chance(80) { random.pick(&often) } else { random.pick(&Policy::ALL) };
        GroupOptions {
            policy,
            window: random.pick(&[1, 2, 4, 16]),
            waiting: random.pick(&[1, 2, 5, 40]),
            answer_limit: random.pick(&[None, Some(5), Some(40), Some(200)]),
            linger: random.pick(&[0, 20, 300]),
            waiting_time: random.pick(&[60_000, 60_000, 40, 300]),
            idle_limit: random.pick(&[300_000, 300_000, 30, 400]),
            listeners: random.pick(&[1, 2, 5, 256]),
            descriptor: random.pick(&[None, Some(3)]),
        }
    }

    pub(crate) fn options(self) -> Options {
        let options = Options::default()
            .policy(self.policy)
            .window(self.window)
            .waiting(self.waiting)
            .linger(Duration::from_millis(self.linger))
            .waiting_time(Duration::from_millis(self.waiting_time))
            .idle_listener_limit(Duration::from_millis(self.idle_limit))
            .listeners(self.listeners);
        let options = self.descriptor.into_iter().fold(options, |options, fd| options.allow_descriptor(fd.into()));
        match self.answer_limit {
            Some(limit) => options.answer_limit(Duration::from_millis(limit)),
            None => options,
        }
    }

    pub(crate) fn waiting_time(self) -> Duration {
        Duration::from_millis(self.waiting_time)
    }

    /// How long a worker may stand still.
    pub(crate) fn stall_limit(self) -> Duration {
        STALL_LIMIT
    }
}
