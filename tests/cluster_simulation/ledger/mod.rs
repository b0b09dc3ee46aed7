//! The books that are kept beside a primary's state machine: what it was told, and what follows from that.
//!
//! | file | what it holds |
//! |---|---|
//! | `inputs.rs`, `leaving.rs` | what each input makes due |
//! | `due.rs` | the effects that can be due, and the invariant that each one stands for |
//! | `effects.rs` | what each effect settles, and whether it was allowed |
//! | `limits.rs` | what bounds a worker's and a client's use of the primary |
//! | `invariants.rs` | what holds after every step |

mod due;
mod effects;
mod inputs;
mod invariants;
mod leaving;
mod limits;

use std::collections::VecDeque;
use std::time::Duration;

use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::{ConnectionId, ListenerId, PrimaryState, RETRY_DELAY, WorkerId};
use forklore::cluster::state::primary::{Effect, Input};

use crate::broken::Checked;
use crate::coverage::{Coverage, Reached};
use crate::options::GroupOptions;
use crate::step::Port;
use due::Due;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    Held(WorkerId),
    Closed,
}

#[derive(Debug)]
struct Connection {
    listener: ListenerId,
    place: Place,
    /// When it was accepted.
    since: Duration,
    /// The last worker that refused it, and the last that lost it.
    refused_by: Option<WorkerId>,
    lost_by: Option<WorkerId>,
}

/// A connection that a worker was handed and has not answered for.
#[derive(Debug, Clone, Copy)]
struct Held {
    seq: u64,
    connection: ConnectionId,
    listener: ListenerId,
    since: Duration,
    returned: bool,
    refused: bool,
}

#[derive(Debug)]
struct Life {
    id: WorkerId,
    group: usize,
    /// It was asked to disconnect, or said that it would.
    leaving: bool,
    online: bool,
    asked: u32,
    ended: bool,
    delivered: bool,
    exited: bool,
    disconnect_told: bool,
    killed: bool,
    /// How many listening sockets are on their way to it; whether its channel stands still.
    handles: usize,
    channel_stalled: bool,
    /// How many queries were granted late, when their listener was open. The limits are looked at when a query is read.
    late_grants: usize,
    /// It is killed at this time; whether it was.
    stalled_until: Option<Duration>,
    stall_killed: bool,
    descriptor_refused: bool,
    next_seq: u64,
    given: u64,
    taken: u64,
    held: VecDeque<Held>,
    most_listeners: usize,
    /// Where it listens, with its window.
    grants: Vec<(ListenerId, usize)>,
}

impl Life {
    fn is_leaving(&self) -> bool {
        self.leaving || self.ended
    }

    fn is_late(&self, now: Duration) -> bool {
        self.held.front().is_some_and(|oldest| now.saturating_sub(oldest.since) > Duration::from_millis(10))
    }

    fn holds(&self, listener: ListenerId) -> usize {
        self.held.iter().filter(|held| held.listener == listener).count()
    }
}

#[derive(Debug)]
struct Listener {
    id: ListenerId,
    group: usize,
    key: String,
    port: Port,
    /// Who waits until it is open; `None` when it is.
    opening: Option<Vec<(WorkerId, u64)>>,
    /// It is closed in this step, or was before.
    is_closed: bool,
    /// Connections that no worker was handed, in their order, and those that came back, the next one first.
    fresh: VecDeque<ConnectionId>,
    again: VecDeque<ConnectionId>,
    is_paused: bool,
    /// Accepting failed, and is resumed at this time.
    failing: Option<Duration>,
    failure_told: bool,
    /// It is closed at this time, and which worker closed it as the last one; if none did, the user is told.
    lingers: Option<(Duration, Option<WorkerId>)>,
    members: Vec<WorkerId>,
}

impl Listener {
    fn waiting(&self) -> usize {
        self.fresh.len() + self.again.len()
    }
}

/// Follows a primary.
#[derive(Debug)]
pub(crate) struct Ledger {
    groups: Vec<GroupOptions>,
    /// By their numbers, from 1. Forgotten ones are `None`.
    workers: Vec<Option<Life>>,
    live: Vec<WorkerId>,
    listeners: Vec<Listener>,
    open: Vec<ListenerId>,
    connections: Vec<Connection>,
    due: Vec<Due>,
    /// The connection that was refused in this step, and the worker that did.
    just_refused: Option<(ConnectionId, WorkerId)>,
    /// How many spare descriptors are missing.
    spares_missing: usize,
    /// The user has ended the cluster, and forked nothing since.
    ended: bool,
    wake_at: Option<Duration>,
    /// How many inputs the state machine had.
    pub(crate) inputs: u64,
    pub(crate) coverage: Coverage,
}

impl Ledger {
    pub(crate) fn new(groups: Vec<GroupOptions>) -> Ledger {
        Ledger {
            groups,
            workers: Vec::new(),
            live: Vec::new(),
            listeners: Vec::new(),
            open: Vec::new(),
            connections: Vec::new(),
            due: Vec::new(),
            just_refused: None,
            spares_missing: 0,
            ended: false,
            wake_at: None,
            inputs: 0,
            coverage: Coverage::default(),
        }
    }

    fn life(&mut self, worker: WorkerId) -> Option<&mut Life> {
        self.workers.get_mut(worker.checked_sub(1)? as usize)?.as_mut()
    }

    fn known(&self, worker: WorkerId) -> Option<&Life> {
        self.workers.get(worker.checked_sub(1)? as usize)?.as_ref()
    }

    fn listener(&mut self, listener: ListenerId) -> Option<&mut Listener> {
        self.listeners.get_mut(listener.checked_sub(1)? as usize).filter(|listener| !listener.is_closed)
    }

    fn find(&self, group: usize, key: &str) -> Option<ListenerId> {
        let is_it = |id: &&ListenerId| {
            let listener = &self.listeners[**id as usize - 1];
            listener.group == group && listener.key == key
        };
        self.open.iter().find(is_it).copied()
    }

    fn is_shared(&self, listener: &Listener) -> bool {
        listener.port.is_udp() || self.groups[listener.group].policy == Policy::Shared
    }

    /// Whether a worker may be handed a connection of a listener.
    fn may_take(&self, worker: WorkerId, listener: ListenerId, now: Duration) -> bool {
        self.known(worker).is_some_and(|life| {
            let window = life.grants.iter().find(|(known, _)| *known == listener).map_or(0, |(_, window)| *window);
            !life.is_leaving() && !life.is_late(now) && life.holds(listener) < window
        })
    }

    /// Has the state machine decide, and checks what it does.
    pub(crate) fn decide(
        &mut self,
        state: &mut PrimaryState,
        input: Input,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Checked {
        self.inputs += 1;
        self.due.clear();
        self.just_refused = None;
        self.told(&input, now)?;
        let scarce_at = match input {
            Input::Accepted { listener, is_scarce: true, .. } => Some(listener),
            _ => None,
        };
        let is_tick = matches!(input, Input::Tick);
        state.on(input, now, effects);
        for effect in effects.iter() {
            self.coverage.add(Reached::of_primary(effect));
            self.did(effect, now)?;
        }
        scarce_at.into_iter().for_each(|listener| self.accepted_the_last(listener, now));
        self.all_is_done()?;
        if is_tick {
            self.nothing_is_too_old(now)?;
        }
        self.check(state, now)
    }

    /// When the state machine wants to be woken.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.wake_at
    }

    /// Where a listener's connections wait: its key, and how many.
    pub(crate) fn waiting_at(&self, listener: ListenerId) -> (&str, usize) {
        let listener = &self.listeners[listener as usize - 1];
        (&listener.key, listener.waiting())
    }

    pub(crate) fn is_forgotten(&self, worker: WorkerId) -> bool {
        self.known(worker).is_none()
    }

    /// The workers that listen there.
    pub(crate) fn members(&self, listener: ListenerId) -> &[WorkerId] {
        &self.listeners[listener as usize - 1].members
    }

    /// What the workers of a group listen on.
    pub(crate) fn open_ports(&self, group: usize) -> Vec<Port> {
        let open = self.open.iter().map(|id| &self.listeners[*id as usize - 1]);
        open.filter(|listener| listener.group == group).map(|listener| listener.port).collect()
    }

    pub(crate) fn policy_of(&self, listener: ListenerId) -> Policy {
        self.groups[self.listeners[listener as usize - 1].group].policy
    }

    fn retry_time(now: Duration) -> Duration {
        now + RETRY_DELAY
    }
}
