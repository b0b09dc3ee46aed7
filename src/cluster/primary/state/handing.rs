//! Connections on their way from a listener to its workers, and back (rules 1 to 8).

use std::time::Duration;

use super::worker::Unanswered;
use super::{Closed, ConnectionId, Delivery, Effect, ListenerId, Notice, PrimaryState, RETRY_DELAY, Timer, WorkerId};

impl PrimaryState {
    /// Hands out what waits at a listener, as long as a worker may have it.
    pub(super) fn dispatch(&mut self, id: ListenerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        // ANCHOR: dispatch
        while let Some((worker, waiting)) = listener.next() {
            let Some(record) = self.workers.get_mut(&worker) else {
                listener.remove_worker(worker);
                listener.offer_again(waiting);
                continue;
            };
            if record.is_late(now) {
                if !record.passed_over.contains(&id) {
                    record.passed_over.push(id);
                }
                listener.pass_over(worker, waiting);
                continue;
            }
            let seq = self.sequence;
            self.sequence += 1;
            record.handed(seq, id, waiting, now);
            listener.handed_to(worker);
            let key = listener.key.clone();
            effects.push(Effect::HandOver { worker, seq, key, connection: waiting.connection });
            if let Some(time) = record.watch(self.groups[record.group].answer_limit) {
                self.timers.insert((time, Timer::Silence(worker)));
            }
        }
        // ANCHOR_END: dispatch
        self.watch_age(id);
        self.update_accepting(id, effects);
    }

    /// Pauses accepting while as many connections wait as may, and resumes it (rule 7).
    pub(super) fn update_accepting(&mut self, id: ListenerId, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        let is_full = listener.waiting() >= listener.waiting_limit;
        if std::mem::replace(&mut listener.is_full, is_full) != is_full && !self.failing.contains_key(&id) {
            effects.push(match is_full {
                true => Effect::PauseAccepting { listener: id },
                false => Effect::ResumeAccepting { listener: id },
            });
        }
    }

    /// A worker answers for a connection (rules 4 and 6).
    pub(super) fn answered(
        &mut self,
        worker: WorkerId,
        ack: u64,
        accepted: bool,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        let Some(place) = record.place_of(ack) else { return };
        let one = &mut record.unanswered[place];
        if one.refused {
            return;
        }
        if !accepted {
            one.refused = true;
            // Until its descriptor is back, it cannot be handed to another worker.
            if one.returned {
                self.refused(worker, place, now, effects);
            }
            return;
        }
        let Some(one) = record.unanswered.remove(place) else { return };
        record.status.taken += 1;
        effects.push(Effect::Close { connection: one.waiting.connection, why: Closed::Accepted });
        if let Some(listener) = self.listeners.get_mut(&one.listener) {
            listener.answered(worker, now.saturating_sub(one.since), true);
        }
        self.descriptor_freed(effects);
        self.serve_more(worker, one.listener, now, effects);
    }

    /// A worker does not take a connection (rule 4).
    fn refused(&mut self, worker: WorkerId, place: usize, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        let Some(mut one) = record.unanswered.remove(place) else { return };
        match self.listeners.get_mut(&one.listener) {
            Some(listener) => {
                // The refusal of a worker that no longer listens there says nothing about the others.
                one.waiting.refusals += u32::from(listener.answered(worker, now.saturating_sub(one.since), false));
                // The others are asked first, whatever the policy says.
                listener.shut_to(worker);
                if listener.refused(one.waiting) {
                    self.retry_later(one.listener, now);
                }
                self.dispatch(one.listener, now, effects);
            }
            None => effects.push(Effect::Close { connection: one.waiting.connection, why: Closed::NoListener }),
        }
        self.serve_more(worker, one.listener, now, effects);
    }

    /// A worker has answered: it may be handed more, here and wherever it was passed over.
    fn serve_more(&mut self, worker: WorkerId, listener: ListenerId, now: Duration, effects: &mut Vec<Effect>) {
        let passed_over = self.workers.get_mut(&worker).map(|record| std::mem::take(&mut record.passed_over));
        for listener in std::iter::once(listener).chain(passed_over.unwrap_or_default()) {
            if let Some(listener) = self.listeners.get_mut(&listener) {
                listener.open_to(worker);
            }
            self.dispatch(listener, now, effects);
        }
    }

    /// The channel gives a connection back.
    pub(super) fn returned(
        &mut self,
        worker: WorkerId,
        connection: ConnectionId,
        delivery: Delivery,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        let Some(place) = record.unanswered.iter().position(|one| one.waiting.connection == connection) else { return };
        let one = &mut record.unanswered[place];
        one.returned = true;
        match delivery {
            Delivery::Refused => self.refused(worker, place, now, effects),
            Delivery::Arrived if one.refused => self.refused(worker, place, now, effects),
            Delivery::Arrived | Delivery::Unknown => {}
            Delivery::Unsent => {
                let one = record.unanswered.remove(place);
                self.remove_from_listeners(worker, now, effects);
                if let Some(one) = one {
                    self.offer_again(one, effects).into_iter().for_each(|id| self.dispatch(id, now, effects));
                }
            }
        }
        self.settle(worker, now, effects);
    }

    /// Puts a connection back in its queue, and returns the queue's listener; without a listener it is closed.
    pub(super) fn offer_again(&mut self, one: Unanswered, effects: &mut Vec<Effect>) -> Option<ListenerId> {
        let Some(listener) = self.listeners.get_mut(&one.listener) else {
            effects.push(Effect::Close { connection: one.waiting.connection, why: Closed::NoListener });
            return None;
        };
        listener.offer_again(one.waiting);
        Some(one.listener)
    }

    pub(super) fn retry_later(&mut self, listener: ListenerId, now: Duration) {
        self.at(now + RETRY_DELAY, Timer::Retry(listener));
    }

    /// One connection for each worker shows whether it takes any now.
    pub(super) fn retry_refused(&mut self, id: ListenerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        listener.offer_refused(listener.slots.len().max(1));
        listener.retry_scheduled = !listener.retry_queue.is_empty();
        if listener.retry_scheduled {
            self.retry_later(id, now);
        }
        self.dispatch(id, now, effects);
    }

    /// Nothing could be accepted (rule 8).
    pub(super) fn accept_failed(&mut self, id: ListenerId, errno: i32, now: Duration, effects: &mut Vec<Effect>) {
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        if !std::mem::replace(&mut listener.accept_failure_told, true) {
            effects.push(Effect::Tell(Notice::AcceptFailed(listener.real_address(), errno)));
        }
        self.pause_after_failure(id, now, effects);
    }

    /// Accepts nothing at a listener for a while (rules 8 and 16).
    pub(super) fn pause_after_failure(&mut self, id: ListenerId, now: Duration, effects: &mut Vec<Effect>) {
        let time = now + RETRY_DELAY;
        if self.failing.insert(id, time).is_none() {
            // Otherwise it is paused already (rule 7).
            if self.listeners.get(&id).is_some_and(|listener| !listener.is_full) {
                effects.push(Effect::PauseAccepting { listener: id });
            }
            self.at(time, Timer::Accept(id));
        }
    }

    /// A descriptor was closed: it may be the one that was missing.
    pub(super) fn descriptor_freed(&mut self, effects: &mut Vec<Effect>) {
        while let Some(listener) = self.failing.keys().next().copied() {
            self.resume_accepting(listener, effects);
        }
    }

    pub(super) fn resume_accepting(&mut self, id: ListenerId, effects: &mut Vec<Effect>) {
        let Some(time) = self.failing.remove(&id) else { return };
        self.timers.remove(&(time, Timer::Accept(id)));
        if self.listeners.get(&id).is_some_and(|listener| !listener.is_full) {
            effects.push(Effect::ResumeAccepting { listener: id });
        }
    }
}
