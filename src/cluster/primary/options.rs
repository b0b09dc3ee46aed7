//! How a group of workers is served.

use std::time::Duration;

use crate::cluster::schedule::Policy;

/// How a [`Group`](super::Group) of workers gets its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub(super) policy: Policy,
    pub(super) window: usize,
    pub(super) waiting: usize,
    pub(super) answer_limit: Option<Duration>,
    pub(super) linger: Duration,
    pub(super) kill_orphans: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            policy: Policy::RoundRobin,
            window: 16,
            waiting: 1024,
            answer_limit: None,
            linger: Duration::from_secs(5),
            kill_orphans: true,
        }
    }
}

impl Options {
    /// Who gets the next connection; [`Policy::RoundRobin`] if not said otherwise. With [`Policy::Shared`] the workers get the
    /// listening socket itself and the kernel decides: Node's `SCHED_NONE`.
    pub fn policy(self, policy: Policy) -> Options {
        Options { policy, ..self }
    }

    /// How many connections a worker may hold that it has not answered for, as long as it answers promptly; 16 if not said otherwise, 1
    /// in Node. With more of them a worker finds something to do whenever it looks, and is woken less often. A worker begins with one, gets one more for each prompt answer, and falls back to one when it was slow. So one that hangs
    /// holds no more than these, and no connection that came after it began to hang.
    pub fn window(self, connections: usize) -> Options {
        Options { window: connections.max(1), ..self }
    }

    /// How many connections of one listener may wait here for a worker; 1024 if not said otherwise. What exceeds it is left in the
    /// kernel's backlog.
    pub fn waiting(self, connections: usize) -> Options {
        Options { waiting: connections.max(1), ..self }
    }

    /// Ends a worker with SIGKILL that has not answered for a connection for so long, and then gives that connection to another one. A
    /// descriptor that lies in a worker's queue cannot be called back, and two workers must never serve one connection: so the worker
    /// has to be ended first. Not done if not said.
    pub fn answer_limit(self, limit: Duration) -> Options {
        Options { answer_limit: Some(limit), ..self }
    }

    /// How long a listener is kept that the last of its workers has closed, for a successor that asks for the same one; 5 s if not
    /// said otherwise. One whose workers died or were disconnected is kept in any case.
    pub fn linger(self, time: Duration) -> Options {
        Options { linger: time, ..self }
    }

    /// Whether the kernel is to end the workers (SIGKILL) when this process dies, in whatever way; it is, if not said otherwise. Without
    /// it they learn of our end by that of the channel: a Node worker exits then, unless it is busy or hangs.
    pub fn kill_orphans(self, kill: bool) -> Options {
        Options { kill_orphans: kill, ..self }
    }
}
