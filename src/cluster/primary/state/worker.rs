//! Workers, as the primary's state machine knows them.

use std::collections::VecDeque;
use std::time::Duration;

use super::interface::{ListenerId, State, WorkerStatus};
use super::listener::{Waiting, is_late};

/// A worker whose channel is open or whose process runs.
#[derive(Debug)]
pub(super) struct WorkerRecord {
    pub(super) group: usize,
    pub(super) weight: u32,
    /// Its `unanswered` is not kept up to date here.
    pub(super) status: WorkerStatus,
    /// It has said that it runs.
    pub(super) is_online: bool,
    /// No more messages of the cluster come, and nothing can be sent.
    pub(super) channel_ended: bool,
    /// The user has every message.
    pub(super) messages_delivered: bool,
    /// The user was told that it has disconnected.
    pub(super) disconnect_told: bool,
    /// What it was handed and has not answered for, in the order of the numbers.
    pub(super) unanswered: VecDeque<Unanswered>,
    /// Where it listens.
    pub(super) listeners: Vec<ListenerId>,
    /// The listeners where it had its turn while it was late: they have it back with its next answer.
    pub(super) passed_over: Vec<ListenerId>,
    /// How many listening sockets are on their way to it.
    pub(super) handles_sent: usize,
    pub(super) channel_stalled: bool,
    /// When it is ended unless it reads what it is sent.
    pub(super) stalled_until: Option<Duration>,
    /// The user was told that it asked for a descriptor.
    pub(super) descriptor_refused: bool,
    /// A look at its silence is planned.
    pub(super) is_watched: bool,
}

/// A connection that a worker was handed and has not answered for.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// The number of the message that handed it over.
    pub(super) seq: u64,
    pub(super) listener: ListenerId,
    pub(super) waiting: Waiting,
    pub(super) since: Duration,
    /// The channel has given the descriptor back.
    pub(super) returned: bool,
    /// The worker refused it before the descriptor was back.
    pub(super) refused: bool,
}

impl WorkerRecord {
    pub(super) fn new(group: usize) -> WorkerRecord {
        WorkerRecord {
            group,
            weight: 1,
            status: WorkerStatus::NEW,
            is_online: false,
            channel_ended: false,
            messages_delivered: false,
            disconnect_told: false,
            unanswered: VecDeque::new(),
            listeners: Vec::new(),
            passed_over: Vec::new(),
            handles_sent: 0,
            channel_stalled: false,
            stalled_until: None,
            descriptor_refused: false,
            is_watched: false,
        }
    }

    pub(super) fn status(&self) -> WorkerStatus {
        WorkerStatus { unanswered: self.unanswered.len(), ..self.status }
    }

    /// A life goes forwards only.
    pub(super) fn reached(&mut self, state: State) {
        self.status.state = self.status.state.max(state);
    }

    /// It was asked to disconnect, or says that it will.
    pub(super) fn set_leaving(&mut self) {
        self.status.exited_after_disconnect = true;
    }

    /// It is handed nothing more, and gets no listener (rule 11).
    pub(super) fn is_leaving(&self) -> bool {
        self.status.exited_after_disconnect || self.channel_ended
    }

    /// Whether it lets the oldest of its connections wait (rule 2).
    pub(super) fn is_late(&self, now: Duration) -> bool {
        self.unanswered.front().is_some_and(|oldest| is_late(now.saturating_sub(oldest.since)))
    }

    pub(super) fn handed(&mut self, seq: u64, listener: ListenerId, waiting: Waiting, now: Duration) {
        self.status.given += 1;
        self.unanswered.push_back(Unanswered { seq, listener, waiting, since: now, returned: false, refused: false });
    }

    /// When to look whether it has answered, if that is to be planned now (rule 12).
    pub(super) fn watch(&mut self, limit: Option<Duration>) -> Option<Duration> {
        let time = self.unanswered.front()?.since + limit.filter(|_| !self.is_watched)?;
        self.is_watched = true;
        Some(time)
    }

    pub(super) fn place_of(&self, seq: u64) -> Option<usize> {
        self.unanswered.binary_search_by_key(&seq, |one| one.seq).ok()
    }
}
