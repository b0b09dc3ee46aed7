//! Counts of open connections: a process that passes on the connections of one of its servers may ask later how many of them its peer
//! still has open. It names the server by a key of its own making.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::message::about_key;
use super::shared::Shared;
use crate::error::Result;

/// What a channel knows about the sockets of each key, on both of its sides.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The sockets that have come to us.
    ours: HashMap<String, Count>,
    /// What we have asked the peer about those that it was sent.
    questions: Vec<Question>,
}

/// The sockets that came with one key.
#[derive(Debug, Default)]
struct Count {
    open: usize,
    /// Whether the peer wants to know when all are closed.
    notify: bool,
}

#[derive(Debug)]
struct Question {
    key: String,
    /// Whether we asked how many are open, or to be told when none is.
    how_many: bool,
    answer: oneshot::Sender<u64>,
}

impl Counts {
    /// Gives up what was asked: who asked finds the channel closed.
    pub(super) fn forget_questions(&mut self) {
        self.questions.clear();
    }
}

/// Stands for one open socket that came over a channel with a key.
#[derive(Debug)]
pub(super) struct Counted {
    shared: Arc<Shared>,
    key: String,
}

impl Counted {
    pub(super) fn new(shared: Arc<Shared>, key: String) -> Counted {
        shared.lock().counts.ours.entry(key.clone()).or_default().open += 1;
        Counted { shared, key }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let Some(count) = state.counts.ours.get_mut(&self.key) else { return };
        count.open -= 1;
        if count.open == 0
            && let Some(Count { notify: true, .. }) = state.counts.ours.remove(&self.key)
        {
            state.post_own(about_key("NODE_SOCKET_ALL_CLOSED", &self.key, None));
        }
    }
}

impl Shared {
    /// The peer asks how many sockets of a key are open here.
    pub(super) fn count_asked(&self, key: &str) {
        let mut state = self.lock();
        let open = state.counts.ours.get(key).map_or(0, |count| count.open);
        state.post_own(about_key("NODE_SOCKET_COUNT", key, Some(open)));
    }

    /// The peer asks to be told when no socket of a key is open here.
    pub(super) fn close_asked(&self, key: &str) {
        let mut state = self.lock();
        match state.counts.ours.get_mut(key) {
            Some(count) => count.notify = true,
            None => state.post_own(about_key("NODE_SOCKET_ALL_CLOSED", key, None)),
        }
    }

    /// Asks the peer about its sockets of a key.
    pub(super) fn ask(&self, key: &str, how_many: bool) -> Result<oneshot::Receiver<u64>> {
        let command = if how_many { "NODE_SOCKET_GET_COUNT" } else { "NODE_SOCKET_NOTIFY_CLOSE" };
        let (answer, answered) = oneshot::channel();
        let mut state = self.lock();
        if state.closing {
            return Err(self.closed("ask"));
        }
        state.counts.questions.push(Question { key: key.to_owned(), how_many, answer });
        state.post_own(about_key(command, key, None));
        Ok(answered)
    }

    /// The peer's answer to one of our questions.
    pub(super) fn answered(&self, key: &str, how_many: bool, count: u64) {
        let questions = &mut self.lock().counts.questions;
        let matching = questions.iter().position(|asked| asked.key == key && asked.how_many == how_many);
        if let Some(index) = matching {
            // Whoever asked may have stopped waiting.
            let _ = questions.remove(index).answer.send(count);
        }
    }
}
