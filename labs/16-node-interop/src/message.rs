//! What is said, in whatever language: the table is at the top of `node/child.js`.

use serde::{Deserialize, Serialize};

/// One message. Its members tell which of them it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Message {
    Say { say: String },
    Ask { ask: String },
    Heard { heard: String, by: String },
    Understood { understood: bool },
    Take { take: Kind },
    Give { give: Kind },
    Serving { serving: bool },
    Read { read: String },
    Bye { bye: bool },
}

/// What comes with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// One end of a connection.
    Socket,
    /// A socket that listens.
    Server,
}

/// What came of a conversation, as `node/parent.js` reports it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Results {
    pub(crate) said: bool,
    pub(crate) asked: bool,
    pub(crate) socket_taken: bool,
    pub(crate) server_taken: bool,
    pub(crate) socket_given: bool,
    pub(crate) server_given: bool,
}
