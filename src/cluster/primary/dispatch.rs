//! Connections on their way from a listener to its workers.

use std::time::Instant;

use super::listener::Waiting;
use super::table::{Table, Unanswered};
use super::window::is_late;
use crate::cluster::protocol::{Act, Outgoing, Plain, Sequence};

impl Table {
    /// Whether a listener may accept another connection; if not, it is to be told when it may.
    pub(super) fn has_room(&mut self, listener: u64) -> bool {
        let Some(listener) = self.listeners.get_mut(&listener) else { return false };
        let bound = self.groups[listener.group].waiting;
        listener.is_full = listener.waiting() >= bound;
        !listener.is_full
    }

    /// Hands out what waits at a listener, as long as somebody may have it.
    pub(super) fn dispatch(&mut self, number: u64, sequence: &Sequence) {
        let Some(listener) = self.listeners.get_mut(&number) else { return };
        // ANCHOR: dispatch
        while let Some((id, Waiting { connection, client, refusals })) = listener.next() {
            let now = Instant::now();
            let prompt = self.members.get_mut(&id).filter(|member| {
                let oldest = member.unanswered.front().map(|one| now.duration_since(one.since));
                !oldest.is_some_and(is_late)
            });
            let Some(member) = prompt else {
                listener.pass_over(id, Waiting { connection, client, refusals });
                continue;
            };
            let seq = sequence.next();
            let message = Outgoing::new(seq, Plain { act: Act::Newconn, key: Some(&listener.key), count: None });
            if let Err(not_sent) = member.worker.channel().post_connection(&message, connection, seq, &member.outcomes)
            {
                // Its channel is about to end, or has ended.
                listener.leaves(id);
                member.listeners.retain(|known| *known != number);
                if let Some(handle) = not_sent.handle {
                    listener.offer_again(Waiting { connection: handle.into(), client, refusals });
                }
                continue;
            }
            member.worker.was_given_one();
            let (connection, refused) = (None, false);
            let one = Unanswered { number: seq, listener: number, client, refusals, since: now, connection, refused };
            member.unanswered.push_back(one);
            listener.given(id);
        }
        // ANCHOR_END: dispatch
        if listener.is_full && listener.waiting() < self.groups[listener.group].waiting {
            listener.is_full = false;
            listener.news.notify_one();
        }
    }

    /// A worker has answered: it may have more, wherever it listens.
    pub(super) fn serve_more(&mut self, worker: u32, sequence: &Sequence) {
        let mut place = 0;
        while let Some(number) = self.members.get(&worker).and_then(|member| member.listeners.get(place)).copied() {
            if let Some(listener) = self.listeners.get_mut(&number) {
                listener.open_to(worker);
            }
            self.dispatch(number, sequence);
            place += 1;
        }
    }

    /// Puts a connection back in its queue. Without its listener it is closed: nobody will ask for it.
    pub(super) fn offer_again(&mut self, one: Unanswered) {
        let Unanswered { listener, client, refusals, connection: Some(connection), .. } = one else { return };
        let Some(listener) = self.listeners.get_mut(&listener) else { return };
        listener.offer_again(Waiting { connection, client, refusals });
    }

    /// The same with one that was refused; whether somebody has to see to the end of a rest.
    pub(super) fn refused(&mut self, one: Unanswered) -> bool {
        let Unanswered { listener, client, refusals, connection: Some(connection), .. } = one else { return false };
        let Some(listener) = self.listeners.get_mut(&listener) else { return false };
        listener.refused(Waiting { connection, client, refusals })
    }

    /// Takes a worker out of everything that it listens on. What waited for it alone goes to the others.
    pub(super) fn take_out(&mut self, worker: u32, sequence: &Sequence) {
        let Some(member) = self.members.get_mut(&worker) else { return };
        for number in std::mem::take(&mut member.listeners) {
            if let Some(listener) = self.listeners.get_mut(&number) {
                listener.leaves(worker);
                self.dispatch(number, sequence);
            }
        }
    }

    /// Closes every listener, and every connection that waits there.
    pub(super) fn close_listeners(&mut self) {
        self.keys.clear();
        self.listeners.clear();
    }
}
