//! What a primary knows: its workers, its listeners, and who holds which connection.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tokio::sync::Notify;

use super::Worker;
use super::accepting::rest;
use super::event::{Address, Event, Events};
use super::listener::{Listener, Waiting};
use super::options::Options;
use crate::cluster::protocol::{Act, Outgoing, Plain, Sequence};
use crate::error::Error;
use crate::ipc::{NotSent, Outcome, Outcomes};

/// What all tasks of a primary share.
#[derive(Debug, Default)]
pub(super) struct Inner {
    table: Mutex<Table>,
    pub(super) events: Events,
    pub(super) sequence: Sequence,
    /// Told when a worker has left the table.
    pub(super) fewer: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) groups: Vec<Options>,
    /// The number of the last worker.
    pub(super) last_worker: u32,
    pub(super) last_listener: u64,
    pub(super) members: BTreeMap<u32, Member>,
    pub(super) listeners: BTreeMap<u64, Listener>,
    /// The listeners by their group and their name within it.
    pub(super) keys: HashMap<(usize, String), u64>,
    /// The primary has disconnected, and has forked nobody since.
    pub(super) closing: bool,
}

/// A worker whose channel is open, or whose process runs.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) worker: Worker,
    pub(super) group: usize,
    pub(super) weight: u32,
    /// The connections that it was handed and has not answered for, in the order in which it got them.
    pub(super) unanswered: VecDeque<Unanswered>,
    /// What it listens on.
    pub(super) listeners: Vec<u64>,
    pub(super) outcomes: Outcomes,
}

/// A connection in the hands of a worker that has not said whether it takes it.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) number: u64,
    pub(super) listener: u64,
    pub(super) client: u64,
    pub(super) refusals: u32,
    pub(super) since: Instant,
    /// Ours again, since the worker has its own; until then the channel keeps it.
    pub(super) connection: Option<OwnedFd>,
    /// It has refused it before the channel gave it back.
    pub(super) refused: bool,
}

impl Inner {
    pub(super) fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unanswered(&self, worker: u32) -> usize {
        self.lock().members.get(&worker).map_or(0, |member| member.unanswered.len())
    }

    pub(super) fn set_weight(&self, worker: u32, weight: u32) {
        let mut table = self.lock();
        let Some(member) = table.members.get_mut(&worker) else { return };
        member.weight = weight;
        for listener in member.listeners.clone() {
            if let Some(listener) = table.listeners.get_mut(&listener) {
                listener.set_weight(worker, weight);
            }
        }
    }

    /// A connection has come; whether there is room for another one.
    pub(super) fn arrived(&self, listener: u64, connection: OwnedFd, client: u64) -> bool {
        let mut table = self.lock();
        let Some(found) = table.listeners.get_mut(&listener) else { return false };
        found.offer(Waiting { connection, client, refusals: 0 });
        table.dispatch(listener, &self.sequence);
        table.has_room(listener)
    }

    /// The channel gives back a connection that it has sent, or could not send.
    pub(super) fn outcome(self: &Arc<Self>, worker: u32, number: u64, outcome: Outcome) {
        let mut table = self.lock();
        let Some(member) = table.members.get_mut(&worker) else { return };
        let Some(place) = member.unanswered.iter().position(|one| one.number == number) else { return };
        let (connection, arrived) = match outcome {
            Ok(handle) => (Some(OwnedFd::from(handle)), true),
            Err(NotSent { handle, .. }) => (handle.map(OwnedFd::from), false),
        };
        let one = &mut member.unanswered[place];
        one.connection = connection;
        if arrived && !one.refused || !member.worker.is_connected() {
            return;
        }
        // It has no descriptor left for it, or no such server any more.
        self.refused(&mut table, worker, place);
    }

    /// The worker has answered for a connection.
    pub(super) fn answered(self: &Arc<Self>, worker: u32, number: u64, accepted: bool) {
        let mut guard = self.lock();
        let table = &mut *guard;
        let Some(member) = table.members.get_mut(&worker) else { return };
        let Some(place) = member.unanswered.iter().position(|one| one.number == number) else { return };
        if !accepted {
            if member.unanswered[place].connection.is_some() {
                self.refused(table, worker, place);
            } else {
                member.unanswered[place].refused = true;
            }
            return;
        }
        let Some(one) = member.unanswered.remove(place) else { return };
        member.worker.took_one();
        if let Some(listener) = table.listeners.get_mut(&one.listener) {
            listener.answered(worker, one.since.elapsed(), true);
            drop(one);
            // A descriptor more: it may be the one without which nothing could be accepted.
            if std::mem::take(&mut listener.is_starved) {
                listener.news.notify_one();
            }
        }
        table.serve_more(worker, &self.sequence);
    }

    /// A worker does not take a connection: another one gets it, after a rest if everybody has refused it.
    fn refused(self: &Arc<Self>, table: &mut Table, worker: u32, place: usize) {
        let Some(member) = table.members.get_mut(&worker) else { return };
        let Some(mut one) = member.unanswered.remove(place) else { return };
        let number = one.listener;
        if let Some(listener) = table.listeners.get_mut(&number) {
            // That one that leaves refuses it says nothing of the others.
            one.refusals += u32::from(listener.answered(worker, one.since.elapsed(), false));
        }
        if table.refused(one) {
            tokio::spawn(rest(Arc::downgrade(self), number));
        }
        table.dispatch(number, &self.sequence);
        table.serve_more(worker, &self.sequence);
    }

    /// A rest of what everybody had refused is over; whether there is another one.
    pub(super) fn rested(&self, number: u64) -> bool {
        let mut table = self.lock();
        let goes_on = table.listeners.get_mut(&number).is_some_and(Listener::rested);
        table.dispatch(number, &self.sequence);
        goes_on
    }

    /// Connections that the worker had taken are closed.
    pub(super) fn closed(&self, worker: u32, key: &str, count: u64) {
        let mut table = self.lock();
        let Some(group) = table.members.get(&worker).map(|member| member.group) else { return };
        let Some(listener) = table.keys.get(&(group, key.to_owned())).copied() else { return };
        let Some(listener) = table.listeners.get_mut(&listener) else { return };
        listener.closed(worker, count);
    }

    /// Whether the worker has let the oldest of its connections wait for longer than that.
    pub(super) fn is_silent(&self, worker: u32, limit: Duration) -> bool {
        let table = self.lock();
        let oldest = table.members.get(&worker).and_then(|member| member.unanswered.front());
        oldest.is_some_and(|one| one.since.elapsed() > limit)
    }

    /// The worker gets no more connections. Those that it has stay with it.
    pub(super) fn take_out(&self, worker: u32) {
        let mut table = self.lock();
        table.take_out(worker, &self.sequence);
    }

    /// Whether a connection that the worker was handed has not come back from its channel.
    pub(super) fn is_owed(&self, worker: u32) -> bool {
        let table = self.lock();
        let member = table.members.get(&worker);
        member.is_some_and(|member| member.unanswered.iter().any(|one| one.connection.is_none()))
    }

    /// The worker will never answer any more: what it had been handed and not taken goes to the others, in the same order.
    // ANCHOR: redistribute
    pub(super) fn redistribute(&self, worker: u32) {
        let mut table = self.lock();
        let Some(member) = table.members.get_mut(&worker) else { return };
        let mut touched = BTreeSet::new();
        for one in std::mem::take(&mut member.unanswered).into_iter().rev() {
            touched.insert(one.listener);
            table.offer_again(one);
        }
        for listener in touched {
            table.dispatch(listener, &self.sequence);
        }
    }
    // ANCHOR_END: redistribute

    /// Asks a worker to disconnect.
    pub(super) fn disconnect_worker(&self, worker: &Worker) {
        let is_news = worker.leaves_in_order();
        self.take_out(worker.id());
        // A Node worker that is told twice dies of it: it closes its channel twice.
        if is_news {
            // If its channel has ended there is nobody left to ask.
            let _ = worker.channel().post(&Outgoing::new(self.sequence.next(), Plain::act(Act::Disconnect)));
        }
    }

    /// Both its channel and its process have ended.
    pub(super) fn remove(&self, worker: u32) {
        let mut table = self.lock();
        table.members.remove(&worker);
        drop(table);
        self.fewer.notify_waiters();
        self.events.news.notify_waiters();
        self.events.news.notify_one();
    }

    /// The last of those who could fork, or wait for an event, has gone.
    pub(super) fn abandon(&self) {
        let mut table = self.lock();
        table.closing = true;
        table.close_listeners();
        for member in table.members.values() {
            member.worker.channel().begin_disconnect();
        }
    }

    /// Nothing can be accepted. `is_news`: nobody knows that yet.
    pub(super) fn accept_failed(&self, listener: u64, errno: Errno, is_news: bool) {
        let mut table = self.lock();
        let address = table.listeners.get_mut(&listener).map(|listener| {
            listener.is_starved = true;
            // Which one of those that wanted any port.
            let port = listener.local.map_or(listener.address.port, |local| local.port());
            Address { port, ..listener.address.clone() }
        });
        drop(table);
        if let Some(address) = address.filter(|_| is_news) {
            let error = Error::system("accept a connection on", address.to_string(), errno);
            self.events.push(Event::AcceptFailed(address, error));
        }
    }
}
