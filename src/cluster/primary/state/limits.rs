//! What the primary lets its workers and its clients use of it (rules 15 to 20).

use std::time::Duration;

use super::listener::Waiting;
use super::{Address, Closed, ConnectionId, Effect, ListenerId, Notice, PrimaryState, Timer, WorkerId};

/// How many listening sockets may be on their way to a worker.
const HANDLES: usize = 16;

impl PrimaryState {
    /// Plans to look at the age of what waits, if that is not planned (rule 15).
    pub(super) fn watch_age(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.get_mut(&id).filter(|listener| listener.waiting() > 0) else { return };
        if let Some(oldest) = listener.oldest_to_watch() {
            let limit = self.groups[listener.group].waiting_time;
            self.at(oldest.saturating_add(limit), Timer::Age(id));
        }
    }

    /// Closes what has waited for too long (rule 15).
    pub(super) fn check_age(&mut self, id: ListenerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        let limit = self.groups[listener.group].waiting_time;
        listener.age_watched = None;
        let aged = listener.extract(|one| now.saturating_sub(one.since) >= limit);
        close_all(aged, Closed::TooOld, effects);
        self.watch_age(id);
        self.update_accepting(id, effects);
    }

    /// The primary lacks so many spare descriptors (rule 16).
    pub(super) fn spares_missing(&mut self, count: usize, effects: &mut Vec<Effect>) {
        let mut waiting: Vec<_> =
            self.listeners.values().flat_map(|listener| listener.ages()).map(|(_, connection)| connection).collect();
        if !waiting.is_empty() {
            waiting.sort_unstable();
            effects.push(Effect::FindBroken { connections: waiting, missing: count });
        }
    }

    /// These of the waiting connections are broken (rule 16).
    pub(super) fn broken(&mut self, connections: &[ConnectionId], mut missing: usize, effects: &mut Vec<Effect>) {
        for listener in self.listeners.values_mut() {
            let broken = listener.extract(|one| connections.contains(&one.connection));
            missing = missing.saturating_sub(broken.len());
            close_all(broken, Closed::ClientGone, effects);
        }
        let mut ages: Vec<_> = self.listeners.values().flat_map(|listener| listener.ages()).collect();
        ages.sort_unstable();
        let oldest: Vec<_> = ages.into_iter().take(missing).map(|(_, connection)| connection).collect();
        for listener in self.listeners.values_mut() {
            close_all(listener.extract(|one| oldest.contains(&one.connection)), Closed::Scarce, effects);
        }
        let all: Vec<_> = self.listeners.keys().copied().collect();
        all.into_iter().for_each(|listener| self.update_accepting(listener, effects));
    }

    /// Whether the worker may have one listener more (rule 18).
    pub(super) fn may_listen(&self, worker: WorkerId) -> bool {
        let Some(record) = self.workers.get(&worker) else { return false };
        record.listeners.len() < self.groups[record.group].listeners
    }

    /// Before a worker opens one listener more: those that it has closed and that are kept for its successor count as its own, and the
    /// one that would be closed first makes room (rule 18).
    pub(super) fn make_room(&mut self, worker: WorkerId, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get(&worker) else { return };
        let limit = self.groups[record.group].listeners;
        // Few listeners in all are the usual case, and need no search.
        if self.listeners.len() < limit {
            return;
        }
        let left = self.listeners.iter().filter(|(_, listener)| listener.left_by == Some(worker));
        let left: Vec<_> = left.map(|(id, listener)| (listener.closes_at, *id)).collect();
        if record.listeners.len() + left.len() >= limit
            && let Some((_, first)) = left.into_iter().min()
        {
            self.close_listener(first, effects);
        }
    }

    /// The last worker of a listener has left. It is closed after this time, unless a worker asks for it.
    pub(super) fn close_later(&mut self, id: ListenerId, timer: Timer, now: Duration) {
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        let options = &self.groups[listener.group];
        // Datagrams that no worker receives do not wait: what a successor gets must not be old.
        let is_udp = listener.address.address_type.is_udp();
        let time = match timer {
            Timer::Linger(_) if is_udp => now,
            Timer::Linger(_) => now.saturating_add(options.linger),
            _ => now.saturating_add(options.idle_listener_limit),
        };
        if let Some(planned) = listener.closes_at.replace((time, timer)) {
            self.timers.remove(&planned);
        }
        self.at(time, timer);
    }

    /// No worker has asked for a listener for too long (rule 18).
    pub(super) fn close_idle(&mut self, id: ListenerId, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.get(&id) else { return };
        let address = listener.real_address();
        self.close_listener(id, effects);
        effects.push(Effect::Tell(Notice::ListenerClosed(address)));
    }

    /// A listening socket is on its way to a worker (rule 19).
    pub(super) fn handle_sent(&mut self, worker: WorkerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        record.handles_sent += 1;
        if record.handles_sent == HANDLES {
            effects.push(Effect::PauseReading { worker });
            self.stalled(worker, now);
        }
    }

    /// A listening socket has arrived, or has not (rule 19).
    pub(super) fn handle_returned(&mut self, worker: WorkerId, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        if record.handles_sent == HANDLES {
            effects.push(Effect::ResumeReading { worker });
        }
        record.handles_sent = record.handles_sent.saturating_sub(1);
        self.stall_ended(worker);
    }

    /// The worker's channel stands still, since the worker does not read it; or it moves again (rule 20).
    pub(super) fn channel_stalled(&mut self, worker: WorkerId, stalled: bool, now: Duration) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        record.channel_stalled = stalled;
        if stalled { self.stalled(worker, now) } else { self.stall_ended(worker) }
    }

    fn stalled(&mut self, worker: WorkerId, now: Duration) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        if record.stalled_until.is_none() {
            let time = now.saturating_add(self.groups[record.group].stall_limit);
            record.stalled_until = Some(time);
            self.at(time, Timer::Stall(worker));
        }
    }

    fn stall_ended(&mut self, worker: WorkerId) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        if !record.channel_stalled
            && record.handles_sent < HANDLES
            && let Some(time) = record.stalled_until
            // Otherwise it was killed: it stays stalled.
            && self.timers.remove(&(time, Timer::Stall(worker)))
        {
            record.stalled_until = None;
        }
    }

    /// The worker was stalled for too long (rule 20). It stays stalled: it is killed once.
    pub(super) fn end_stalled(&mut self, worker: WorkerId, effects: &mut Vec<Effect>) {
        if self.workers.contains_key(&worker) {
            effects.push(Effect::Tell(Notice::Stalled(worker)));
            effects.push(Effect::Kill { worker });
        }
    }

    /// A worker has asked for a descriptor that was not announced (rule 17).
    pub(super) fn descriptor_refused(&mut self, worker: WorkerId, address: Address, effects: &mut Vec<Effect>) {
        // Once: a worker may ask as often as it likes.
        if let Some(record) = self.workers.get_mut(&worker)
            && !std::mem::replace(&mut record.descriptor_refused, true)
        {
            effects.push(Effect::Tell(Notice::DescriptorRefused(worker, address)));
        }
    }
}

pub(super) fn close_all(connections: Vec<Waiting>, why: Closed, effects: &mut Vec<Effect>) {
    effects.extend(connections.into_iter().map(|one| Effect::Close { connection: one.connection, why }));
}
