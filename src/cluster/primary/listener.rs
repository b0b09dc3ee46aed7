//! A port, or a path, that workers listen on.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::event::Address;
use super::socket::SocketFile;
use super::window::Window;
use crate::cluster::protocol::Query;
use crate::cluster::schedule::Scheduler;

/// A connection that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) connection: OwnedFd,
    /// Stands for the client's address.
    pub(super) client: u64,
    /// How many workers have refused it since its last rest.
    pub(super) refusals: u32,
}

/// Who accepts.
#[derive(Debug)]
pub(super) enum Serving {
    /// The primary does, and hands over.
    Handed {
        scheduler: Box<Scheduler<Waiting>>,
        /// The task that accepts.
        task: AbortHandle,
    },
    /// The workers do: each has this socket.
    Shared { socket: OwnedFd, datagram: bool },
}

/// A worker that listens here.
#[derive(Debug)]
struct Holder {
    window: Window,
    /// How many connections it was handed and has not answered for.
    unanswered: usize,
    /// It says when a connection is closed: until then the connection counts as its load. For another one it counts until it is taken.
    reports_closings: bool,
}

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) group: usize,
    /// Its name among the listeners of its group, and in messages to the workers.
    pub(super) key: String,
    pub(super) address: Address,
    pub(super) local: Option<SocketAddr>,
    /// What the first worker wants all to have: the keys of TLS tickets.
    pub(super) data: Option<Box<RawValue>>,
    pub(super) serving: Serving,
    holders: BTreeMap<u32, Holder>,
    /// Changes whenever a worker comes, and whenever the last one closes it.
    pub(super) generation: u64,
    /// Connections that everybody has refused.
    resting: VecDeque<Waiting>,
    /// Whether somebody will say when they have rested.
    rests: bool,
    /// As many connections wait as may: the accepting task is to be told when there are fewer.
    pub(super) is_full: bool,
    /// Nothing could be accepted: the accepting task is to be told when there is a descriptor more.
    pub(super) is_starved: bool,
    /// Told when there is room to accept, a descriptor more, or another worker.
    pub(super) news: Arc<Notify>,
    /// Its file, if it is a Unix socket; removed with it.
    pub(super) file: Option<SocketFile>,
}

impl Listener {
    pub(super) fn new(group: usize, query: &Query, local: Option<SocketAddr>, serving: Serving) -> Listener {
        Listener {
            group,
            key: query.key(),
            address: Address::of(query),
            local,
            data: query.data.clone(),
            serving,
            holders: BTreeMap::new(),
            generation: 0,
            resting: VecDeque::new(),
            rests: false,
            is_full: false,
            is_starved: false,
            news: Arc::default(),
            file: None,
        }
    }

    fn scheduler(&mut self) -> Option<&mut Scheduler<Waiting>> {
        match &mut self.serving {
            Serving::Handed { scheduler, .. } => Some(scheduler),
            Serving::Shared { .. } => None,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        match &self.serving {
            Serving::Handed { scheduler, .. } => scheduler.waiting() + self.resting.len(),
            Serving::Shared { .. } => 0,
        }
    }

    pub(super) fn workers(&self) -> usize {
        self.holders.len()
    }

    /// A worker listens here from now on.
    pub(super) fn joins(&mut self, worker: u32, weight: u32, window: usize, reports_closings: bool) {
        self.holders.insert(worker, Holder { window: Window::new(window), unanswered: 0, reports_closings });
        if let Some(scheduler) = self.scheduler() {
            scheduler.add(worker, weight);
        }
        self.generation += 1;
        self.wake(usize::MAX);
        self.news.notify_one();
    }

    /// A worker does not listen here any more; whether it did.
    pub(super) fn leaves(&mut self, worker: u32) -> bool {
        if let Some(scheduler) = self.scheduler() {
            scheduler.remove(worker);
        }
        self.holders.remove(&worker).is_some()
    }

    pub(super) fn set_weight(&mut self, worker: u32, weight: u32) {
        if let Some(scheduler) = self.scheduler() {
            scheduler.set_weight(worker, weight);
        }
    }

    pub(super) fn offer(&mut self, waiting: Waiting) {
        let client = waiting.client;
        if let Some(scheduler) = self.scheduler() {
            scheduler.offer(waiting, client);
        }
    }

    /// Puts back one that was handed out, before all that wait.
    pub(super) fn offer_again(&mut self, waiting: Waiting) {
        let client = waiting.client;
        if let Some(scheduler) = self.scheduler() {
            scheduler.offer_again(waiting, client);
        }
    }

    /// Puts back one that was refused; to rest, if everybody has refused it. Whether somebody has to see to the end of the rest.
    pub(super) fn refused(&mut self, waiting: Waiting) -> bool {
        if (waiting.refusals as usize) < self.holders.len().max(1) {
            self.offer_again(waiting);
            return false;
        }
        self.resting.push_back(Waiting { refusals: 0, ..waiting });
        !std::mem::replace(&mut self.rests, true)
    }

    /// A rest is over: one connection for each worker shows whether it takes any now. Whether others go on resting.
    pub(super) fn rested(&mut self) -> bool {
        self.wake(self.holders.len().max(1));
        self.rests = !self.resting.is_empty();
        self.rests
    }

    /// Offers so many of those that rest, the oldest first.
    fn wake(&mut self, count: usize) {
        let woken: Vec<Waiting> = self.resting.drain(..count.min(self.resting.len())).collect();
        woken.into_iter().rev().for_each(|waiting| self.offer_again(waiting));
    }

    /// Who gets a connection now, and which.
    pub(super) fn next(&mut self) -> Option<(u32, Waiting)> {
        self.scheduler()?.next()
    }

    /// The worker was chosen, but is late with an answer: it gets nothing until that has come.
    pub(super) fn pass_over(&mut self, worker: u32, waiting: Waiting) {
        if let Some(scheduler) = self.scheduler() {
            scheduler.done(worker);
            scheduler.set_room(worker, 0);
        }
        self.offer_again(waiting);
    }

    /// The worker has been handed what was chosen for it.
    pub(super) fn given(&mut self, worker: u32) {
        if let Some(holder) = self.holders.get_mut(&worker) {
            holder.unanswered += 1;
        }
        self.open_to(worker);
    }

    /// The worker has answered for a connection after such a time; whether it still listens here.
    pub(super) fn answered(&mut self, worker: u32, took: Duration, accepted: bool) -> bool {
        if accepted {
            // Two for one: soon none rests. Where the next ones are refused again, few are handed out in vain.
            self.wake(2);
        }
        let Some(holder) = self.holders.get_mut(&worker) else { return false };
        holder.unanswered = holder.unanswered.saturating_sub(1);
        holder.window.answered(took);
        let goes_on = accepted && holder.reports_closings;
        if let Some(scheduler) = self.scheduler().filter(|_| !goes_on) {
            scheduler.done(worker);
        }
        true
    }

    /// The worker has closed so many connections.
    pub(super) fn closed(&mut self, worker: u32, count: u64) {
        let Some(holder) = self.holders.get(&worker).filter(|holder| holder.reports_closings) else { return };
        let unanswered = holder.unanswered as u64;
        if let Some(scheduler) = self.scheduler() {
            let open = (scheduler.load(worker) as u64).saturating_sub(unanswered);
            (0..count.min(open)).for_each(|_| scheduler.done(worker));
        }
    }

    /// Lets the worker have as many as its window has room for.
    pub(super) fn open_to(&mut self, worker: u32) {
        let Some(room) = self.holders.get(&worker).map(|holder| holder.window.room(holder.unanswered)) else { return };
        if let Some(scheduler) = self.scheduler() {
            scheduler.set_room(worker, room);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Serving::Handed { task, .. } = &self.serving {
            task.abort();
        }
    }
}
