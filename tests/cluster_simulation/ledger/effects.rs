//! What each effect settles, and whether it was allowed.

use std::time::Duration;

use forklore::cluster::schedule::Policy;
use forklore::cluster::state::FromPrimary;
use forklore::cluster::state::primary::{Closed, ConnectionId, Effect, ListenerId, Notice, WorkerId};

use super::{Due, Held, Ledger, Place};
use crate::broken::{Broken, Checked, require};
use crate::coverage::Reached;

impl Ledger {
    pub(super) fn did(&mut self, effect: &Effect, now: Duration) -> Checked {
        match effect {
            Effect::Send { worker, seq, message } => {
                self.numbered(*worker, *seq)?;
                match message {
                    FromPrimary::Disconnect => {
                        self.asked_once(*worker)?;
                        self.leaves(*worker, now);
                        self.settled(Due::Ask(*worker))
                    }
                    FromPrimary::Acknowledged { ack } => self.settled(Due::Acknowledge(*worker, *ack)),
                    FromPrimary::Reply(reply) if reply.errno.is_none_or(|errno| errno == 0) => {
                        self.granted(*worker, reply.ack, reply.key.as_deref().unwrap_or_default())
                    }
                    FromPrimary::Reply(reply) => self.settled(Due::Fail(*worker, reply.ack)),
                    FromPrimary::Newconn { .. } => Err(Broken {
                        invariant: "a connection is handed over with its handle",
                        detail: format!("worker {worker}"),
                    }),
                }
            }
            Effect::SendListener { worker, seq, reply, listener } => {
                self.numbered(*worker, *seq)?;
                let shared = self.listener(*listener).map(|listener| listener.id);
                let shared = shared.is_some_and(|id| self.is_shared(&self.listeners[id as usize - 1]));
                require(shared, "only shared sockets are sent", || format!("listener {listener}"))?;
                self.granted(*worker, reply.ack, reply.key.as_deref().unwrap_or_default())?;
                self.handle_sent(*worker, now);
                Ok(())
            }
            Effect::HandOver { worker, seq, key, connection } => {
                self.numbered(*worker, *seq)?;
                self.handed(*worker, *seq, key, *connection, now)
            }
            Effect::Close { connection, why: Closed::NoListener } => self.closed_with_listener(*connection),
            Effect::Close { connection, why } => {
                if *why == Closed::TooOld {
                    self.closed_for_age(*connection, now)?;
                }
                self.leaves_queue_of(*connection);
                self.connections[*connection as usize - 1].place = Place::Closed;
                self.settled(Due::Close(*connection, *why))
            }
            Effect::Open { listener, query, accepts } => {
                self.is_allowed(query)?;
                let known = self.listeners.last().filter(|known| known.id == *listener && known.key == query.key());
                let is_right = known.is_some_and(|known| self.is_shared(known) != *accepts);
                require(is_right, Due::Open.invariant(), || format!("listener {listener}"))?;
                self.settled(Due::Open)
            }
            Effect::CloseListener { listener } => self.settled(Due::CloseListener(*listener)),
            Effect::PauseAccepting { listener } => self.paused(*listener, true),
            Effect::ResumeAccepting { listener } => self.paused(*listener, false),
            Effect::PauseReading { worker } => self.settled(Due::PauseReading(*worker)),
            Effect::ResumeReading { worker } => self.settled(Due::ResumeReading(*worker)),
            Effect::FindBroken { connections, .. } => self.looks_at_all(connections),
            Effect::Tell(notice) => self.settled(match notice {
                Notice::Fork(worker) => Due::Fork(*worker),
                Notice::Online(worker) => Due::Online(*worker),
                Notice::Listening(worker, _) => Due::Listening(*worker),
                Notice::Disconnect(worker) => Due::Disconnected(*worker),
                Notice::Exit(worker) => Due::Exit(*worker),
                Notice::Silent(worker) => Due::Silent(*worker),
                Notice::Stalled(worker) => Due::Stalled(*worker),
                Notice::ListenerClosed(_) => Due::ListenerClosed,
                Notice::DescriptorRefused(worker, _) => Due::DescriptorRefused(*worker),
                Notice::AcceptFailed(..) => Due::AcceptFailed,
            }),
            Effect::Kill { worker } => self.settled(Due::Kill(*worker)),
            Effect::EndChannel { worker } => self.settled(Due::EndChannel(*worker)),
            Effect::CloseChannel { worker } => self.settled(Due::CloseChannel(*worker)),
            Effect::Forget { worker, status } => {
                let known = self.known(*worker).is_some_and(|life| status.taken == life.taken);
                require(known, "a forgotten worker's last status is right", || format!("worker {worker}"))?;
                self.coverage.add(Reached::P13);
                self.workers[*worker as usize - 1] = None;
                self.live.retain(|live| live != worker);
                self.settled(Due::Forget(*worker))
            }
            Effect::WakeAt(time) => {
                let earlier = self.wake_at.is_none_or(|known| *time < known);
                self.wake_at = Some(*time);
                require(earlier, "a new time to wake is earlier than the known one", || format!("{time:?}"))
            }
        }
    }

    /// An effect that was due has come.
    pub(super) fn settled(&mut self, due: Due) -> Checked {
        // A worker's end is told in this order.
        let precedes = |earlier: &Due| match (*earlier, due) {
            (Due::Disconnected(one), Due::Exit(other) | Due::Forget(other)) => one == other,
            (Due::Exit(one), Due::Forget(other)) => one == other,
            _ => false,
        };
        let place = self.due.iter().position(|known| *known == due);
        let in_order = place.is_some() && !self.due.iter().any(precedes);
        require(in_order, due.invariant(), || format!("{due:?} comes without a reason"))?;
        place.map(|place| self.due.swap_remove(place));
        Ok(())
    }

    pub(super) fn all_is_done(&self) -> Checked {
        self.due
            .first()
            .map_or(Ok(()), |due| Err(Broken { invariant: due.invariant(), detail: format!("{due:?} does not come") }))
    }

    /// The numbers of a worker's messages strictly increase.
    fn numbered(&mut self, worker: WorkerId, seq: u64) -> Checked {
        let Some(life) = self.life(worker) else { return Ok(()) };
        let increases = seq >= life.next_seq;
        life.next_seq = seq + 1;
        require(increases, "the numbers of messages strictly increase", || format!("{seq} to worker {worker}"))
    }

    /// At most one `disconnect` is sent to a worker.
    fn asked_once(&mut self, worker: WorkerId) -> Checked {
        let asked = self.life(worker).map_or(0, |life| {
            life.asked += 1;
            life.asked
        });
        require(asked == 1, Due::Ask(worker).invariant(), || format!("worker {worker}"))
    }

    fn granted(&mut self, worker: WorkerId, ack: u64, key: &str) -> Checked {
        self.settled(Due::Grant(worker, ack))?;
        let group = self.known(worker).map_or(0, |life| life.group);
        let Some(listener) = self.find(group, key) else {
            return require(false, Due::Open.invariant(), || format!("{key} is not open"));
        };
        let known = &mut self.listeners[listener as usize - 1];
        known.lingers = None;
        if !known.members.contains(&worker) {
            known.members.push(worker);
        }
        if known.members.len() > 1 {
            self.coverage.add(Reached::P9);
        }
        if let Some(life) = self.life(worker)
            && !life.grants.iter().any(|(known, _)| *known == listener)
        {
            life.grants.push((listener, 1));
        }
        Ok(())
    }

    fn handed(&mut self, worker: WorkerId, seq: u64, key: &str, connection: ConnectionId, now: Duration) -> Checked {
        let detail = || format!("connection {connection} to worker {worker}");
        let Connection { listener, place, refused_by, lost_by, .. } = self.connections[connection as usize - 1];
        require(place == Place::Waiting, "a connection is in exactly one place (rule 5)", detail)?;
        let known = &self.listeners[listener as usize - 1];
        require(known.key == key, "a connection goes to workers of its own listener (rule 9)", detail)?;
        let Some(life) = self.workers.get(worker as usize - 1).and_then(Option::as_ref) else {
            return require(false, "nothing is handed to a worker that has gone", detail);
        };
        require(!life.is_leaving(), "a worker that leaves is handed nothing (rule 11)", detail)?;
        let window = life.grants.iter().find(|(granted, _)| *granted == listener).map(|(_, window)| *window);
        require(window.is_some(), "a reply precedes the connections of its listener (rule 9)", detail)?;
        let fits = window.is_some_and(|window| life.holds(listener) < window);
        require(fits, "a worker holds no more than its window (rule 1)", detail)?;
        require(!life.is_late(now), "a late worker is handed nothing (rule 2)", detail)?;
        self.in_order(listener, connection)?;
        if self.just_refused == Some((connection, worker)) && self.policy_of(listener) != Policy::Sticky {
            let other = self.listeners[listener as usize - 1].members.iter();
            let other = other.copied().find(|other| *other != worker && self.may_take(*other, listener, now));
            require(other.is_none(), "a refused connection goes to another worker (rule 4)", detail)?;
        }
        if refused_by.is_some_and(|refused| refused != worker) {
            self.coverage.add(Reached::P4);
        }
        if lost_by.is_some_and(|lost| lost != worker) {
            self.coverage.add(Reached::P5);
        }
        self.leaves_queue(listener, connection);
        self.connections[connection as usize - 1].place = Place::Held(worker);
        if let Some(life) = self.life(worker) {
            life.given += 1;
            life.held.push_back(Held { seq, connection, listener, since: now, returned: false, refused: false });
        }
        Ok(())
    }

    /// What waits is handed out in its order, and what came back before it. Not where clients belong to workers.
    fn in_order(&mut self, listener: ListenerId, connection: ConnectionId) -> Checked {
        if self.policy_of(listener) == Policy::Sticky {
            return Ok(());
        }
        let known = &self.listeners[listener as usize - 1];
        // One that was refused may wait longer (rule 4).
        let goes_first = |other: &&ConnectionId| self.connections[**other as usize - 1].refused_by.is_none();
        let first = known.again.iter().find(goes_first).or(known.fresh.front()).copied();
        let was_refused = self.connections[connection as usize - 1].refused_by.is_some();
        if known.fresh.len() > 1 {
            self.coverage.add(Reached::P3);
        }
        require(was_refused || first == Some(connection), "what waits is handed out in its order (rule 3)", || {
            format!("connection {connection} before {first:?}")
        })
    }

    fn leaves_queue(&mut self, listener: ListenerId, connection: ConnectionId) {
        let known = &mut self.listeners[listener as usize - 1];
        let queue = if known.again.contains(&connection) { &mut known.again } else { &mut known.fresh };
        if let Some(place) = queue.iter().position(|waiting| *waiting == connection) {
            queue.remove(place);
        }
    }

    fn leaves_queue_of(&mut self, connection: ConnectionId) {
        let Connection { listener, place, .. } = self.connections[connection as usize - 1];
        if place == Place::Waiting {
            self.leaves_queue(listener, connection);
        }
    }

    fn closed_with_listener(&mut self, connection: ConnectionId) -> Checked {
        let Connection { listener, place, .. } = self.connections[connection as usize - 1];
        let may = place == Place::Waiting && self.listeners[listener as usize - 1].is_closed;
        require(may, "a connection that waits is closed only with its listener", || {
            format!("connection {connection}")
        })?;
        self.leaves_queue(listener, connection);
        self.connections[connection as usize - 1].place = Place::Closed;
        Ok(())
    }

    fn paused(&mut self, listener: ListenerId, paused: bool) -> Checked {
        let known = &mut self.listeners[listener as usize - 1];
        let is_open = !known.is_closed || self.due.contains(&Due::CloseListener(listener));
        require(is_open, "accepting is paused at open listeners", || format!("listener {listener}"))?;
        let was_paused = std::mem::replace(&mut known.is_paused, paused);
        if paused && known.failing.is_none() {
            self.coverage.add(Reached::P7);
        }
        require(was_paused != paused, "accepting is paused and resumed in turn (rule 7)", || {
            format!("listener {listener}")
        })
    }
}

use super::Connection;
