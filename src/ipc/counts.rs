//! Counts of open connections. A process that passes on the connections of one of its servers may later ask its peer
//! how many of them are still open. It names the server by a key of its choice.

use std::collections::HashMap;

use tokio::sync::oneshot;

/// What a channel knows about the sockets of each key, at both of its ends.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The sockets that came to us.
    ours: HashMap<String, Count>,
    /// What we asked the peer about those that it was sent.
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

/// Each change returns the line to send because of it, if any.
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

    /// Answers how many sockets of a key are open here.
    pub(super) fn count_asked(&self, key: &str) -> Vec<u8> {
        about_key("NODE_SOCKET_COUNT", key, Some(self.ours.get(key).map_or(0, |count| count.open)))
    }

    /// Notes that the peer wants to know when no socket of a key is open here.
    pub(super) fn close_asked(&mut self, key: &str) -> Option<Vec<u8>> {
        match self.ours.get_mut(key) {
            Some(count) => {
                count.notify = true;
                None
            }
            None => Some(about_key("NODE_SOCKET_ALL_CLOSED", key, None)),
        }
    }

    /// Asks the peer about its sockets of a key. Returns the line to send and the receiver of the answer.
    pub(super) fn ask(&mut self, key: &str, how_many: bool) -> (Vec<u8>, oneshot::Receiver<u64>) {
        let command = if how_many { "NODE_SOCKET_GET_COUNT" } else { "NODE_SOCKET_NOTIFY_CLOSE" };
        let (answer, answered) = oneshot::channel();
        self.questions.push(Question { key: key.to_owned(), how_many, answer });
        (about_key(command, key, None), answered)
    }

    /// Passes on the peer's answer to one of our questions.
    pub(super) fn answered(&mut self, key: &str, how_many: bool, count: u64) {
        let matching = self.questions.iter().position(|asked| asked.key == key && asked.how_many == how_many);
        if let Some(index) = matching {
            // The caller may have stopped waiting.
            let _ = self.questions.remove(index).answer.send(count);
        }
    }

    /// Whether the peer still has to answer a question.
    pub(super) fn is_waiting(&self) -> bool {
        !self.questions.is_empty()
    }

    /// Drops the questions: their callers find the channel closed.
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
