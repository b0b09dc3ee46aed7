//! How workers leave and end (rules 5 and 11 to 13).

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Effect, FromPrimary, Notice, PrimaryState, State, Timer, WorkerId};

impl PrimaryState {
    /// Asks a worker to disconnect, once: a Node worker that is asked twice closes its channel twice and dies of it.
    pub(super) fn disconnect(&mut self, worker: WorkerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        let is_leaving = record.is_leaving();
        record.set_leaving();
        self.remove_from_listeners(worker, now, effects);
        if !is_leaving {
            self.send(worker, FromPrimary::Disconnect, effects);
        }
    }

    /// Removes a worker wherever it listens. What waited for it alone goes to the others.
    pub(super) fn remove_from_listeners(&mut self, worker: WorkerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        for id in std::mem::take(&mut record.listeners) {
            if let Some(listener) = self.listeners.get_mut(&id) {
                listener.remove_worker(worker);
                self.dispatch(id, now, effects);
                self.unless_used(id, now);
            }
        }
    }

    // ANCHOR: redistribute
    /// Goes on with a worker's end as far as is possible now (rules 5 and 13).
    pub(super) fn settle(&mut self, worker: WorkerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        if !record.channel_ended || record.unanswered.iter().any(|one| !one.returned) {
            return;
        }
        let mut changed = BTreeSet::new();
        // From the newest to the oldest, since each is put before the others.
        for one in std::mem::take(&mut record.unanswered).into_iter().rev() {
            changed.extend(self.offer_again(one, effects));
        }
        changed.into_iter().for_each(|listener| self.dispatch(listener, now, effects));
        self.tell_end(worker, effects);
    }
    // ANCHOR_END: redistribute

    fn tell_end(&mut self, worker: WorkerId, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        if !record.messages_delivered {
            return;
        }
        record.reached(State::Disconnected);
        if !std::mem::replace(&mut record.disconnect_told, true) {
            effects.push(Effect::Tell(Notice::Disconnect(worker)));
        }
        if record.status.state == State::Dead {
            let status = record.status();
            self.workers.remove(&worker);
            effects.push(Effect::Tell(Notice::Exit(worker)));
            effects.push(Effect::Forget { worker, status });
        }
    }

    /// The time to look at a worker's silence has come.
    pub(super) fn check_silence(&mut self, worker: WorkerId, now: Duration, effects: &mut Vec<Effect>) {
        let Some(record) = self.workers.get_mut(&worker) else { return };
        record.is_watched = false;
        match record.watch(self.groups[record.group].answer_limit) {
            Some(time) if time > now => self.at(time, Timer::Silence(worker)),
            // It stays watched: it is killed once.
            Some(_) => {
                effects.push(Effect::Tell(Notice::Silent(worker)));
                effects.push(Effect::Kill { worker });
            }
            None => {}
        }
    }
}
