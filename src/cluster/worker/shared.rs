//! What the parts of a worker share: what it has asked for, what it has got, how far it has come.

use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::{Notify, oneshot, watch};

use super::server::{Held, Server};
use crate::cluster::protocol::{Act, Outgoing, Plain, Query, Reply, Sequence, body};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::{Channel, Handle, Message};
use crate::net::Acceptor;

/// A worker without its users.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) channel: Channel,
    sequence: Sequence,
    /// Wakes the reader when there is something to do that no message brings.
    pub(super) stirred: Notify,
    pub(super) stage: watch::Sender<Stage>,
    state: Mutex<State>,
}

/// How far a worker has come, as its users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Serving,
    /// No more connections come.
    Leaving,
    /// No connection is open, and the channel is closed.
    Ended,
}

/// How far it has come, as its reader sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Serving,
    /// The listeners are closed, and connections may be open.
    Draining {
        /// Whether the primary wants us to leave. Otherwise it is to be told that we do.
        asked: bool,
    },
    /// The primary was told so, in the message of this number, and has not answered.
    Announced(u64),
    /// The channel is to be closed.
    Closing,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) exited_after_disconnect: bool,
    /// What the primary was asked for and has not answered, by the number of the question.
    asked: HashMap<u64, Question>,
    /// The servers that the primary knows, by key.
    servers: HashMap<Arc<str>, Arc<Server>>,
    /// Those that it does not know.
    own: Vec<Arc<Server>>,
    /// How the servers on one address are told apart, by the key of the first of them.
    indexes: HashMap<String, Index>,
    /// Connections that have not been dropped.
    pub(super) open: usize,
    /// How many connections of which key were closed since the primary was last told.
    pub(super) closures: Vec<(Arc<str>, u64)>,
}

/// The servers on one address.
#[derive(Debug, Default)]
struct Index {
    /// The number of the next one.
    next: u64,
    /// How many there are; with the last of them the numbers begin anew.
    live: usize,
}

/// A question on its way.
#[derive(Debug)]
pub(super) struct Question {
    query: Query,
    subject: String,
    answer: oneshot::Sender<Result<Granted>>,
}

/// What the primary has granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) held: Held,
    pub(super) query: Query,
    pub(super) reply: Reply,
    /// The socket, if we are to listen on it ourselves.
    pub(super) handle: Option<Handle>,
}

#[derive(Serialize)]
struct Asking<'a> {
    act: Act,
    #[serde(flatten)]
    query: &'a Query,
}

fn closed(subject: &str) -> Error {
    Error::new("listen on", subject, ErrorKind::ChannelClosed)
}

impl Shared {
    pub(super) fn new(channel: Channel) -> Shared {
        let stage = watch::Sender::new(Stage::Serving);
        Shared { channel, sequence: Sequence::default(), stirred: Notify::new(), stage, state: Mutex::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one of the cluster's messages; its number.
    pub(super) fn post(&self, body: impl Serialize) -> Result<u64> {
        let seq = self.sequence.next();
        self.channel.post(&Outgoing::new(seq, body)).map(|_| seq)
    }

    /// Asks the primary for something to listen on. If the future is dropped, what is granted later is closed again.
    pub(super) async fn granted(&self, query: Query, subject: String) -> Result<Granted> {
        let answered = self.ask(query, subject.clone())?;
        answered.await.unwrap_or_else(|_| Err(closed(&subject)))
    }

    fn ask(&self, mut query: Query, subject: String) -> Result<oneshot::Receiver<Result<Granted>>> {
        let mut state = self.lock();
        if state.phase != Phase::Serving {
            return Err(closed(&subject));
        }
        let place = query.key();
        let index = state.indexes.entry(place.clone()).or_default();
        query.index = index.next;
        index.next += 1;
        index.live += 1;
        // The answer must find the question.
        match self.post(Asking { act: Act::QueryServer, query: &query }) {
            Ok(seq) => {
                let (answer, answered) = oneshot::channel();
                state.asked.insert(seq, Question { query, subject, answer });
                Ok(answered)
            }
            Err(_) => {
                state.release(&place);
                Err(closed(&subject))
            }
        }
    }

    /// Takes an answer to a question of ours. One that nobody has asked comes back.
    pub(super) fn answered(self: &Arc<Self>, ack: u64, mut message: Message) -> Option<Message> {
        let mut state = self.lock();
        if state.phase == Phase::Announced(ack) {
            state.phase = Phase::Closing;
            return None;
        }
        let Some(Question { query, subject, answer }) = state.asked.remove(&ack) else { return Some(message) };
        let place = Query { index: 0, ..query.clone() }.key();
        let granted = match state.examine(&message, &subject) {
            Ok((key, reply)) => {
                let handle = message.handle.take();
                let reports = reply.closed && handle.is_none();
                let known = Some((key.clone(), place));
                let server = Arc::new(Server::new(self.clone(), known, query.address_type, reports, subject));
                // Now, since the next message may be a connection for it.
                state.servers.insert(key, server.clone());
                Ok(Granted { held: Held::new(server), query, reply, handle })
            }
            Err(error) => {
                state.release(&place);
                Err(error)
            }
        };
        drop(state);
        // If nobody waits any more it is closed here, which takes the lock.
        drop(answer.send(granted));
        None
    }

    /// Tells the primary that a server listens.
    pub(super) fn listening(&self, server: &Server, mut query: Query, local: Option<SocketAddr>) {
        query.port = local.map(|address| i64::from(address.port())).filter(|port| *port != 0).or(query.port);
        if !server.is_closed() {
            let _ = self.post(Asking { act: Act::Listening, query: &query });
        }
    }

    /// Adds a server that the primary does not know.
    pub(super) fn open_own(self: &Arc<Self>, acceptor: Acceptor, query: &Query, subject: String) -> Result<Held> {
        let mut state = self.lock();
        if state.phase != Phase::Serving {
            return Err(closed(&subject));
        }
        let server = Arc::new(Server::new(self.clone(), None, query.address_type, false, subject));
        state.own.push(server.clone());
        drop(state);
        let held = Held::new(server);
        held.open(acceptor);
        Ok(held)
    }

    /// The server of this key.
    pub(super) fn server(&self, key: &str) -> Option<Arc<Server>> {
        self.lock().servers.get(key).cloned()
    }

    /// A server has been closed.
    pub(super) fn forget(&self, server: &Server) {
        let mut state = self.lock();
        let Some((key, place)) = server.known() else {
            state.own.retain(|own| !std::ptr::eq(&**own, server));
            return;
        };
        if state.servers.remove(key).is_some() {
            state.release(place);
            let _ = self.post(Plain { act: Act::Close, key: Some(key), count: None });
        }
    }

    /// One connection more is open.
    pub(super) fn connection_opened(&self) {
        self.lock().open += 1;
    }

    /// One less; of this key, if the primary wants to know.
    pub(super) fn connection_closed(&self, key: Option<&Arc<str>>) {
        let mut state = self.lock();
        state.open -= 1;
        let mut to_do = state.open == 0 && state.phase != Phase::Serving;
        if let Some(key) = key {
            to_do |= state.closures.is_empty();
            match state.closures.iter_mut().find(|(known, _)| Arc::ptr_eq(known, key)) {
                Some((_, count)) => *count += 1,
                None => state.closures.push((key.clone(), 1)),
            }
        }
        drop(state);
        if to_do {
            self.stirred.notify_one();
        }
    }

    /// Resolves when the worker has come so far.
    pub(super) async fn reaches(&self, stage: Stage) {
        // The sender is ours, and so never closed.
        let _ = self.stage.subscribe().wait_for(|now| *now >= stage).await;
    }
}

impl State {
    /// What the primary's answer grants.
    fn examine(&self, message: &Message, subject: &str) -> Result<(Arc<str>, Reply)> {
        let useless = |sentence: &str| Error::new("listen on", subject, ErrorKind::Json(sentence.to_owned()));
        let reply: Reply = body(message).ok_or_else(|| useless("the primary's answer is none"))?;
        if let Some(errno) = reply.errno.filter(|errno| *errno != 0) {
            return Err(Error::io("listen on", subject, std::io::Error::from_raw_os_error(errno.saturating_abs())));
        }
        let key: Arc<str> = reply.key.as_deref().ok_or_else(|| useless("the primary's answer has no key"))?.into();
        if self.servers.contains_key(&key) {
            return Err(useless("the primary gave two servers the same key"));
        }
        Ok((key, reply))
    }

    fn release(&mut self, place: &str) {
        if let Some(index) = self.indexes.get_mut(place) {
            index.live -= 1;
            if index.live == 0 {
                self.indexes.remove(place);
            }
        }
    }

    /// Every server, and every question, to be closed and dropped outside the lock.
    pub(super) fn take_servers(&mut self) -> (Vec<Arc<Server>>, HashMap<u64, Question>) {
        (self.servers.values().chain(&self.own).cloned().collect(), mem::take(&mut self.asked))
    }
}
