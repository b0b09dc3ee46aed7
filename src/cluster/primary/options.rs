//! How a group of workers is served, and what it may use.

use std::os::fd::RawFd;
use std::time::Duration;

use crate::cluster::schedule::Policy;

/// The default of [`Options::stall_limit`].
pub const STALL_LIMIT: Duration = Duration::from_secs(30);

/// How a [`Group`](super::Group) of workers gets its connections, and how much of the primary it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub(super) policy: Policy,
    pub(super) window: usize,
    pub(super) waiting: usize,
    pub(super) waiting_time: Duration,
    pub(super) answer_limit: Option<Duration>,
    pub(super) stall_limit: Duration,
    pub(super) linger: Duration,
    pub(super) idle_listener_limit: Duration,
    pub(super) listeners: usize,
    pub(super) descriptors: Vec<RawFd>,
    pub(super) message_limit: Option<usize>,
    pub(super) kill_orphans: bool,
    pub(super) raise_descriptor_limit: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            policy: Policy::RoundRobin,
            window: 16,
            waiting: 1024,
            waiting_time: Duration::from_secs(60),
            answer_limit: None,
            stall_limit: STALL_LIMIT,
            linger: Duration::from_secs(5),
            idle_listener_limit: Duration::from_secs(300),
            listeners: 256,
            descriptors: Vec::new(),
            message_limit: None,
            kill_orphans: true,
            raise_descriptor_limit: true,
        }
    }
}

impl Options {
    /// Sets which worker gets the next connection. Default: [`Policy::RoundRobin`]. With [`Policy::Shared`] the workers get the listening
    /// socket itself and the kernel decides: Node's `SCHED_NONE`.
    pub fn policy(self, policy: Policy) -> Options {
        Options { policy, ..self }
    }

    /// Sets how many connections a worker may hold that it has not answered for. Default: 16; Node has 1. With more of them a worker finds
    /// something to do whenever it looks, and is woken less often. A worker begins with one, may hold one more after each prompt answer,
    /// and falls back to one after a late answer. So a worker that hangs holds at most these, and none that came after it began to hang.
    pub fn window(self, connections: usize) -> Options {
        Options { window: connections.max(1), ..self }
    }

    /// Sets how many connections of one listener may wait here for a worker. Default: 1024. Further ones stay in the kernel's backlog.
    pub fn waiting(self, connections: usize) -> Options {
        Options { waiting: connections.max(1), ..self }
    }

    /// Sets how long a connection may wait here for a worker before it is closed. Default: 60 s.
    pub fn waiting_time(self, limit: Duration) -> Options {
        Options { waiting_time: limit, ..self }
    }

    /// Ends a worker with SIGKILL that has not answered for a connection for so long, and then gives that connection to another one. A
    /// descriptor in a worker's queue cannot be called back, and two workers must never serve one connection: so the worker has to be
    /// ended first. Default: no limit.
    ///
    /// This finds a worker that hangs. It does not find one that accepts every connection and never serves it: such a worker gets its
    /// share under every policy, since the primary does not see what becomes of a connection that was accepted.
    pub fn answer_limit(self, limit: Duration) -> Options {
        Options { answer_limit: Some(limit), ..self }
    }

    /// Sets how long a worker may leave unread what it is sent. Default: 30 s. Then it is ended with SIGKILL, and
    /// [`Event::Stalled`](super::Event::Stalled) says so. The limit begins when more than 1 MiB waits for the worker, or 16 listening sockets;
    /// from then on the primary reads nothing from it. A worker that stands still in a debugger can reach it.
    pub fn stall_limit(self, limit: Duration) -> Options {
        Options { stall_limit: limit, ..self }
    }

    /// Sets how long a listener is kept that its last worker has closed, for a successor that asks for the same one. Default: 5 s.
    pub fn linger(self, time: Duration) -> Options {
        Options { linger: time, ..self }
    }

    /// Sets how long a listener is kept whose workers have died or were disconnected. Default: 5 minutes. Then it is closed, with
    /// [`Event::ListenerClosed`](super::Event::ListenerClosed).
    pub fn idle_listener_limit(self, time: Duration) -> Options {
        Options { idle_listener_limit: time, ..self }
    }

    /// Sets how many listeners a worker may have at a time. Default: 256. A further one is refused with `EMFILE`. Those that it closed and
    /// that [`linger`](Options::linger) keeps count too, but are closed to make room for another one.
    pub fn listeners(self, count: usize) -> Options {
        Options { listeners: count.max(1), ..self }
    }

    /// Allows the workers to listen on this descriptor of the primary, as on one that the primary was started with. It must stay open.
    /// Default: a worker that asks for any descriptor is refused with `EACCES`.
    pub fn allow_descriptor(mut self, fd: RawFd) -> Options {
        self.descriptors.push(fd);
        self
    }

    /// Sets how many bytes a message of a worker may have. A longer one ends its channel. Default: 64 MiB, or what the worker's
    /// [`Command::channel_settings`](crate::child_process::Command::channel_settings) say.
    pub fn message_limit(self, bytes: usize) -> Options {
        Options { message_limit: Some(bytes), ..self }
    }

    /// Sets whether the kernel ends the workers (SIGKILL) when this process dies, in whatever way. Default: true. Otherwise they learn it
    /// from the end of their channel: a Node worker exits then, unless it is busy or hangs.
    pub fn kill_orphans(self, kill: bool) -> Options {
        Options { kill_orphans: kill, ..self }
    }

    /// Sets whether the primary raises its soft limit of descriptors to the hard one, as Node does, when it starts a worker. Default: true.
    /// Every program that this process starts gets the old limit back.
    pub fn raise_descriptor_limit(self, raise: bool) -> Options {
        Options { raise_descriptor_limit: raise, ..self }
    }
}
