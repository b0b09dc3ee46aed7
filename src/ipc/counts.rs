//! Counts of open connections: a process that passes on the connections of one of its servers may ask later how many of them its peer
//! still has open. It names the server by a key of its own making.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

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

/// Whoever keeps the counts of a channel, as a socket sees it.
pub(super) trait KeepsCounts: std::fmt::Debug + Send + Sync {
    /// A socket that came with this key has been closed.
    fn socket_closed(&self, key: &str);
}

/// Stands for one open socket that came over a channel with a key.
#[derive(Debug)]
pub(super) struct Counted {
    keeper: Arc<dyn KeepsCounts>,
    key: String,
}

impl Counted {
    /// For a socket that `keeper` has counted already, by [`Counts::opened`].
    pub(super) fn new(keeper: Arc<dyn KeepsCounts>, key: String) -> Counted {
        Counted { keeper, key }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.keeper.socket_closed(&self.key);
    }
}

/// Each change gives the line that has to be sent because of it, if there is one.
impl Counts {
    pub(super) fn opened(&mut self, key: &str) {
        self.ours.entry(key.to_owned()).or_default().open += 1;
    }

    pub(super) fn closed(&mut self, key: &str) -> Option<Vec<u8>> {
        let count = self.ours.get_mut(key)?;
        count.open -= 1;
        if count.open > 0 {
            return None;
        }
        let notify = self.ours.remove(key)?.notify;
        notify.then(|| about_key("NODE_SOCKET_ALL_CLOSED", key, None))
    }

    /// The peer asks how many sockets of a key are open here.
    pub(super) fn count_asked(&self, key: &str) -> Vec<u8> {
        about_key("NODE_SOCKET_COUNT", key, Some(self.ours.get(key).map_or(0, |count| count.open)))
    }

    /// The peer asks to be told when no socket of a key is open here.
    pub(super) fn close_asked(&mut self, key: &str) -> Option<Vec<u8>> {
        match self.ours.get_mut(key) {
            Some(count) => {
                count.notify = true;
                None
            }
            None => Some(about_key("NODE_SOCKET_ALL_CLOSED", key, None)),
        }
    }

    /// A question to the peer about its sockets of a key: its line, and where the answer will be.
    pub(super) fn ask(&mut self, key: &str, how_many: bool) -> (Vec<u8>, oneshot::Receiver<u64>) {
        let command = if how_many { "NODE_SOCKET_GET_COUNT" } else { "NODE_SOCKET_NOTIFY_CLOSE" };
        let (answer, answered) = oneshot::channel();
        self.questions.push(Question { key: key.to_owned(), how_many, answer });
        (about_key(command, key, None), answered)
    }

    /// The peer's answer to one of our questions.
    pub(super) fn answered(&mut self, key: &str, how_many: bool, count: u64) {
        let matching = self.questions.iter().position(|asked| asked.key == key && asked.how_many == how_many);
        if let Some(index) = matching {
            // Whoever asked may have stopped waiting.
            let _ = self.questions.remove(index).answer.send(count);
        }
    }

    /// Whether the peer owes us an answer.
    pub(super) fn is_waiting(&self) -> bool {
        !self.questions.is_empty()
    }

    /// Gives up what was asked: who asked finds the channel closed.
    pub(super) fn forget_questions(&mut self) {
        self.questions.clear();
    }
}

/// The line of an internal message about the sockets of a key.
fn about_key(command: &str, key: &str, count: Option<usize>) -> Vec<u8> {
    let key = serde_json::Value::from(key);
    let count = count.map(|count| format!(",\"count\":{count}")).unwrap_or_default();
    format!("{{\"cmd\":\"{command}\",\"key\":{key}{count}}}\n").into_bytes()
}
