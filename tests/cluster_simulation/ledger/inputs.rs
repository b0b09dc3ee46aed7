//! What each input makes due.

use std::time::Duration;

use forklore::cluster::state::FromWorker;
use forklore::cluster::state::primary::{Closed, ConnectionId, Delivery, Input, ListenerId, WorkerId};

use super::{Connection, Due, Held, Ledger, Life, Place};
use crate::broken::Checked;
use crate::coverage::Reached;
use crate::step::Port;

impl Ledger {
    pub(super) fn told(&mut self, input: &Input, now: Duration) -> Checked {
        self.may_be_told(input)?;
        match input {
            Input::Forked { worker, group } => self.forked(*worker, *group),
            Input::Message { worker, seq, message } => self.said(*worker, *seq, message, now),
            Input::Returned { worker, connection, delivery } => self.returned(*worker, *connection, *delivery, now),
            Input::ListenerRefused { worker, ack, listener } => {
                self.handle_back(*worker);
                if self.listener(*listener).is_some() {
                    self.due.push(Due::Fail(*worker, *ack));
                    self.closed_by(*worker, *listener, now);
                }
            }
            Input::ListenerArrived { worker } => self.handle_back(*worker),
            Input::ChannelStalled { worker, stalled } => self.stall_changed(*worker, *stalled, now),
            Input::SparesMissing { count } => self.spares_missing(*count),
            Input::Broken { connections, .. } => self.broken(connections),
            Input::CloseListener { listener } => self.user_closes(*listener),
            Input::ChannelEnded { worker } => {
                self.stall_changed(*worker, false, now);
                let Some(life) = self.life(*worker) else { return Ok(()) };
                life.ended = true;
                self.drop_grants(*worker, now);
                self.settle(*worker);
            }
            Input::MessagesDelivered { worker } => {
                let Some(life) = self.life(*worker) else { return Ok(()) };
                life.delivered = true;
                self.settle(*worker);
            }
            Input::Exited { worker } => {
                let Some(life) = self.life(*worker) else { return Ok(()) };
                life.exited = true;
                self.due.push(Due::EndChannel(*worker));
                self.settle(*worker);
            }
            Input::Opened { listener, .. } => match self.listener(*listener) {
                None => self.due.push(Due::CloseListener(*listener)),
                Some(known) => {
                    let asked = known.opening.take().unwrap_or_default();
                    let together = asked.len() > 1;
                    for (worker, ack) in asked {
                        let Some(life) = self.life(worker).filter(|life| !life.is_leaving()) else { continue };
                        life.late_grants += usize::from(together || life.has_enough());
                        self.due.push(Due::Grant(worker, ack));
                    }
                    self.unless_used(*listener, now);
                }
            },
            Input::OpenFailed { listener, .. } => {
                let Some(known) = self.listener(*listener) else { return Ok(()) };
                known.is_closed = true;
                let asked = known.opening.take().unwrap_or_default();
                self.open.retain(|open| open != listener);
                self.due.extend(asked.into_iter().map(|(worker, ack)| Due::Fail(worker, ack)));
            }
            Input::Accepted { listener, connection, .. } => {
                let (listener, place) = (*listener, Place::Waiting);
                let record = Connection { listener, place, since: now, refused_by: None, lost_by: None };
                self.connections.push(record);
                debug_assert_eq!(self.connections.len() as u64, *connection);
                self.listeners[listener as usize - 1].fresh.push_back(*connection);
            }
            Input::BacklogEmpty { listener } => {
                self.listener(*listener).into_iter().for_each(|listener| listener.failure_told = false);
            }
            Input::AcceptFailed { listener, .. } => {
                let Some(known) = self.listener(*listener) else { return Ok(()) };
                known.failing.get_or_insert(Ledger::retry_time(now));
                if !std::mem::replace(&mut known.failure_told, true) {
                    self.due.push(Due::AcceptFailed);
                }
            }
            Input::Disconnect { worker } => self.asked_to_leave(*worker, now),
            Input::SetWeight { .. } => {}
            Input::Shutdown => {
                self.ended = true;
                if self.open.iter().any(|id| self.listeners[*id as usize - 1].waiting() > 0) {
                    self.coverage.add(Reached::P14);
                }
                // One after the other: what waited for one may go to the next.
                for life in self.workers.iter_mut().flatten() {
                    if !life.is_leaving() {
                        self.due.push(Due::Ask(life.id));
                    }
                    life.leaving |= life.ended;
                }
                self.close_all();
            }
            Input::Abandoned => {
                self.ended = true;
                self.close_all();
                self.due.extend(self.live.iter().map(|worker| Due::CloseChannel(*worker)));
            }
            Input::Tick => self.tick(now),
        }
        Ok(())
    }

    fn forked(&mut self, worker: WorkerId, group: usize) {
        self.workers.resize_with(worker as usize, || None);
        self.workers[worker as usize - 1] = Some(Life {
            id: worker,
            group,
            leaving: false,
            online: false,
            asked: 0,
            ended: false,
            delivered: false,
            exited: false,
            disconnect_told: false,
            killed: false,
            handles: 0,
            channel_stalled: false,
            late_grants: 0,
            stalled_until: None,
            stall_killed: false,
            descriptor_refused: false,
            next_seq: 0,
            given: 0,
            taken: 0,
            held: Default::default(),
            grants: Vec::new(),
            most_listeners: self.groups[group].listeners,
        });
        self.ended = false;
        self.live.push(worker);
        self.due.push(Due::Fork(worker));
    }

    fn said(&mut self, worker: WorkerId, seq: Option<u64>, message: &FromWorker, now: Duration) {
        let ended = self.ended;
        let Some(life) = self.life(worker) else { return };
        let (group, is_leaving) = (life.group, life.is_leaving());
        match message {
            FromWorker::Online => {
                if !std::mem::replace(&mut life.online, true) {
                    self.due.push(Due::Online(worker));
                }
            }
            FromWorker::QueryServer(_) if is_leaving || ended => self.coverage.add(Reached::P11),
            FromWorker::QueryServer(query) => {
                let Some(ack) = seq else { return };
                if self.is_refused(worker, ack, query) {
                    return;
                }
                let Some(listener) = self.find(group, &query.key()) else {
                    self.makes_room(worker);
                    let listener = super::Listener {
                        id: self.listeners.len() as ListenerId + 1,
                        group,
                        key: query.key(),
                        port: Port::of(query),
                        opening: Some(vec![(worker, ack)]),
                        is_closed: false,
                        fresh: Default::default(),
                        again: Default::default(),
                        is_paused: false,
                        failing: None,
                        failure_told: false,
                        lingers: None,
                        members: Vec::new(),
                    };
                    self.open.push(listener.id);
                    self.listeners.push(listener);
                    return self.due.push(Due::Open);
                };
                match &mut self.listeners[listener as usize - 1].opening {
                    Some(asked) => asked.push((worker, ack)),
                    None => self.due.push(Due::Grant(worker, ack)),
                }
            }
            FromWorker::Listening(_) => self.due.push(Due::Listening(worker)),
            FromWorker::Close { key } => {
                if let Some(listener) = self.find(group, key) {
                    self.closed_by(worker, listener, now);
                }
            }
            FromWorker::ExitedAfterDisconnect => {
                self.leaves(worker, now);
                self.due.extend(seq.map(|ack| Due::Acknowledge(worker, ack)));
            }
            FromWorker::Closed { .. } => {}
            FromWorker::Answer { ack, accepted } => self.answered(worker, *ack, *accepted, now),
        }
    }

    fn answered(&mut self, worker: WorkerId, ack: u64, accepted: bool, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        let place = life.held.iter().position(|held| held.seq == ack && !held.refused);
        let Some(place) = place else { return self.coverage.add(Reached::P6) };
        if !accepted {
            life.held[place].refused = true;
            if life.held[place].returned {
                self.gives_back(worker, place, now);
            }
            return;
        }
        life.taken += 1;
        if let Some(held) = self.let_go(worker, place, now) {
            self.due.push(Due::Close(held.connection, Closed::Accepted));
            // A descriptor is free: accepting is tried again everywhere.
            for listener in &mut self.listeners {
                if listener.failing.take().is_some() {
                    self.coverage.add(Reached::P8);
                }
            }
        }
    }

    /// The worker no longer holds it. Its window follows how long it took.
    fn let_go(&mut self, worker: WorkerId, place: usize, now: Duration) -> Option<Held> {
        let groups = self.groups.clone();
        let life = self.life(worker)?;
        let held = life.held.remove(place)?;
        let limit = groups[life.group].window;
        if let Some((_, window)) = life.grants.iter_mut().find(|(listener, _)| *listener == held.listener) {
            let is_late = now.saturating_sub(held.since) > Duration::from_millis(10);
            *window = if is_late { 1 } else { (*window + 1).min(limit) };
        }
        Some(held)
    }

    fn gives_back(&mut self, worker: WorkerId, place: usize, now: Duration) {
        let Some(held) = self.let_go(worker, place, now) else { return };
        self.connections[held.connection as usize - 1].refused_by = Some(worker);
        self.just_refused = Some((held.connection, worker));
        self.waits_again(held);
    }

    pub(super) fn waits_again(&mut self, held: Held) {
        self.connections[held.connection as usize - 1].place = Place::Waiting;
        self.listeners[held.listener as usize - 1].again.push_front(held.connection);
    }

    fn returned(&mut self, worker: WorkerId, connection: ConnectionId, delivery: Delivery, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        let Some(place) = life.held.iter().position(|held| held.connection == connection) else { return };
        life.held[place].returned = true;
        match delivery {
            Delivery::Arrived if !life.held[place].refused => {}
            Delivery::Arrived | Delivery::Refused => self.gives_back(worker, place, now),
            Delivery::Unknown => {}
            Delivery::Unsent => {
                let held = life.held.remove(place);
                self.drop_grants(worker, now);
                held.into_iter().for_each(|held| self.waits_again(held));
            }
        }
        self.settle(worker);
    }

    fn tick(&mut self, now: Duration) {
        self.wake_at = None;
        for id in self.open.clone() {
            let listener = &mut self.listeners[id as usize - 1];
            listener.failing = listener.failing.filter(|time| *time > now);
            if let Some((_, left_by)) = listener.lingers.filter(|(time, _)| *time <= now) {
                let is_idle = left_by.is_none();
                self.coverage.add(if is_idle { Reached::P18 } else { Reached::P10 });
                self.due.extend(is_idle.then_some(Due::ListenerClosed));
                self.open.retain(|open| *open != id);
                self.close_listener(id);
            }
        }
        self.end_stalled(now);
        for worker in self.live.clone() {
            let groups = &self.groups;
            let Some(life) = self.workers[worker as usize - 1].as_mut() else { continue };
            let Some(limit) = groups[life.group].answer_limit.map(Duration::from_millis) else { continue };
            if !life.killed && life.held.front().is_some_and(|oldest| oldest.since + limit <= now) {
                life.killed = true;
                self.coverage.add(Reached::P12);
                self.due.extend([Due::Silent(worker), Due::Kill(worker)]);
            }
        }
    }
}
