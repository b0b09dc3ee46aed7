//! How workers and listeners end.

use std::time::Duration;

use forklore::cluster::state::primary::{ListenerId, WorkerId};

use super::{Due, Ledger};
use crate::coverage::Reached;

impl Ledger {
    pub(super) fn asked_to_leave(&mut self, worker: WorkerId, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        if !life.is_leaving() {
            self.due.push(Due::Ask(worker));
        }
        self.leaves(worker, now);
    }

    pub(super) fn leaves(&mut self, worker: WorkerId, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        life.leaving = true;
        let holds = !life.held.is_empty();
        self.drop_grants(worker, now);
        if holds {
            self.coverage.add(Reached::P11);
        }
    }

    pub(super) fn drop_grants(&mut self, worker: WorkerId, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        for (listener, _) in std::mem::take(&mut life.grants) {
            self.listeners[listener as usize - 1].members.retain(|member| *member != worker);
            self.unless_used(listener, now);
        }
    }

    /// A worker listens there no longer, because it wants that. The last one closes the listener.
    pub(super) fn closed_by(&mut self, worker: WorkerId, listener: ListenerId, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        let was_granted = life.grants.iter().any(|(known, _)| *known == listener);
        life.grants.retain(|(known, _)| *known != listener);
        let known = &mut self.listeners[listener as usize - 1];
        known.members.retain(|member| *member != worker);
        if was_granted && known.members.is_empty() {
            let linger = if known.port.is_udp() { 0 } else { self.groups[known.group].linger };
            known.lingers = Some((now + Duration::from_millis(linger), Some(worker)));
        }
    }

    /// A worker whose channel has ended loses everything that came back.
    pub(super) fn settle(&mut self, worker: WorkerId) {
        let Some(life) = self.life(worker) else { return };
        if !life.ended || life.held.iter().any(|held| !held.returned) {
            return;
        }
        let (delivered, exited) = (life.delivered, life.exited);
        let told = life.disconnect_told;
        life.disconnect_told |= delivered;
        for held in std::mem::take(&mut life.held).into_iter().rev() {
            self.connections[held.connection as usize - 1].lost_by = Some(worker);
            self.waits_again(held);
        }
        if delivered && !told {
            self.due.push(Due::Disconnected(worker));
        }
        if delivered && exited {
            self.due.extend([Due::Exit(worker), Due::Forget(worker)]);
        }
    }

    pub(super) fn close_all(&mut self) {
        for id in std::mem::take(&mut self.open) {
            self.close_listener(id);
        }
    }

    pub(super) fn close_listener(&mut self, id: ListenerId) {
        let listener = &mut self.listeners[id as usize - 1];
        listener.is_closed = true;
        if listener.opening.is_none() {
            self.due.push(Due::CloseListener(id));
        }
    }
}
