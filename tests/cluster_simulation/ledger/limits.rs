//! What bounds a worker's and a client's use of the primary (rules 15 to 20).

use std::time::Duration;

use forklore::cluster::state::Query;
use forklore::cluster::state::primary::{Closed, ConnectionId, Input, ListenerId, WorkerId};

use super::{Connection, Due, Ledger, Life, Listener, Place};
use crate::broken::{Checked, require};
use crate::coverage::Reached;
use crate::step::Port;

/// How many listening sockets may be on their way to a worker.
const HANDLES: usize = 16;

impl Life {
    /// The worker listens wherever it may, or as many sockets are on their way as may.
    pub(super) fn has_enough(&self) -> bool {
        self.grants.len() >= self.most_listeners || self.handles >= HANDLES
    }
}

impl Ledger {
    /// No message of a paused worker is handled.
    pub(super) fn may_be_told(&mut self, input: &Input) -> Checked {
        let Input::Message { worker, .. } = input else { return Ok(()) };
        let is_full = self.life(*worker).is_some_and(|life| life.handles >= HANDLES);
        require(!is_full, Due::PauseReading(*worker).invariant(), || format!("worker {worker} is heard"))
    }

    /// Whether a query is refused: it asks for a descriptor that is not allowed, or the worker has enough listeners.
    pub(super) fn is_refused(&mut self, worker: WorkerId, ack: u64, query: &Query) -> bool {
        let groups = self.groups.clone();
        let Some(life) = self.life(worker) else { return false };
        let group = groups[life.group];
        let port = Port::of(query);
        let is_forbidden = port.descriptor().is_some() && port.descriptor() != group.descriptor;
        let is_first = is_forbidden && !std::mem::replace(&mut life.descriptor_refused, true);
        let has_enough = life.grants.len() >= life.most_listeners;
        if is_first {
            self.due.push(Due::DescriptorRefused(worker));
        }
        if is_forbidden {
            self.coverage.add(Reached::P17);
        }
        if is_forbidden || has_enough {
            self.due.push(Due::Fail(worker, ack));
        }
        is_forbidden || has_enough
    }

    /// A listener that the worker left is closed, if it opens another one and those that it has and has left are as many as may be.
    pub(super) fn makes_room(&mut self, worker: WorkerId) {
        let left = self.open.iter().filter_map(|id| {
            let (time, left_by) = self.listeners[*id as usize - 1].lingers?;
            (left_by == Some(worker)).then_some((time, *id))
        });
        let left: Vec<_> = left.collect();
        let Some(life) = self.life(worker) else { return };
        if life.grants.len() + left.len() >= life.most_listeners
            && let Some((_, id)) = left.into_iter().min()
        {
            self.open.retain(|open| *open != id);
            self.close_listener(id);
            self.coverage.add(Reached::LeftClosed);
        }
    }

    /// No descriptor is opened that was not announced.
    pub(super) fn is_allowed(&self, query: &Query) -> Checked {
        let asked = Port::of(query).descriptor();
        let group = self.listeners.last().map(|listener| &self.groups[listener.group]);
        let allowed = asked.is_none() || group.is_some_and(|group| group.descriptor == asked);
        require(allowed, "no descriptor is opened that was not announced (rule 17)", || format!("{asked:?}"))
    }

    /// A listener without workers is closed later.
    pub(super) fn unless_used(&mut self, id: ListenerId, now: Duration) {
        // What is due is granted in this step.
        let granted = self.due.iter().any(|due| matches!(due, Due::Grant(..)));
        let group = self.listeners[id as usize - 1].group;
        let limit = Duration::from_millis(self.groups[group].idle_limit);
        let Some(listener) = self.listener(id) else { return };
        if !granted && listener.opening.is_none() && listener.members.is_empty() && listener.lingers.is_none() {
            listener.lingers = Some((now + limit, None));
        }
    }

    pub(super) fn user_closes(&mut self, id: ListenerId) {
        if let Some(listener) = self.listener(id) {
            for worker in std::mem::take(&mut listener.members) {
                if let Some(life) = self.workers[worker as usize - 1].as_mut() {
                    life.grants.retain(|(known, _)| *known != id);
                }
            }
            self.open.retain(|open| *open != id);
            self.close_listener(id);
        }
    }

    pub(super) fn handle_sent(&mut self, worker: WorkerId, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        life.handles += 1;
        if life.handles == HANDLES {
            self.due.push(Due::PauseReading(worker));
            self.coverage.add(Reached::P19);
        }
        self.stall_begins(worker, now);
    }

    pub(super) fn handle_back(&mut self, worker: WorkerId) {
        let Some(life) = self.life(worker) else { return };
        let was_full = life.handles == HANDLES;
        life.handles -= 1;
        self.due.extend(was_full.then_some(Due::ResumeReading(worker)));
        self.stall_ends(worker);
    }

    pub(super) fn stall_changed(&mut self, worker: WorkerId, stalled: bool, now: Duration) {
        let Some(life) = self.life(worker) else { return };
        life.channel_stalled = stalled;
        self.stall_begins(worker, now);
        self.stall_ends(worker);
    }

    fn stall_begins(&mut self, worker: WorkerId, now: Duration) {
        let groups = self.groups.clone();
        let Some(life) = self.life(worker) else { return };
        if life.channel_stalled || life.handles >= HANDLES {
            life.stalled_until.get_or_insert(now + groups[life.group].stall_limit());
        }
    }

    fn stall_ends(&mut self, worker: WorkerId) {
        let Some(life) = self.life(worker) else { return };
        if !life.channel_stalled && life.handles < HANDLES {
            life.stalled_until = None;
        }
    }

    pub(super) fn end_stalled(&mut self, now: Duration) {
        for life in self.workers.iter_mut().flatten() {
            if !life.stall_killed && life.stalled_until.is_some_and(|time| time <= now) {
                life.stall_killed = true;
                self.due.extend([Due::Stalled(life.id), Due::Kill(life.id)]);
                self.coverage.add(Reached::P20);
            }
        }
    }

    /// When the oldest of what waits at a listener is closed.
    pub(super) fn oldest_deadline(&self, listener: &Listener) -> Option<Duration> {
        let waiting = listener.fresh.iter().chain(&listener.again);
        let oldest = waiting.map(|connection| self.connections[*connection as usize - 1].since).min()?;
        Some(oldest + self.groups[listener.group].waiting_time())
    }

    /// A connection is closed for its age when it waits and is as old as it may be, and not before.
    pub(super) fn closed_for_age(&mut self, connection: ConnectionId, now: Duration) -> Checked {
        let Connection { listener, place, since, .. } = self.connections[connection as usize - 1];
        let limit = self.groups[self.listeners[listener as usize - 1].group].waiting_time();
        let may = place == Place::Waiting && since + limit <= now;
        require(may, Due::Close(connection, Closed::TooOld).invariant(), || {
            format!("connection {connection}, {place:?} since {since:?}, is closed at {now:?}")
        })?;
        self.coverage.add(Reached::P15);
        self.due.push(Due::Close(connection, Closed::TooOld));
        Ok(())
    }

    /// After a tick, nothing waits that is older than it may be.
    pub(super) fn nothing_is_too_old(&self, now: Duration) -> Checked {
        let mut listeners = self.open.iter().map(|id| &self.listeners[*id as usize - 1]);
        let late = listeners.find(|known| self.oldest_deadline(known).is_some_and(|deadline| deadline <= now));
        require(late.is_none(), "nothing waits longer than it may (rule 15)", || {
            format!("something at listener {:?}", late.map(|known| known.id))
        })
    }

    /// What waits, in the order of its age.
    fn waiting_by_age(&self) -> Vec<ConnectionId> {
        let waiting = self.open.iter().flat_map(|id| {
            let listener = &self.listeners[*id as usize - 1];
            listener.fresh.iter().chain(&listener.again).copied()
        });
        let mut waiting: Vec<_> = waiting.collect();
        // Numbers follow the order of arrival.
        waiting.sort_unstable();
        waiting
    }

    pub(super) fn spares_missing(&mut self, count: usize) {
        if !self.waiting_by_age().is_empty() {
            self.spares_missing = count;
            self.due.push(Due::FindBroken);
        }
    }

    pub(super) fn looks_at_all(&mut self, connections: &[ConnectionId]) -> Checked {
        let all = self.waiting_by_age();
        require(all == connections, Due::FindBroken.invariant(), || format!("{connections:?} of {all:?}"))?;
        self.settled(Due::FindBroken)
    }

    pub(super) fn broken(&mut self, broken: &[ConnectionId]) {
        let (gone, kept): (Vec<_>, Vec<_>) = self.waiting_by_age().into_iter().partition(|one| broken.contains(one));
        let missing = std::mem::take(&mut self.spares_missing).saturating_sub(gone.len());
        self.due.extend(gone.into_iter().map(|one| Due::Close(one, Closed::ClientGone)));
        for one in kept.into_iter().take(missing) {
            self.due.push(Due::Close(one, Closed::Scarce));
            self.coverage.add(Reached::P16);
        }
    }

    /// A connection was accepted with one of the last descriptors: accepting pauses while anything waits.
    pub(super) fn accepted_the_last(&mut self, id: ListenerId, now: Duration) {
        let waits = self.open.iter().any(|open| self.listeners[*open as usize - 1].waiting() > 0);
        if let Some(listener) = self.listener(id).filter(|_| waits) {
            listener.failing.get_or_insert(Ledger::retry_time(now));
        }
    }

    /// A worker has no more listeners than it may, and is killed in time when it stands still.
    pub(super) fn keeps_limits(&self, life: &Life) -> Checked {
        let limit = life.most_listeners;
        let late = life.late_grants;
        require(life.grants.len() <= limit + late, "a worker has no more listeners than it may (rule 18)", || {
            format!("worker {} has {}", life.id, life.grants.len())
        })?;
        require(life.handles <= HANDLES + late, "at most 16 sockets are on their way to a worker (rule 19)", || {
            format!("{} to worker {}", life.handles, life.id)
        })?;
        self.wakes_by(life.stalled_until.filter(|_| !life.stall_killed))
    }

    /// Whether a connection waits for a worker.
    pub(crate) fn waits(&self, connection: ConnectionId) -> bool {
        let known = self.connections.get((connection as usize).wrapping_sub(1));
        known.is_some_and(|connection| connection.place == Place::Waiting)
    }

    /// How many connections the primary has a descriptor of, or had when it handed them over.
    pub(crate) fn open_connections(&self) -> usize {
        self.connections.iter().filter(|connection| connection.place != Place::Closed).count()
    }
}
