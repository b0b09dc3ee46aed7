//! Workers, as the primary's state machine knows them.

use std::collections::VecDeque;
use std::time::Duration;

use super::interface::ListenerId;
use super::listener::Waiting;

/// What counts as a prompt answer: some turns of a busy event loop.
pub const PROMPT: Duration = Duration::from_millis(10);

/// How far a worker's life has come: Node's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Started, and not heard of yet.
    None,
    /// It runs.
    Online,
    /// It listens somewhere.
    Listening,
    /// Its channel has ended.
    Disconnected,
    /// Its process has ended.
    Dead,
}

/// What is known of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerStatus {
    /// How far its life has come.
    pub state: State,
    /// It was asked to disconnect, or said that it would.
    pub exited_after_disconnect: bool,
    /// How many connections it was handed, including those that it gave back.
    pub given: u64,
    /// How many connections it has accepted.
    pub taken: u64,
    /// How many connections it holds that it has not answered for.
    pub unanswered: usize,
}

impl WorkerStatus {
    pub(in crate::cluster::primary) const NEW: WorkerStatus =
        WorkerStatus { state: State::None, exited_after_disconnect: false, given: 0, taken: 0, unanswered: 0 };
}

/// A worker whose channel is open or whose process runs.
#[derive(Debug)]
pub(super) struct WorkerRecord {
    pub(super) group: usize,
    pub(super) weight: u32,
    /// Its `unanswered` is not kept up to date here.
    pub(super) status: WorkerStatus,
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
            channel_ended: false,
            messages_delivered: false,
            disconnect_told: false,
            unanswered: VecDeque::new(),
            listeners: Vec::new(),
            passed_over: Vec::new(),
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
    pub(super) fn leaves(&mut self) {
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

/// Whether an answer that took so long is late.
pub(super) fn is_late(took: Duration) -> bool {
    took > PROMPT
}
