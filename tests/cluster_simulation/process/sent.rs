//! What an honest worker may say.

use forklore::cluster::state::FromWorker;

use super::honest::{Honest, Server};
use crate::broken::{Checked, require};
use crate::coverage::Reached;

impl Honest {
    /// Checks a message of the state machine. `taken`: what a user has just taken, and whether it can be used.
    pub(super) fn check_sent(&mut self, seq: u64, message: &FromWorker, taken: Option<(u64, bool)>) -> Checked {
        require(seq == self.next_seq, "a worker numbers its messages without a gap", || format!("number {seq}"))?;
        self.next_seq += 1;
        match message {
            FromWorker::Answer { ack, accepted } => {
                let place = self.owed.iter().position(|owed| owed == ack);
                require(place.is_some(), "a worker answers once for each connection", || format!("number {ack}"))?;
                place.map(|place| self.owed.swap_remove(place));
                self.servers.iter_mut().for_each(|server| server.waiting.retain(|waiting| waiting != ack));
                let expected = taken.is_some_and(|(seq, usable)| seq == *ack && usable);
                let sentence = "a connection is accepted when a user takes it, and only then";
                require(*accepted == expected, sentence, || format!("number {ack}"))
            }
            FromWorker::QueryServer(query) => {
                let port = query.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
                let place = self.indexes.iter().position(|(known, ..)| *known == port);
                let place = place.unwrap_or_else(|| {
                    self.indexes.push((port, 0, 0));
                    self.indexes.len() - 1
                });
                let (_, next, live) = &mut self.indexes[place];
                let is_next = query.index == *next;
                (*next, *live) = (*next + 1, *live + 1);
                if query.index > 0 {
                    self.coverage.add(Reached::W2);
                }
                require(is_next, "the servers on one port are numbered from 0", || format!("{}", query.index))
            }
            FromWorker::Close { key } => {
                let is_closed = |known: &Server| known.key.as_ref() == Some(key) && known.is_closed;
                require(
                    self.servers.iter().any(is_closed),
                    "a worker says of its own servers that they are closed",
                    || key.to_string(),
                )
            }
            FromWorker::ExitedAfterDisconnect => {
                let may = !self.announced && (self.killed || self.open() == 0);
                self.announced = true;
                require(may, "a worker announces its end once, when no connection is open", String::new)
            }
            FromWorker::Closed { count, .. } => {
                let known = *count > 0 && *count <= self.unreported;
                self.unreported = self.unreported.saturating_sub(*count);
                if *count > 1 {
                    self.coverage.add(Reached::W7);
                }
                require(known, "a worker reports each closed connection once", || format!("{count} more"))
            }
            FromWorker::Online | FromWorker::Listening(_) => Ok(()),
        }
    }

    /// Notes that there is one server less on a port.
    pub(super) fn release(&mut self, port: u16) {
        if let Some(place) = self.indexes.iter().position(|(known, ..)| *known == port) {
            self.indexes[place].2 -= 1;
            if self.indexes[place].2 == 0 {
                self.indexes.swap_remove(place);
            }
        }
    }

    /// A user is woken when there is something to take.
    pub(super) fn check_awake(&self) -> Checked {
        let sleeps = self.servers.iter().filter(|server| !server.awake && !server.is_closed);
        let mut missed = sleeps.filter(|server| {
            let may_accept = server.has_socket && server.clients > 0 && server.open < server.limit;
            may_accept || !server.waiting.is_empty()
        });
        let missed = missed.next();
        require(missed.is_none(), "a user is woken when there is something to take", || format!("{missed:?}"))
    }

    /// Checks a worker for which nothing is left to do.
    pub(crate) fn check_idle(&self) -> Checked {
        // What waited at a server that is closed has been refused.
        let open = self.servers.iter().filter(|server| !server.is_closed);
        let held = open.map(|server| server.waiting.len()).sum::<usize>();
        let held = held + usize::from(self.taking.is_some());
        require(self.owed.len() == held, "a worker answers for every connection", || format!("{:?}", self.owed))?;
        let is_reported = self.unreported == 0 || self.close_due || self.killed;
        require(is_reported, "a worker reports every closed connection", || format!("{} more", self.unreported))
    }
}
