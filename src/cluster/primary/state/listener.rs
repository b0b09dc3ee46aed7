//! Listeners, as the primary's state machine knows them: which workers share them, and what waits there.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::super::address::Address;
use super::super::options::Options;
use super::interface::{ConnectionId, ListenerId, ListenerInfo, Timer, WorkerId};
use crate::cluster::protocol::{Query, Reply};
use crate::cluster::schedule::Scheduler;

/// What counts as a prompt answer: some turns of a busy event loop.
pub const PROMPT: Duration = Duration::from_millis(10);

/// Whether an answer that took so long is late.
pub(super) fn is_late(took: Duration) -> bool {
    took > PROMPT
}

/// A connection that no worker holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) connection: ConnectionId,
    /// When it was accepted.
    pub(super) since: Duration,
    /// Stands for the client's address.
    pub(super) client: u64,
    /// How many workers have refused it since it was last offered to all.
    pub(super) refusals: u32,
}

/// A worker that listens here.
#[derive(Debug)]
pub(super) struct WorkerSlot {
    /// How many unanswered connections it may hold.
    window: usize,
    unanswered: usize,
    /// It reports when a connection is closed: until then the connection counts as its load. Otherwise it counts until it is accepted.
    reports_closings: bool,
}

/// A query that waits for its listener to be opened.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) worker: WorkerId,
    pub(super) seq: u64,
    pub(super) reports_closings: bool,
}

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) group: usize,
    /// Its name in its group, and in the messages to the workers.
    pub(super) key: Arc<str>,
    pub(super) address: Address,
    pub(super) local: Option<SocketAddr>,
    /// What the first worker wants all to have: the keys of TLS tickets.
    data: Option<Box<RawValue>>,
    /// Decides which worker is handed a connection; `None` if the workers accept from the socket themselves.
    scheduler: Option<Scheduler<Waiting>>,
    /// The most unanswered connections a worker may hold, and the most that may wait.
    window_limit: usize,
    pub(super) waiting_limit: usize,
    pub(super) slots: BTreeMap<WorkerId, WorkerSlot>,
    /// Who waits for it to be opened; `None` when it is open.
    pub(super) opening: Option<Vec<Pending>>,
    /// When it is closed unless a worker asks for it.
    pub(super) closes_at: Option<(Duration, Timer)>,
    /// The worker that closed it as the last one, while it is kept for the next (rule 10).
    pub(super) left_by: Option<WorkerId>,
    /// A look at the age of what waits is planned, for a connection that was accepted then.
    pub(super) age_watched: Option<Duration>,
    /// Connections that every worker has refused.
    pub(super) retry_queue: VecDeque<Waiting>,
    /// A retry timer is running.
    pub(super) retry_scheduled: bool,
    /// As many connections wait as may.
    pub(super) is_full: bool,
    pub(super) accept_failure_told: bool,
    /// Counts the clients without an address, to spread them evenly.
    without_address: u64,
}

impl Listener {
    /// A listener that is to be opened.
    pub(super) fn new(group: usize, key: Arc<str>, query: &Query, options: &Options, first: Pending) -> Listener {
        Listener {
            group,
            key,
            address: Address::of(query),
            local: None,
            data: query.data.clone(),
            scheduler: if query.address_type.is_udp() { None } else { Scheduler::new(options.policy) },
            window_limit: options.window,
            waiting_limit: options.waiting,
            slots: BTreeMap::new(),
            opening: Some(vec![first]),
            closes_at: None,
            left_by: None,
            age_watched: None,
            retry_queue: VecDeque::new(),
            retry_scheduled: false,
            is_full: false,
            accept_failure_told: false,
            without_address: 0,
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.scheduler.is_none()
    }

    pub(super) fn is_open(&self) -> bool {
        self.opening.is_none()
    }

    pub(super) fn info(&self, id: ListenerId) -> ListenerInfo {
        let (address, local) = (self.address.clone(), self.local);
        ListenerInfo { id, address, local, workers: self.slots.len(), waiting: self.waiting() }
    }

    /// Chooses a worker for what waits.
    pub(super) fn next(&mut self) -> Option<(WorkerId, Waiting)> {
        self.scheduler.as_mut()?.next()
    }

    /// When the oldest connection that waits was accepted, if a look at its age is to be planned now.
    pub(super) fn oldest_to_watch(&mut self) -> Option<Duration> {
        if self.age_watched.is_some() {
            return None;
        }
        let (oldest, _) = self.ages().min()?;
        self.age_watched = Some(oldest);
        Some(oldest)
    }

    /// When each connection that waits was accepted.
    pub(super) fn ages(&self) -> impl Iterator<Item = (Duration, ConnectionId)> {
        let scheduled = self.scheduler.iter().flat_map(Scheduler::items);
        scheduled.chain(&self.retry_queue).map(|one| (one.since, one.connection))
    }

    /// Takes what waits and is chosen.
    pub(super) fn extract(&mut self, mut is_chosen: impl FnMut(&Waiting) -> bool) -> Vec<Waiting> {
        let (mut chosen, kept): (Vec<_>, Vec<_>) = self.retry_queue.drain(..).partition(|one| is_chosen(one));
        self.retry_queue = kept.into();
        chosen.extend(self.scheduler.as_mut().map(|scheduler| scheduler.extract(is_chosen)).unwrap_or_default());
        chosen
    }

    /// Its address, with the port that the kernel chose where any port was asked for.
    pub(super) fn real_address(&self) -> Address {
        let port = self.local.map_or(self.address.port, |local| local.port());
        Address { port, ..self.address.clone() }
    }

    pub(super) fn waiting(&self) -> usize {
        self.scheduler.as_ref().map_or(0, Scheduler::waiting) + self.retry_queue.len()
    }

    /// Adds a worker that holds so many connections of this listener from before. One that asks twice keeps its window.
    pub(super) fn add_worker(&mut self, worker: WorkerId, weight: u32, unanswered: usize, reports_closings: bool) {
        let slot = self.slots.entry(worker).or_insert(WorkerSlot { window: 1, unanswered, reports_closings });
        slot.reports_closings = reports_closings;
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.add(worker, weight);
        }
        self.open_to(worker);
        self.offer_refused(usize::MAX);
    }

    /// Whether it listened here.
    pub(super) fn remove_worker(&mut self, worker: WorkerId) -> bool {
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.remove(worker);
        }
        self.slots.remove(&worker).is_some()
    }

    pub(super) fn set_weight(&mut self, worker: WorkerId, weight: u32) {
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.set_weight(worker, weight);
        }
    }

    pub(super) fn arrived(&mut self, connection: ConnectionId, client: Option<IpAddr>, now: Duration) {
        self.without_address += u64::from(client.is_none());
        let client = client.map_or(self.without_address, client_number);
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.offer(Waiting { connection, since: now, client, refusals: 0 }, client);
        }
    }

    /// Puts back a connection that was handed out, before all that wait.
    pub(super) fn offer_again(&mut self, waiting: Waiting) {
        self.came_back(waiting.since);
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.offer_again(waiting, waiting.client);
        }
    }

    /// What comes back may be older than what the look at the age is planned for: then another one is due earlier.
    fn came_back(&mut self, since: Duration) {
        self.age_watched = self.age_watched.filter(|watched| *watched <= since);
    }

    /// Puts back a connection that was refused. Whether a retry timer has to be started.
    pub(super) fn refused(&mut self, waiting: Waiting) -> bool {
        if (waiting.refusals as usize) < self.slots.len().max(1) {
            self.offer_again(waiting);
            return false;
        }
        self.came_back(waiting.since);
        self.retry_queue.push_back(Waiting { refusals: 0, ..waiting });
        !std::mem::replace(&mut self.retry_scheduled, true)
    }

    /// Offers at most `count` connections that every worker had refused, the oldest first.
    pub(super) fn offer_refused(&mut self, count: usize) {
        let offered: Vec<Waiting> = self.retry_queue.drain(..count.min(self.retry_queue.len())).collect();
        offered.into_iter().rev().for_each(|waiting| self.offer_again(waiting));
    }

    /// The worker was chosen, but is late: it gets nothing until it has answered.
    pub(super) fn pass_over(&mut self, worker: WorkerId, waiting: Waiting) {
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.done(worker);
        }
        self.shut_to(worker);
        self.offer_again(waiting);
    }

    /// The worker gets nothing until this listener is [open to it](Listener::open_to) again.
    pub(super) fn shut_to(&mut self, worker: WorkerId) {
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.set_room(worker, 0);
        }
    }

    pub(super) fn handed_to(&mut self, worker: WorkerId) {
        if let Some(slot) = self.slots.get_mut(&worker) {
            slot.unanswered += 1;
        }
        self.open_to(worker);
    }

    // ANCHOR: window
    /// The worker has answered for a connection after this time. Whether it still listens here.
    pub(super) fn answered(&mut self, worker: WorkerId, took: Duration, accepted: bool) -> bool {
        if accepted {
            // Two for one: soon none is left. Where workers still refuse, few are handed out for nothing.
            self.offer_refused(2);
        }
        let limit = self.window_limit;
        let Some(slot) = self.slots.get_mut(&worker) else { return false };
        slot.unanswered = slot.unanswered.saturating_sub(1);
        slot.window = if is_late(took) { 1 } else { (slot.window + 1).min(limit) };
        let stays_open = accepted && slot.reports_closings;
        if let Some(scheduler) = self.scheduler.as_mut().filter(|_| !stays_open) {
            scheduler.done(worker);
        }
        true
    }

    /// Lets the worker have as many connections as its window has room for.
    pub(super) fn open_to(&mut self, worker: WorkerId) {
        let Some(slot) = self.slots.get(&worker) else { return };
        let room = slot.window.saturating_sub(slot.unanswered);
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.set_room(worker, room);
        }
    }
    // ANCHOR_END: window

    /// The worker has closed connections that it had accepted.
    pub(super) fn closed_by(&mut self, worker: WorkerId, count: u64) {
        let Some(slot) = self.slots.get(&worker).filter(|slot| slot.reports_closings) else { return };
        let unanswered = slot.unanswered as u64;
        if let Some(scheduler) = &mut self.scheduler {
            let open = (scheduler.load(worker) as u64).saturating_sub(unanswered);
            (0..count.min(open)).for_each(|_| scheduler.done(worker));
        }
    }

    pub(super) fn reply(&self, ack: u64, reports_closings: bool) -> Box<Reply> {
        let is_handed = !self.is_shared();
        Box::new(Reply {
            errno: (!is_handed).then_some(0),
            key: Some(self.key.to_string()),
            ack,
            data: self.data.clone(),
            sockname: self.local.filter(|_| is_handed),
            closed: reports_closings,
        })
    }
}

/// The number that stands for a client's address. The port is not part of it: all connections of one client have the same number.
fn client_number(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            (bits >> 64) as u64 ^ (bits as u64).rotate_left(17)
        }
    }
}
