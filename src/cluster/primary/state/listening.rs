//! Workers that ask to listen, and that close what they listened on (rules 9 and 10).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::limits::close_all;
use super::listener::{Listener, Pending};
use super::{Address, Closed, Effect, FromPrimary, ListenerId, PrimaryState, Timer, WorkerId};
use crate::cluster::protocol::{Query, Reply};
use crate::cluster::schedule::Policy;

impl PrimaryState {
    /// A worker asks to listen (rule 9).
    pub(super) fn query(
        &mut self,
        worker: WorkerId,
        seq: u64,
        query: Box<Query>,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(group) = self.workers.get(&worker).map(|record| record.group) else { return };
        let options = &self.groups[group];
        let reports_closings = options.policy == Policy::LeastConnections && query.closed;
        let pending = Pending { worker, seq, reports_closings };
        let key: Arc<str> = query.key().into();
        if let Some(fd) = query.descriptor()
            && !options.descriptors.iter().any(|allowed| i64::from(*allowed) == fd)
        {
            self.descriptor_refused(worker, Address::of(&query), effects);
            return self.refuse(worker, seq, &key, libc::EACCES, effects);
        }
        if !self.may_listen(worker) {
            return self.refuse(worker, seq, &key, libc::EMFILE, effects);
        }
        if let Some(id) = self.keys.get(&(group, key.clone())).copied() {
            match self.listeners.get_mut(&id).and_then(|listener| listener.opening.as_mut()) {
                Some(opening) => opening.push(pending),
                None => self.grant(id, pending, now, effects),
            }
            return;
        }
        self.make_room(worker, effects);
        self.last_listener += 1;
        let id = self.last_listener;
        let listener = Listener::new(group, key.clone(), &query, &self.groups[group], pending);
        let accepts = !listener.is_shared();
        self.keys.insert((group, key), id);
        self.listeners.insert(id, listener);
        effects.push(Effect::Open { listener: id, query, accepts });
    }

    /// Gives a worker a listener that is open: the reply first, then the connections.
    fn grant(&mut self, id: ListenerId, pending: Pending, now: Duration, effects: &mut Vec<Effect>) {
        let Pending { worker, seq: ack, reports_closings } = pending;
        let Some(record) = self.workers.get_mut(&worker).filter(|record| !record.is_leaving()) else { return };
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        if !record.listeners.contains(&id) {
            record.listeners.push(id);
        }
        let unanswered = record.unanswered.iter().filter(|one| one.listener == id).count();
        listener.add_worker(worker, record.weight, unanswered, reports_closings);
        listener.left_by = None;
        if let Some(planned) = listener.closes_at.take() {
            self.timers.remove(&planned);
        }
        let reply = listener.reply(ack, reports_closings);
        let is_shared = listener.is_shared();
        let seq = self.next_seq();
        if is_shared {
            effects.push(Effect::SendListener { worker, seq, reply, listener: id });
            self.handle_sent(worker, now, effects);
        } else {
            effects.push(Effect::Send { worker, seq, message: FromPrimary::Reply(reply) });
        }
        self.dispatch(id, now, effects);
    }

    pub(super) fn opened(
        &mut self,
        id: ListenerId,
        local: Option<SocketAddr>,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return effects.push(Effect::CloseListener { listener: id });
        };
        listener.local = local;
        for pending in listener.opening.take().unwrap_or_default() {
            self.grant(id, pending, now, effects);
        }
        self.unless_used(id, now);
    }

    /// Plans to close a listener that has no workers.
    pub(super) fn unless_used(&mut self, id: ListenerId, now: Duration) {
        if self.listeners.get(&id).is_some_and(|listener| listener.slots.is_empty() && listener.closes_at.is_none()) {
            self.close_later(id, Timer::Idle(id), now);
        }
    }

    pub(super) fn open_failed(&mut self, id: ListenerId, errno: i32, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.remove(&id) else { return };
        self.keys.remove(&(listener.group, listener.key.clone()));
        for Pending { worker, seq, .. } in listener.opening.unwrap_or_default() {
            self.refuse(worker, seq, &listener.key, errno, effects);
        }
    }

    fn refuse(&mut self, worker: WorkerId, ack: u64, key: &str, errno: i32, effects: &mut Vec<Effect>) {
        let reply = Reply { errno: Some(-errno), key: Some(key.to_owned()), ack, ..Reply::default() };
        self.send(worker, FromPrimary::Reply(Box::new(reply)), effects);
    }

    /// A worker had no descriptor for a listener, and does not listen there. Node never asks for it again and would wait for ever, so the
    /// worker is told.
    pub(super) fn listener_refused(
        &mut self,
        worker: WorkerId,
        ack: u64,
        id: ListenerId,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(key) = self.listeners.get(&id).map(|listener| listener.key.clone()) else { return };
        self.refuse(worker, ack, &key, libc::EMFILE, effects);
        self.close(worker, key, now, effects);
    }

    /// A worker has closed its server (rule 10). A worker that was asked to disconnect has been removed already, and decides nothing.
    pub(super) fn close(&mut self, worker: WorkerId, key: Arc<str>, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        let Some(id) = self.keys.get(&(record.group, key)).copied() else { return };
        record.listeners.retain(|known| *known != id);
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        if listener.remove_worker(worker) && listener.slots.is_empty() {
            listener.left_by = Some(worker);
            self.close_later(id, Timer::Linger(id), now);
        }
        self.dispatch(id, now, effects);
    }

    pub(super) fn close_listeners(&mut self, effects: &mut Vec<Effect>) {
        let all: Vec<_> = self.listeners.keys().copied().collect();
        all.into_iter().for_each(|listener| self.close_listener(listener, effects));
    }

    /// Closes a listener and every connection that waits there.
    pub(super) fn close_listener(&mut self, id: ListenerId, effects: &mut Vec<Effect>) {
        let Some(mut listener) = self.listeners.remove(&id) else { return };
        self.keys.remove(&(listener.group, listener.key.clone()));
        for worker in listener.slots.keys() {
            if let Some(record) = self.workers.get_mut(worker) {
                record.listeners.retain(|known| *known != id);
            }
        }
        if let Some(time) = self.failing.remove(&id) {
            self.timers.remove(&(time, Timer::Accept(id)));
        }
        if let Some(planned) = listener.closes_at.take() {
            self.timers.remove(&planned);
        }
        close_all(listener.extract(|_| true), Closed::NoListener, effects);
        if listener.is_open() {
            effects.push(Effect::CloseListener { listener: id });
        }
    }
}
