//! What holds after every step.

use std::time::Duration;

use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::PrimaryState;

use super::{Ledger, Life, Listener};
use crate::broken::{Checked, require};
use crate::coverage::Reached;

impl Ledger {
    pub(super) fn check(&mut self, state: &PrimaryState, now: Duration) -> Checked {
        for worker in &self.live {
            let Some(life) = self.workers[*worker as usize - 1].as_ref() else { continue };
            self.accounts_agree(state, life)?;
            self.wakes_for_silence(life)?;
            self.keeps_limits(life)?;
        }
        for id in &self.open {
            let listener = &self.listeners[*id as usize - 1];
            self.wakes_for_listener(listener)?;
            if listener.opening.is_none() && !self.is_shared(listener) {
                self.accepts_as_it_should(listener)?;
                self.hands_out_what_it_can(listener, now)?;
            }
        }
        self.note_waiting(now);
        self.is_over_in_time(state)?;
        self.closed_listeners_hold_nothing()
    }

    /// What the state machine says of a worker is what the books say: given, taken, unanswered.
    fn accounts_agree(&self, state: &PrimaryState, life: &Life) -> Checked {
        let status = state.worker(life.id);
        let agrees = status.is_some_and(|status| {
            let counts = (status.given, status.taken, status.unanswered, status.exited_after_disconnect);
            counts == (life.given, life.taken, life.held.len(), life.leaving)
        });
        require(agrees, "every connection is taken, unanswered, waiting or closed", || {
            format!("worker {}: {status:?}, but {} held, {} taken", life.id, life.held.len(), life.taken)
        })
    }

    /// The state machine is woken when a worker has been silent for too long.
    fn wakes_for_silence(&self, life: &Life) -> Checked {
        let limit = self.groups[life.group].answer_limit.filter(|_| !life.killed).map(Duration::from_millis);
        let deadline = life.held.front().zip(limit).map(|(oldest, limit)| oldest.since + limit);
        self.wakes_by(deadline)
    }

    /// The state machine is woken when a listener is to be closed, or accepting is to be resumed.
    fn wakes_for_listener(&self, listener: &Listener) -> Checked {
        self.wakes_by(listener.failing)?;
        self.wakes_by(listener.lingers.map(|(time, _)| time))?;
        self.wakes_by(self.oldest_deadline(listener))
    }

    pub(super) fn wakes_by(&self, deadline: Option<Duration>) -> Checked {
        let covered = deadline.is_none_or(|deadline| self.wake_at.is_some_and(|wake_at| wake_at <= deadline));
        require(covered, "the state machine is woken for every deadline", || {
            format!("{deadline:?}, but it is woken at {:?}", self.wake_at)
        })
    }

    /// Accepting is paused exactly when as many wait as may, or accepting has failed.
    fn accepts_as_it_should(&self, listener: &Listener) -> Checked {
        let is_full = listener.waiting() >= self.groups[listener.group].waiting;
        let expected = is_full || listener.failing.is_some();
        require(listener.is_paused == expected, "accepting is paused as long as it has to be (rules 7 and 8)", || {
            let (id, waiting) = (listener.id, listener.waiting());
            format!("listener {id} is paused: {}, waiting: {waiting}, failing: {:?}", !expected, listener.failing)
        })
    }

    /// Nothing waits that was never refused while a worker may have it. Not where clients belong to workers.
    fn hands_out_what_it_can(&self, listener: &Listener, now: Duration) -> Checked {
        let is_sticky = self.groups[listener.group].policy == Policy::Sticky;
        let was_refused = |id: &u64| self.connections[*id as usize - 1].refused_by.is_some();
        if listener.waiting() == 0 || is_sticky || listener.again.iter().any(was_refused) {
            return Ok(());
        }
        let idle = listener.members.iter().find(|worker| self.may_take(**worker, listener.id, now));
        require(idle.is_none(), "nothing waits while a worker may have it", || {
            format!("{} at listener {}, worker {idle:?}", listener.waiting(), listener.id)
        })
    }

    /// The cluster is over when it was ended, no worker is left and nothing was forked since.
    fn is_over_in_time(&self, state: &PrimaryState) -> Checked {
        let over = self.ended && self.live.is_empty();
        require(state.is_over() == over, "a cluster is over when its last worker has ended (rule 14)", || {
            format!("{over}")
        })
    }

    /// A listener that is closed keeps no connection.
    fn closed_listeners_hold_nothing(&self) -> Checked {
        let last = self.listeners.iter().rev().take(8).find(|listener| listener.is_closed && listener.waiting() > 0);
        require(last.is_none(), "a closed listener keeps no connection (rule 14)", || format!("{last:?}"))
    }

    fn note_waiting(&mut self, now: Duration) {
        for id in &self.open {
            let listener = &self.listeners[*id as usize - 1];
            if listener.waiting() == 0 {
                continue;
            }
            for member in &listener.members {
                let Some(life) = self.workers[*member as usize - 1].as_ref() else { continue };
                self.coverage.add(if life.is_late(now) { Reached::P2 } else { Reached::P1 });
            }
        }
    }
}
