//! Carries out what the state machine decides. There is no rule in this file: it owns the descriptors.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::listener::OpenListener;
use super::member::{EventQueue, Member, QueuedEvent};
use super::spares::Spares;
use super::state::{ConnectionId, Delivery, Effect, Input, ListenerId, PrimaryState, WorkerId};
use crate::child_process::Signal;
use crate::cluster::protocol::{Envelope, FromPrimary};
use crate::error::ErrorKind;
use crate::ipc::{NotSent, Outcome, Outcomes};
use crate::net::Acceptor;
use crate::sys::accept::{Accepted, accept};

/// How many connections are taken out of the backlog before other tasks have their turn.
const BATCH: usize = 16;

/// Where the connections that a worker was handed come back.
pub(super) type Returned = UnboundedReceiver<(ConnectionId, Outcome)>;

/// A cluster's primary, as its tasks and its users share it.
#[derive(Debug)]
pub(super) struct Cluster {
    inner: Mutex<Inner>,
    pub(super) events: EventQueue,
    /// Notified when a worker was forgotten.
    pub(super) worker_removed: Notify,
    /// Notified when the state machine is to be woken earlier than was known.
    pub(super) wake_changed: Arc<Notify>,
    start: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) state: PrimaryState,
    workers: HashMap<WorkerId, (Arc<Member>, Outcomes)>,
    listeners: HashMap<ListenerId, OpenListener>,
    /// Our descriptor of each connection; `None` while the channel has it.
    connections: HashMap<ConnectionId, Option<OwnedFd>>,
    last_connection: ConnectionId,
    wake_at: Option<Duration>,
    pub(super) has_timer: bool,
    /// Held for the next fork, which needs some when there are no others.
    spares: Spares,
    /// How many forks are under way. Nothing is accepted meanwhile.
    forking: usize,
    /// Empty; kept for its memory.
    effects: Vec<Effect>,
}

impl Cluster {
    pub(super) fn new() -> Cluster {
        Cluster {
            inner: Mutex::default(),
            events: EventQueue::default(),
            worker_removed: Notify::new(),
            wake_changed: Arc::default(),
            start: Instant::now(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the state machine decide, and carries out its effects in their order.
    pub(super) fn on(self: &Arc<Self>, input: Input) {
        self.carry_out(&mut self.lock(), input);
    }

    fn carry_out(self: &Arc<Self>, inner: &mut Inner, input: Input) {
        let now = self.start.elapsed();
        let mut effects = std::mem::take(&mut inner.effects);
        let mut follow_ups = VecDeque::new();
        let mut next = Some(input);
        while let Some(input) = next {
            inner.state.on(input, now, &mut effects);
            follow_ups.extend(effects.drain(..).filter_map(|effect| self.perform(inner, effect)));
            next = follow_ups.pop_front();
        }
        inner.effects = effects;
    }

    /// Carries out one effect, and returns what the state machine has to know of it at once.
    fn perform(self: &Arc<Self>, inner: &mut Inner, effect: Effect) -> Option<Input> {
        match effect {
            Effect::HandOver { worker, seq, key, connection } => {
                let (member, outcomes) = inner.workers.get(&worker)?;
                let fd = inner.connections.get_mut(&connection)?.take()?;
                let message = FromPrimary::Newconn { key };
                let posted = member.channel.post_connection(&Envelope::new(seq, &message), fd, connection, outcomes);
                // The channel takes nothing more.
                let not_sent = posted.err()?;
                inner.connections.insert(connection, not_sent.handle.map(OwnedFd::from));
                return Some(Input::Returned { worker, connection, delivery: Delivery::Unsent });
            }
            Effect::Close { connection, .. } => {
                inner.connections.remove(&connection);
                inner.spares.refill();
            }
            // If its channel has ended, the worker needs no answer.
            Effect::Send { worker, seq, message } => {
                drop(inner.member(worker)?.channel.post(&Envelope::new(seq, &message)));
            }
            Effect::SendListener { worker, seq, reply, listener } => {
                let refused = Input::ListenerRefused { worker, ack: reply.ack, listener };
                let Ok(handle) = inner.listeners.get(&listener)?.handle()? else { return Some(refused) };
                let reply = FromPrimary::Reply(reply);
                let posted = inner.member(worker)?.channel.post_handle(&Envelope::new(seq, &reply), handle);
                let Ok(delivery) = posted else { return Some(Input::ListenerArrived { worker }) };
                let cluster = Arc::downgrade(self);
                tokio::spawn(async move {
                    let is_refused = delivery.await.is_err_and(|not_sent| is_refusal(&not_sent));
                    if let Some(cluster) = cluster.upgrade() {
                        cluster.on(if is_refused { refused } else { Input::ListenerArrived { worker } });
                    }
                });
            }
            Effect::Open { listener, query, accepts } => {
                let accept =
                    |acceptor, resumed| tokio::spawn(accept_all(Arc::downgrade(self), listener, acceptor, resumed));
                return Some(match OpenListener::open(&query, accepts, accept) {
                    Ok((opened, local)) => {
                        inner.listeners.insert(listener, opened);
                        Input::Opened { listener, local }
                    }
                    Err(errno) => Input::OpenFailed { listener, errno: errno as i32 },
                });
            }
            Effect::CloseListener { listener } => drop(inner.listeners.remove(&listener)),
            Effect::PauseAccepting { listener } => inner.listeners.get_mut(&listener)?.set_paused(true),
            Effect::ResumeAccepting { listener } => inner.listeners.get_mut(&listener)?.set_paused(false),
            Effect::PauseReading { worker } => inner.member(worker)?.set_paused(true),
            Effect::ResumeReading { worker } => inner.member(worker)?.set_paused(false),
            Effect::FindBroken { connections, missing } => {
                return Some(Input::Broken { connections: inner.broken(connections), missing });
            }
            Effect::Tell(notice) => {
                let member = notice.worker().and_then(|worker| inner.member(worker)).cloned();
                self.events.push(QueuedEvent::Notice(notice, member));
            }
            // An error means that it has ended already.
            Effect::Kill { worker } => {
                drop(inner.member(worker)?.with_child(|child| child.kill(Signal::SIGKILL)));
            }
            Effect::EndChannel { worker } => inner.member(worker)?.channel.sever(),
            Effect::CloseChannel { worker } => inner.member(worker)?.channel.begin_disconnect(),
            Effect::Forget { worker, status } => {
                let (member, _) = inner.workers.remove(&worker)?;
                let _ = member.last_status.set(status);
                self.worker_removed.notify_waiters();
                self.events.changed.notify_waiters();
                self.events.changed.notify_one();
            }
            Effect::WakeAt(time) => {
                inner.wake_at = Some(time);
                self.wake_changed.notify_one();
            }
        }
        None
    }

    /// Has a fork find descriptors even if there are no others: releases the spare ones for it, and then takes new ones.
    pub(super) fn with_spares<T>(self: &Arc<Self>, fork: impl FnOnce() -> T) -> T {
        {
            let mut inner = self.lock();
            inner.forking += 1;
            inner.spares.release();
        }
        let forked = fork();
        let mut inner = self.lock();
        inner.forking -= 1;
        inner.spares.keep();
        let count = inner.spares.missing();
        if count > 0 {
            self.carry_out(&mut inner, Input::SparesMissing { count });
        }
        inner.listeners.values().for_each(OpenListener::look_again);
        forked
    }

    /// Adds a worker that was just forked. Returns where its connections come back.
    pub(super) fn add_worker(self: &Arc<Self>, member: Arc<Member>, group: usize) -> Returned {
        let (outcomes, returned) = unbounded_channel();
        let mut inner = self.lock();
        let worker = member.id;
        inner.workers.insert(worker, (member, outcomes));
        self.carry_out(&mut inner, Input::Forked { worker, group });
        returned
    }

    /// When the state machine is to be woken.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.lock().wake_at.map(|time| self.start + time)
    }

    /// The time has come.
    pub(super) fn tick(self: &Arc<Self>) {
        let mut inner = self.lock();
        inner.wake_at = None;
        self.carry_out(&mut inner, Input::Tick);
    }

    /// The channel gives back a connection.
    pub(super) fn returned(self: &Arc<Self>, worker: WorkerId, connection: ConnectionId, outcome: Outcome) {
        let (handle, delivery) = match outcome {
            Ok(handle) => (Some(handle), Delivery::Arrived),
            Err(not_sent) if is_refusal(&not_sent) => (not_sent.handle, Delivery::Refused),
            Err(not_sent) => (not_sent.handle, Delivery::Unknown),
        };
        let mut inner = self.lock();
        // Otherwise it was closed meanwhile, and its handle is dropped here.
        if let Some(place) = inner.connections.get_mut(&connection) {
            *place = handle.map(OwnedFd::from);
        }
        self.carry_out(&mut inner, Input::Returned { worker, connection, delivery });
    }

    /// Passes on what `accept4(2)` has answered. Whether to go on accepting.
    fn accepted(self: &Arc<Self>, listener: ListenerId, accepted: Result<Option<Accepted>, Errno>) -> bool {
        let mut inner = self.lock();
        let input = match accepted {
            Ok(Some((fd, client))) => {
                inner.last_connection += 1;
                let connection = inner.last_connection;
                let is_scarce = inner.spares.is_near_limit(&fd);
                inner.connections.insert(connection, Some(fd));
                Input::Accepted { listener, connection, client, is_scarce }
            }
            Ok(None) => Input::BacklogEmpty { listener },
            Err(errno) => Input::AcceptFailed { listener, errno: errno as i32 },
        };
        self.carry_out(&mut inner, input);
        inner.is_accepting(listener)
    }
}

impl Inner {
    pub(super) fn member(&self, worker: WorkerId) -> Option<&Arc<Member>> {
        self.workers.get(&worker).map(|(member, _)| member)
    }

    /// Those of the connections whose client has gone, as far as the kernel can tell.
    fn broken(&self, mut connections: Vec<ConnectionId>) -> Vec<ConnectionId> {
        let fd = |connection: &ConnectionId| self.connections.get(connection).and_then(Option::as_ref);
        connections.retain(|connection| fd(connection).is_some());
        let polled = connections.iter().filter_map(fd);
        let mut polled: Vec<_> = polled.map(|fd| PollFd::new(fd.as_fd(), PollFlags::empty())).collect();
        let _ = poll(&mut polled, PollTimeout::ZERO);
        let is_broken = polled.iter().map(|one| one.revents().is_some_and(|events| !events.is_empty()));
        connections.iter().zip(is_broken).filter(|(_, broken)| *broken).map(|(connection, _)| *connection).collect()
    }

    fn is_accepting(&self, listener: ListenerId) -> bool {
        self.forking == 0 && self.listeners.get(&listener).is_some_and(OpenListener::is_accepting)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.wake_changed.notify_one();
    }
}

fn is_refusal(not_sent: &NotSent) -> bool {
    matches!(not_sent.error.kind(), ErrorKind::HandleRefused { .. })
}

/// Accepts, until the listener is closed and this task with it.
async fn accept_all(cluster: Weak<Cluster>, listener: ListenerId, acceptor: Acceptor, resumed: Arc<Notify>) {
    loop {
        while !cluster.upgrade().is_some_and(|cluster| cluster.lock().is_accepting(listener)) {
            resumed.notified().await;
        }
        let Ok(mut ready) = acceptor.readable().await else { return };
        for _ in 0..BATCH {
            let accepted = accept(&mut ready);
            let is_empty = matches!(accepted, Ok(None));
            let Some(cluster) = cluster.upgrade() else { return };
            if !cluster.accepted(listener, accepted) || is_empty {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
}
