//! What carries the primary's effects out, as `cluster/primary/run.rs` does.

use std::net::{IpAddr, Ipv4Addr};

use forklore::cluster::state::FromPrimary;
use forklore::cluster::state::primary::{ConnectionId, Delivery, Effect, Input, ListenerId, WorkerId};

use super::{Socket, World};
use crate::broken::Checked;
use crate::process::{Down, Parcel, Up};
use crate::step::Binding;

const EMFILE: i32 = 24;
const EADDRINUSE: i32 = 98;

/// How many descriptors are kept for a fork, and how few are few.
pub(super) const SPARES: usize = 2;
pub(super) const RESERVE: usize = 3;

impl World {
    /// Has the state machine decide, and carries out its effects in their order.
    pub(super) fn on(&mut self, input: Input) -> Checked {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            self.tell(|| format!("{input:?}"));
            let mut effects = std::mem::take(&mut self.effects);
            let decided = self.ledger.decide(&mut self.state, input, self.now, &mut effects);
            for effect in effects.drain(..) {
                self.tell(|| format!("    → {effect:?}"));
                let follow_up = self.perform(effect);
                self.inputs.extend(follow_up);
            }
            self.effects = effects;
            decided?;
        }
        Ok(())
    }

    /// Carries out one effect, and returns what the state machine has to know of it at once.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::HandOver { worker, seq, key, connection } => {
                let process = self.process(worker)?;
                if !process.takes() {
                    return Some(Input::Returned { worker, connection, delivery: Delivery::Unsent });
                }
                let parcel = Parcel::Connection(connection);
                process.posted.push_back(parcel);
                let message = FromPrimary::Newconn { key };
                process.down.push_back(Down::Message { seq, message, parcel: Some(parcel) });
            }
            Effect::Close { connection, .. } => {
                let has = &mut self.connections[connection as usize - 1].0;
                self.open_connections -= usize::from(std::mem::replace(has, false));
                self.refill_spares();
            }
            Effect::Send { worker, seq, message } => {
                let process = self.process(worker)?;
                if process.takes() {
                    process.down.push_back(Down::Message { seq, message, parcel: None });
                }
            }
            Effect::SendListener { worker, seq, reply, listener } => {
                let ack = reply.ack;
                if self.open_descriptors() >= self.descriptors {
                    return Some(Input::ListenerRefused { worker, ack, listener });
                }
                let process = self.process(worker)?;
                if !process.takes() {
                    return Some(Input::ListenerArrived { worker });
                }
                let parcel = Parcel::Listener { listener, ack };
                process.posted.push_back(parcel);
                let message = FromPrimary::Reply(reply);
                process.down.push_back(Down::Message { seq, message, parcel: Some(parcel) });
            }
            Effect::Open { listener, accepts, .. } => {
                let is_opening = self.binding == Binding::Later;
                let is_open = self.binding == Binding::AtOnce;
                let backlog = Default::default();
                self.sockets.push(Socket { is_open, is_opening, accepts, is_paused: false, backlog });
                debug_assert_eq!(self.sockets.len() as ListenerId, listener);
                return match self.binding {
                    Binding::AtOnce => Some(Input::Opened { listener, local: None }),
                    Binding::Later => None,
                    Binding::Fails => Some(Input::OpenFailed { listener, errno: EADDRINUSE }),
                };
            }
            Effect::CloseListener { listener } => {
                let socket = self.socket_mut(listener)?;
                socket.is_open = false;
                // The kernel resets them.
                socket.backlog.clear();
            }
            Effect::PauseAccepting { listener } => self.socket_mut(listener)?.is_paused = true,
            Effect::ResumeAccepting { listener } => self.socket_mut(listener)?.is_paused = false,
            Effect::PauseReading { worker } => self.process(worker)?.is_paused = true,
            Effect::ResumeReading { worker } => self.process(worker)?.is_paused = false,
            Effect::FindBroken { mut connections, missing } => {
                connections.retain(|connection| self.broken.contains(connection));
                return Some(Input::Broken { connections, missing });
            }
            Effect::Tell(_) | Effect::WakeAt(_) => {}
            Effect::Kill { worker } => self.process(worker)?.die(false),
            Effect::EndChannel { worker } => self.process(worker)?.is_severed = true,
            Effect::CloseChannel { worker } => self.process(worker)?.is_disconnecting = true,
            Effect::Forget { worker, .. } => {
                let runs = self.process(worker)?.runs;
                self.live.retain(|live| *live != worker || runs);
            }
        }
        None
    }

    pub(super) fn open_sockets(&self) -> usize {
        self.sockets.iter().filter(|socket| socket.is_open).count()
    }

    pub(super) fn open_descriptors(&self) -> usize {
        self.open_sockets() + self.open_connections + self.spares
    }

    /// Takes as many spare descriptors as are missing and can be had.
    fn refill_spares(&mut self) {
        while self.keeps_spares && self.spares < SPARES && self.open_descriptors() < self.descriptors {
            self.spares += 1;
        }
    }

    /// A fork has ended, for which the spare descriptors were released.
    pub(super) fn keep_spares(&mut self) -> Checked {
        (self.keeps_spares, self.spares) = (true, 0);
        self.refill_spares();
        match SPARES - self.spares {
            0 => Ok(()),
            count => self.on(Input::SparesMissing { count }),
        }
    }

    /// Accepts one connection, as far as there is one and a descriptor for it.
    pub(super) fn accept(&mut self, listener: ListenerId) -> Checked {
        let has_room = self.open_descriptors() < self.descriptors;
        let is_forking = !self.forking.is_empty();
        let Some(socket) = self.socket_mut(listener) else { return Ok(()) };
        if !socket.is_open || !socket.accepts || socket.is_paused || is_forking {
            return Ok(());
        }
        if socket.backlog.is_empty() {
            return self.on(Input::BacklogEmpty { listener });
        }
        if !has_room {
            return self.on(Input::AcceptFailed { listener, errno: EMFILE });
        }
        let client = socket.backlog.pop_front().unwrap_or_default();
        let client = (client > 0).then(|| IpAddr::from(Ipv4Addr::new(10, 0, 0, client)));
        self.connections.push((true, None));
        self.open_connections += 1;
        let is_scarce = self.spares > 0 && self.descriptors - self.open_descriptors() < RESERVE;
        let connection = self.connections.len() as ConnectionId;
        self.on(Input::Accepted { listener, connection, client, is_scarce })
    }

    /// A socket that was to be bound later is bound, or cannot be.
    pub(super) fn bound(&mut self, listener: ListenerId, opened: bool) -> Checked {
        let Some(socket) = self.socket_mut(listener) else { return Ok(()) };
        if !std::mem::replace(&mut socket.is_opening, false) {
            return Ok(());
        }
        socket.is_open = opened;
        self.on(match opened {
            true => Input::Opened { listener, local: None },
            false => Input::OpenFailed { listener, errno: EADDRINUSE },
        })
    }

    /// Handles the next of what came from a worker. `only_back`: the next handle, which may overtake messages.
    pub(super) fn hear(&mut self, worker: WorkerId, only_back: bool) -> Checked {
        let Some(process) = self.process(worker) else { return Ok(()) };
        let Some(up) = process.next_up(only_back).and_then(|place| process.up.remove(place)) else { return Ok(()) };
        self.on(match up {
            Up::Message(seq, message) => Input::Message { worker, seq, message },
            Up::Back(Parcel::Connection(connection), delivery) => Input::Returned { worker, connection, delivery },
            Up::Back(Parcel::Listener { listener, ack }, Delivery::Refused) => {
                Input::ListenerRefused { worker, ack, listener }
            }
            Up::Back(Parcel::Listener { .. }, _) => Input::ListenerArrived { worker },
            Up::End => Input::ChannelEnded { worker },
        })
    }
}
