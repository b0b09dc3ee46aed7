//! Carries out what the state machine decides, and tells it what happens. There is no rule in this file: it owns descriptors, tasks and
//! timers.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::listener::OpenListener;
use super::member::{EventQueue, Member, QueuedEvent};
use super::state::{ConnectionId, Delivery, Effect, Input, ListenerId, PrimaryState, WorkerId};
use crate::child_process::Signal;
use crate::cluster::protocol::{Envelope, FromPrimary, FromWorker};
use crate::error::ErrorKind;
use crate::ipc::{NotSent, Outcome, Outcomes};
use crate::net::{Accepted, Acceptor};

/// How many connections are taken out of the backlog before other tasks have their turn.
const BATCH: usize = 16;

/// A cluster's primary, as its tasks and its users share it.
#[derive(Debug)]
pub(super) struct Cluster {
    inner: Mutex<Inner>,
    pub(super) events: EventQueue,
    /// Notified when a worker was forgotten.
    pub(super) worker_removed: Notify,
    /// Notified when the state machine is to be woken earlier than was known.
    wake_changed: Arc<Notify>,
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
    has_timer: bool,
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
            Effect::Close { connection, .. } => drop(inner.connections.remove(&connection)),
            // If its channel has ended, the worker needs no answer.
            Effect::Send { worker, seq, message } => {
                drop(inner.member(worker)?.channel.post(&Envelope::new(seq, &message)));
            }
            Effect::SendListener { worker, seq, reply, listener } => {
                let refused = Input::ListenerRefused { worker, ack: reply.ack, listener };
                let Ok(handle) = inner.listeners.get(&listener)?.handle()? else { return Some(refused) };
                let reply = FromPrimary::Reply(reply);
                let delivery = inner.member(worker)?.channel.post_handle(&Envelope::new(seq, &reply), handle).ok()?;
                let cluster = Arc::downgrade(self);
                tokio::spawn(async move {
                    if let Err(not_sent) = delivery.await
                        && is_refusal(&not_sent)
                        && let Some(cluster) = cluster.upgrade()
                    {
                        cluster.on(refused);
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

    /// Adds a worker that was just forked, and serves it in a task.
    pub(super) fn add_worker(self: &Arc<Self>, member: Arc<Member>, group: usize) {
        let (outcomes, returned) = unbounded_channel();
        let mut inner = self.lock();
        inner.workers.insert(member.id, (member.clone(), outcomes));
        if !std::mem::replace(&mut inner.has_timer, true) {
            tokio::spawn(wake_in_time(Arc::downgrade(self), self.wake_changed.clone()));
        }
        self.carry_out(&mut inner, Input::Forked { worker: member.id, group });
        tokio::spawn(supervise_worker(self.clone(), member, returned));
    }

    /// The channel gives back a connection.
    fn returned(self: &Arc<Self>, worker: WorkerId, connection: ConnectionId, outcome: Outcome) {
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
                inner.connections.insert(connection, Some(fd));
                Input::Accepted { listener, connection, client }
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

    fn is_accepting(&self, listener: ListenerId) -> bool {
        self.listeners.get(&listener).is_some_and(OpenListener::is_accepting)
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
            let accepted = acceptor.take(&mut ready);
            let is_empty = matches!(accepted, Ok(None));
            let Some(cluster) = cluster.upgrade() else { return };
            if !cluster.accepted(listener, accepted) || is_empty {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Sends the state machine a tick whenever it has asked for one, as long as there is a cluster.
async fn wake_in_time(cluster: Weak<Cluster>, wake_changed: Arc<Notify>) {
    loop {
        let wake_at = match cluster.upgrade() {
            Some(cluster) => cluster.lock().wake_at.map(|time| cluster.start + time),
            None => return,
        };
        let changed = wake_changed.notified();
        let Some(time) = wake_at else {
            changed.await;
            continue;
        };
        if tokio::time::timeout_at(time.into(), changed).await.is_err()
            && let Some(cluster) = cluster.upgrade()
        {
            let mut inner = cluster.lock();
            inner.wake_at = None;
            cluster.carry_out(&mut inner, Input::Tick);
        }
    }
}

/// Serves one worker, until its channel and its process have ended.
async fn supervise_worker(cluster: Arc<Cluster>, member: Arc<Member>, returned: UnboundedReceiver<(u64, Outcome)>) {
    let exited = member.with_child(|child| child.exit_later());
    let wait_for_exit = async {
        let exit = exited.await;
        *member.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit);
        cluster.on(Input::Exited { worker: member.id });
    };
    tokio::join!(wait_for_exit, handle_messages(&cluster, &member, returned), deliver_messages(&cluster, &member));
}

/// Passes on what a worker says to the cluster, and the connections that come back.
async fn handle_messages(
    cluster: &Arc<Cluster>,
    member: &Member,
    mut returned: UnboundedReceiver<(ConnectionId, Outcome)>,
) {
    let worker = member.id;
    loop {
        tokio::select! {
            // A connection is back before the worker answers for it: its acknowledgement is written first.
            biased;
            Some((connection, outcome)) = returned.recv() => cluster.returned(worker, connection, outcome),
            message = member.channel.recv_internal() => {
                let Ok(Some(message)) = message else { break };
                if let Some((seq, message)) = FromWorker::read(&message) {
                    cluster.on(Input::Message { worker, seq, message });
                }
            }
        }
    }
    cluster.on(Input::ChannelEnded { worker });
    // Ends when the cluster has forgotten the worker.
    while let Some((connection, outcome)) = returned.recv().await {
        cluster.returned(worker, connection, outcome);
    }
}

/// Passes on what a worker says to the user.
async fn deliver_messages(cluster: &Arc<Cluster>, member: &Arc<Member>) {
    // An error ends the channel, too: what came was not a message.
    while let Ok(Some(message)) = member.channel.recv().await {
        tokio::select! {
            () = cluster.events.has_room() => {}
            // What is left is at most what a channel holds.
            _ = member.channel.closed() => {}
        }
        cluster.events.push(QueuedEvent::Message(member.clone(), message));
    }
    cluster.on(Input::MessagesDelivered { worker: member.id });
}
