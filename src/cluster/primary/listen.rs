//! A worker asks to listen; a worker has closed what it listened on.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use tokio::sync::Notify;

use super::Worker;
use super::accepting::accept_all;
use super::listener::{Listener, Serving};
use super::socket;
use super::table::{Inner, Table};
use crate::cluster::protocol::{Outgoing, Query, Reply};
use crate::cluster::schedule::{Policy, Scheduler};
use crate::error::ErrorKind;
use crate::ipc::Handle;
use crate::sys::readiness;

impl Inner {
    /// Gives a worker the listener that it asks for, and makes it if it is the first one to ask.
    pub(super) fn listen(self: &Arc<Self>, worker: &Worker, ack: u64, query: Query) {
        // As in Node, one that is about to go gets no answer.
        if worker.exited_after_disconnect() {
            return;
        }
        let mut table = self.lock();
        let Some(member) = table.members.get(&worker.id()) else { return };
        let (group, weight) = (member.group, member.weight);
        let key = query.key();
        let found =
            table.keys.get(&(group, key.clone())).copied().map_or_else(|| self.open(&mut table, group, &query), Ok);
        let number = match found {
            Ok(number) => number,
            Err(errno) => return self.refuse(worker, ack, key, errno),
        };
        let options = table.groups[group];
        let reports = options.policy == Policy::LeastConnections && query.closed;
        let Some(listener) = table.listeners.get_mut(&number) else { return };
        let reply = listener.reply(ack, reports);
        // The reply first, then the connections.
        match listener.handle() {
            None => drop(worker.channel().post(&Outgoing::new(self.sequence.next(), reply))),
            Some(Err(errno)) => return self.refuse(worker, ack, key, errno),
            Some(Ok(handle)) => self.reply_with(worker, reply, handle),
        }
        listener.joins(worker.id(), weight, options.window, reports);
        if let Some(member) = table.members.get_mut(&worker.id())
            && !member.listeners.contains(&number)
        {
            member.listeners.push(number);
        }
        table.dispatch(number, &self.sequence);
    }

    fn refuse(&self, worker: &Worker, ack: u64, key: String, errno: Errno) {
        let reply =
            Reply { errno: Some(-(errno as i32)), key: Some(key), ack, data: None, sockname: None, closed: false };
        // If the channel has ended nobody waits for an answer.
        let _ = worker.channel().post(&Outgoing::new(self.sequence.next(), reply));
    }

    /// A reply with the socket itself. One that the worker has no descriptor for is never asked for again by Node, which would wait for ever:
    /// so it is told what is wrong.
    fn reply_with(self: &Arc<Self>, worker: &Worker, reply: Reply, handle: Handle) {
        let (ack, key) = (reply.ack, reply.key.clone().unwrap_or_default());
        let Ok(delivery) = worker.channel().post_handle(&Outgoing::new(self.sequence.next(), reply), handle) else {
            return;
        };
        let (cluster, worker) = (Arc::downgrade(self), worker.clone());
        tokio::spawn(async move {
            let refused = delivery
                .await
                .err()
                .is_some_and(|not_sent| matches!(not_sent.error.kind(), ErrorKind::HandleRefused { .. }));
            if let Some(cluster) = cluster.upgrade().filter(|_| refused) {
                cluster.refuse(&worker, ack, key, Errno::EMFILE);
            }
        });
    }

    /// Opens a listener.
    fn open(self: &Arc<Self>, table: &mut Table, group: usize, query: &Query) -> Result<u64, Errno> {
        let policy = table.groups[group].policy;
        // With UDP the workers read from the same socket, whatever the policy.
        let scheduler = if query.address_type.is_udp() { None } else { Scheduler::new(policy) };
        let bound = socket::open(query, scheduler.is_some())?;
        table.last_listener += 1;
        let number = table.last_listener;
        let news = Arc::new(Notify::new());
        let serving = if let Some(scheduler) = scheduler {
            let socket = readiness::readable(bound.socket).map_err(|(_, error)| errno(&error))?;
            let task = tokio::spawn(accept_all(Arc::downgrade(self), number, socket, news.clone()));
            Serving::Handed { scheduler: Box::new(scheduler), task: task.abort_handle() }
        } else {
            Serving::Shared { socket: bound.socket, datagram: query.address_type.is_udp() }
        };
        let mut listener = Listener::new(group, query, bound.local, serving);
        (listener.news, listener.file) = (news, bound.file);
        table.keys.insert((group, listener.key.clone()), number);
        table.listeners.insert(number, listener);
        Ok(number)
    }

    /// A worker has closed its server. Nobody may be left then, though a successor is on its way.
    pub(super) fn close(self: &Arc<Self>, worker: &Worker, key: &str) {
        let mut table = self.lock();
        let Some(member) = table.members.get_mut(&worker.id()) else { return };
        let group = member.group;
        let Some(number) = table.keys.get(&(group, key.to_owned())).copied() else { return };
        if let Some(member) = table.members.get_mut(&worker.id()) {
            member.listeners.retain(|known| *known != number);
        }
        let Some(listener) = table.listeners.get_mut(&number) else { return };
        // One that was asked to disconnect has left already, and decides nothing.
        if listener.leaves(worker.id()) && listener.workers() == 0 {
            listener.generation += 1;
            let generation = listener.generation;
            // Datagrams that nobody receives are no connections that wait: what comes to a successor must not be old.
            let linger =
                if listener.address.address_type.is_udp() { Duration::ZERO } else { table.groups[group].linger };
            let cluster = Arc::downgrade(self);
            tokio::spawn(async move {
                wait(linger).await;
                if let Some(cluster) = cluster.upgrade() {
                    cluster.lock().close_if_unused(number, generation);
                }
            });
        }
        table.dispatch(number, &self.sequence);
    }
}

async fn wait(time: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a successor may come or may not; how long to wait for it is the user's"
    )]
    tokio::time::sleep(time).await;
}

impl Table {
    /// Closes a listener that nobody has asked for meanwhile.
    fn close_if_unused(&mut self, number: u64, generation: u64) {
        if let Some(listener) = self.listeners.get(&number)
            && listener.generation == generation
        {
            self.keys.remove(&(listener.group, listener.key.clone()));
            self.listeners.remove(&number);
        }
    }
}

impl Listener {
    fn reply(&self, ack: u64, closed: bool) -> Reply {
        let handed = matches!(self.serving, Serving::Handed { .. });
        Reply {
            errno: (!handed).then_some(0),
            key: Some(self.key.clone()),
            ack,
            data: self.data.clone(),
            sockname: self.local.filter(|_| handed).map(Into::into),
            closed,
        }
    }

    /// The socket for a worker that is to accept, or to receive, by itself.
    fn handle(&self) -> Option<Result<Handle, Errno>> {
        let Serving::Shared { socket, datagram } = &self.serving else { return None };
        let copy = socket.as_fd().try_clone_to_owned();
        Some(copy.map_err(|error| errno(&error)).map(if *datagram { Handle::NativeDatagram } else { Handle::Native }))
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
