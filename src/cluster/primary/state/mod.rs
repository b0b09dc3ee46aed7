//! Every decision of a primary, as a state machine: it knows no socket, no task, no lock and no clock of its own.
//!
//! [`PrimaryState::on`] takes an [`Input`] and the time since the start, and appends [`Effect`]s, which `run.rs` carries out in their
//! order. A connection is a number here; its descriptor is elsewhere.
//!
//! # The rules
//!
//! Connections:
//!
//! 1. **Window.** A worker holds at most its window of unanswered connections of a listener. The window begins at 1, grows by one with
//!    each prompt answer up to [`Options::window`], and falls back to 1 with a late one.
//! 2. **Lateness.** While a worker's oldest unanswered connection is older than [`PROMPT`], the worker is handed nothing more, wherever
//!    it listens: it may hang.
//! 3. **Order.** What waits is handed out in the order of arrival. A connection that comes back is offered again before those that wait.
//! 4. **Refusal.** A refused connection goes to another worker that may have it; with `Policy::Sticky`, to the same one. When it
//!    was refused as often as the listener has workers, it waits for [`RETRY_DELAY`]; it is offered earlier when a worker accepts
//!    something (two for each) or begins to listen (all).
//! 5. **Redistribution.** A connection that was handed to a worker goes to no other one before that worker refuses it, or its channel has
//!    ended and everything sent over it was returned. Then all that the worker had not accepted is offered again, in the same order.
//! 6. **First answer.** Of several answers for one connection the first counts. An answer for a connection that the worker does not hold
//!    is ignored.
//! 7. **Bound.** When [`Options::waiting`] connections wait at a listener, accepting pauses until there are fewer.
//! 8. **Failure to accept.** Accepting pauses for [`RETRY_DELAY`], or until a worker accepts a connection, which frees a descriptor. The
//!    user is told once, until the backlog was found empty.
//!
//! Listeners:
//!
//! 9. **Sharing.** Workers of one group that ask with the same key share one listener. A reply precedes the connections that follow it.
//! 10. **Closing.** A listener that its last worker closed is kept for [`Options::linger`], a UDP socket not at all. One whose workers
//!     died or were disconnected is kept.
//!
//! Workers:
//!
//! 11. **Leaving.** A worker that was asked to disconnect, or that wants to, is handed nothing more and gets no listener. It keeps what
//!     it holds. It is asked once; its own wish is acknowledged.
//! 12. **Silence.** A worker that does not answer for [`Options::answer_limit`] is killed, once. Its connections follow rule 5.
//! 13. **End.** `Disconnect` follows all messages of the worker, and `Exit` follows `Disconnect`; then the worker is forgotten.
//! 14. **Shutdown.** All workers are asked to disconnect, then all listeners are closed, and every connection that waits.
//!
//! Limits:
//!
//! 15. **Age.** A connection that waits for a worker for [`Options::waiting_time`] is closed.
//! 16. **Scarcity.** When descriptors run out, as many waiting connections are closed as spare descriptors are missing: first those that
//!     are broken (`POLLERR`, `POLLHUP`), then the oldest. Accepting pauses near the limit of descriptors while connections wait.
//! 17. **Descriptors.** A worker gets only those descriptors of the primary that [`Options::allow_descriptor`] announced.
//! 18. **Listeners.** A worker has at most [`Options::listeners`]; those that it closed as the last one and that rule 10 keeps count, and
//!     are closed earlier when it opens others. A listener that has had no worker for [`Options::idle_listener_limit`] is closed, and the
//!     user is told.
//! 19. **Handles.** While 16 listening sockets are on their way to a worker, its messages are not read.
//! 20. **Stalls.** A worker that leaves unread what it is sent, or the sockets of rule 19, for [`Options::stall_limit`] is killed,
//!     once.

mod handing;
mod interface;
mod leaving;
mod limits;
mod listener;
mod listening;
mod worker;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use interface::Timer;
use listener::Listener;
use worker::WorkerRecord;

use super::address::Address;
use super::options::Options;
pub use super::options::STALL_LIMIT;
use crate::cluster::protocol::{FromPrimary, FromWorker};

pub use interface::{
    Closed, ConnectionId, Delivery, Effect, Input, ListenerId, ListenerInfo, Notice, State, WorkerId, WorkerStatus,
};
pub use listener::PROMPT;

/// How long accepting pauses after a failure, and how long a connection waits that every worker has refused.
pub const RETRY_DELAY: Duration = Duration::from_millis(50);

/// A primary's decisions.
#[derive(Debug, Default)]
pub struct PrimaryState {
    groups: Vec<Options>,
    workers: BTreeMap<WorkerId, WorkerRecord>,
    listeners: BTreeMap<ListenerId, Listener>,
    /// The listeners by their group and key.
    keys: HashMap<(usize, Arc<str>), ListenerId>,
    /// Listeners where accepting failed, with the time when it is resumed.
    failing: BTreeMap<ListenerId, Duration>,
    timers: BTreeSet<(Duration, Timer)>,
    /// The last [`Effect::WakeAt`] that has not come.
    wake_at: Option<Duration>,
    last_worker: WorkerId,
    last_listener: ListenerId,
    /// The number of the next message.
    sequence: u64,
    /// The cluster was ended, and nothing was forked since.
    is_closing: bool,
}

impl PrimaryState {
    /// Adds a group of workers, and returns its number.
    pub fn add_group(&mut self, options: Options) -> usize {
        self.groups.push(options);
        self.groups.len() - 1
    }

    /// The options of a group.
    pub fn group(&self, group: usize) -> &Options {
        &self.groups[group]
    }

    /// Takes the number for a worker that is about to be forked.
    pub fn next_worker(&mut self) -> WorkerId {
        self.last_worker += 1;
        self.last_worker
    }

    /// What is known of a worker; `None` once it is forgotten.
    pub fn worker(&self, worker: WorkerId) -> Option<WorkerStatus> {
        self.workers.get(&worker).map(WorkerRecord::status)
    }

    /// The numbers of all workers.
    pub fn workers(&self) -> impl Iterator<Item = WorkerId> {
        self.workers.keys().copied()
    }

    /// All open listeners, in the order in which they were opened.
    pub fn listeners(&self) -> impl Iterator<Item = ListenerInfo> {
        self.listeners.iter().filter(|(_, listener)| listener.is_open()).map(|(id, listener)| listener.info(*id))
    }

    /// Whether the cluster was ended and has no workers left.
    pub fn is_over(&self) -> bool {
        self.is_closing && self.workers.is_empty()
    }

    /// Decides what follows from an input at a time since the start, which never goes backwards.
    pub fn on(&mut self, input: Input, now: Duration, effects: &mut Vec<Effect>) {
        match input {
            Input::Forked { worker, group } => {
                self.is_closing = false;
                self.workers.insert(worker, WorkerRecord::new(group));
                effects.push(Effect::Tell(Notice::Fork(worker)));
            }
            Input::Message { worker, seq, message } => self.handle_message(worker, seq, message, now, effects),
            Input::Returned { worker, connection, delivery } => {
                self.returned(worker, connection, delivery, now, effects);
            }
            Input::ListenerRefused { worker, ack, listener } => {
                self.handle_returned(worker, effects);
                self.listener_refused(worker, ack, listener, now, effects);
            }
            Input::ListenerArrived { worker } => self.handle_returned(worker, effects),
            Input::ChannelStalled { worker, stalled } => self.channel_stalled(worker, stalled, now),
            Input::SparesMissing { count } => self.spares_missing(count, effects),
            Input::Broken { connections, missing } => self.broken(&connections, missing, effects),
            Input::CloseListener { listener } => self.close_listener(listener, effects),
            Input::ChannelEnded { worker } => {
                let Some(record) = self.workers.get_mut(&worker) else { return };
                record.channel_ended = true;
                // Nothing that it left unread is kept any longer.
                self.channel_stalled(worker, false, now);
                self.remove_from_listeners(worker, now, effects);
                self.settle(worker, now, effects);
            }
            Input::MessagesDelivered { worker } => {
                let Some(record) = self.workers.get_mut(&worker) else { return };
                record.messages_delivered = true;
                self.settle(worker, now, effects);
            }
            Input::Exited { worker } => {
                let Some(record) = self.workers.get_mut(&worker) else { return };
                record.reached(State::Dead);
                effects.push(Effect::EndChannel { worker });
                self.settle(worker, now, effects);
            }
            Input::Opened { listener, local } => self.opened(listener, local, now, effects),
            Input::OpenFailed { listener, errno } => self.open_failed(listener, errno, effects),
            Input::Accepted { listener, connection, client, is_scarce } => {
                let Some(found) = self.listeners.get_mut(&listener) else {
                    return effects.push(Effect::Close { connection, why: Closed::NoListener });
                };
                found.arrived(connection, client, now);
                self.dispatch(listener, now, effects);
                if is_scarce && self.listeners.values().any(|listener| listener.waiting() > 0) {
                    self.pause_after_failure(listener, now, effects);
                }
            }
            Input::BacklogEmpty { listener } => {
                if let Some(listener) = self.listeners.get_mut(&listener) {
                    listener.accept_failure_told = false;
                }
            }
            Input::AcceptFailed { listener, errno } => self.accept_failed(listener, errno, now, effects),
            Input::Disconnect { worker } => self.disconnect(worker, now, effects),
            Input::SetWeight { worker, weight } => {
                let Some(record) = self.workers.get_mut(&worker) else { return };
                record.weight = weight;
                for listener in &record.listeners {
                    if let Some(listener) = self.listeners.get_mut(listener) {
                        listener.set_weight(worker, weight);
                    }
                }
            }
            Input::Shutdown => {
                self.is_closing = true;
                let workers: Vec<_> = self.workers().collect();
                workers.into_iter().for_each(|worker| self.disconnect(worker, now, effects));
                self.close_listeners(effects);
            }
            Input::Abandoned => {
                self.is_closing = true;
                self.close_listeners(effects);
                effects.extend(self.workers().map(|worker| Effect::CloseChannel { worker }));
            }
            Input::Tick => self.tick(now, effects),
        }
        self.plan_wake(effects);
    }

    /// Deals with a message of a worker.
    fn handle_message(
        &mut self,
        worker: WorkerId,
        seq: Option<u64>,
        message: FromWorker,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        match message {
            FromWorker::Online => {
                if !std::mem::replace(&mut record.is_online, true) {
                    record.reached(State::Online);
                    effects.push(Effect::Tell(Notice::Online(worker)));
                }
            }
            FromWorker::QueryServer(query) => {
                // Without a number it cannot be answered. Rule 11: a worker that leaves gets no listener, and in Node no answer.
                if let Some(seq) = seq
                    && !record.is_leaving()
                    && !self.is_closing
                {
                    self.query(worker, seq, query, now, effects);
                }
            }
            FromWorker::Listening(query) => {
                record.reached(State::Listening);
                effects.push(Effect::Tell(Notice::Listening(worker, Address::of(&query))));
            }
            FromWorker::Close { key } => self.close(worker, key, now, effects),
            FromWorker::ExitedAfterDisconnect => {
                record.set_leaving();
                self.remove_from_listeners(worker, now, effects);
                if let Some(ack) = seq {
                    self.send(worker, FromPrimary::Acknowledged { ack }, effects);
                }
            }
            FromWorker::Closed { key, count } => {
                let listener = self.keys.get(&(record.group, key)).and_then(|id| self.listeners.get_mut(id));
                if let Some(listener) = listener {
                    listener.closed_by(worker, count);
                }
            }
            FromWorker::Answer { ack, accepted } => self.answered(worker, ack, accepted, now, effects),
        }
    }

    fn send(&mut self, worker: WorkerId, message: FromPrimary, effects: &mut Vec<Effect>) {
        let seq = self.next_seq();
        effects.push(Effect::Send { worker, seq, message });
    }

    fn next_seq(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    fn at(&mut self, time: Duration, timer: Timer) {
        self.timers.insert((time, timer));
    }

    fn tick(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.wake_at = None;
        while self.timers.first().is_some_and(|(time, _)| *time <= now)
            && let Some((_, timer)) = self.timers.pop_first()
        {
            match timer {
                Timer::Retry(listener) => self.retry_refused(listener, now, effects),
                Timer::Accept(listener) => self.resume_accepting(listener, effects),
                Timer::Linger(listener) => self.close_listener(listener, effects),
                Timer::Idle(listener) => self.close_idle(listener, effects),
                Timer::Age(listener) => self.check_age(listener, now, effects),
                Timer::Stall(worker) => self.end_stalled(worker, effects),
                Timer::Silence(worker) => self.check_silence(worker, now, effects),
            }
        }
    }

    fn plan_wake(&mut self, effects: &mut Vec<Effect>) {
        if let Some((first, _)) = self.timers.first()
            && self.wake_at.is_none_or(|known| *first < known)
        {
            self.wake_at = Some(*first);
            effects.push(Effect::WakeAt(*first));
        }
    }
}
