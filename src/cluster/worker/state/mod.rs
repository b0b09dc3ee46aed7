//! Every decision of a worker, as a state machine: it knows no socket, no task, no lock and no clock.
//!
//! [`WorkerState::on`] takes an [`Input`] and appends [`Effect`]s, which `run.rs` carries out in their order. A handle that came over the
//! channel is a number here.
//!
//! # The rules
//!
//! 1. **Ownership.** A connection that was handed over is the primary's until a user takes it: only then is it accepted. It is refused
//!    when it came without a handle, when there is no such server or the server is closed, and when the server has as many connections as
//!    it may.
//! 2. **Index.** The servers of this worker on one address are numbered from 0. When the last of them is closed, the numbers begin anew.
//! 3. **Grant.** A reply opens the server before the next message is looked at, which may be a connection for it. An error, a missing key
//!    and a key that is in use refuse the request.
//! 4. **Close.** A closed server refuses what waits there, and tells the primary, once.
//! 5. **Leaving.** Asked by the primary, the worker closes its servers, and its channel when no connection is open. On its own, it also
//!    announces that, when no connection is open, and waits for the acknowledgement. Killed, it announces that at once.
//! 6. **End.** When the channel ends and the worker is not leaving, the process exits, unless it is to survive. A worker that is leaving
//!    finishes its connections.
//! 7. **Reports.** Where the primary asked for it, it is told how many connections were closed, several at a time.

mod interface;
mod server;
mod serving;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use server::{Index, Request, Server};

use crate::cluster::protocol::{FromPrimary, FromWorker, Query};

pub use interface::{Effect, Grant, HandleId, Input, Next, Refusal, RequestId, ServerId, Stage};

/// How far it has come, as the primary sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Serving,
    /// The servers are closed, and connections may be open. `asked`: the primary knows.
    Draining { asked: bool },
    /// The primary was told so, in the message of this number, and has not acknowledged it.
    Announced(u64),
    /// The channel is being closed, or is closed.
    Closing,
}

/// A worker's decisions.
#[derive(Debug, Default)]
pub struct WorkerState {
    phase: Phase,
    /// The process goes on when the primary has gone.
    survives: bool,
    exited_after_disconnect: bool,
    channel_ended: bool,
    /// What the primary was asked for and has not answered, by the number of the query.
    requests: BTreeMap<u64, Request>,
    /// Closed ones stay until their last connection is closed.
    servers: BTreeMap<ServerId, Server>,
    /// The open servers that the primary knows.
    keys: HashMap<Arc<str>, ServerId>,
    /// How the servers on one address are told apart, by the key of the first of them.
    indexes: HashMap<String, Index>,
    /// How many connections are open.
    open: usize,
    /// How many connections of which key were closed since the last report.
    closings: BTreeMap<Arc<str>, u64>,
    last_server: ServerId,
    /// The number of the next message.
    sequence: u64,
}

impl WorkerState {
    /// Creates a worker that exits with its primary, or one that survives it.
    pub fn new(survives: bool) -> WorkerState {
        WorkerState { survives, ..WorkerState::default() }
    }

    /// Whether it leaves, or has left, because it or its primary wanted that.
    pub fn exited_after_disconnect(&self) -> bool {
        self.exited_after_disconnect
    }

    /// Decides what follows from an input.
    pub fn on(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Started => drop(self.send(FromWorker::Online, effects)),
            Input::Message { seq, message, handle } => self.handle_message(seq, message, handle, effects),
            Input::Listen { request, query } => self.listen(request, query, effects),
            Input::ListenAlone { request } => self.listen_alone(request, effects),
            Input::Listening { server, port } => self.listening(server, port, effects),
            Input::LimitConnections { server, limit } => {
                if let Some(found) = self.servers.get_mut(&server) {
                    found.limit = limit;
                    effects.push(Effect::WakeAll { server });
                }
            }
            Input::Taken { server, seq, usable } => {
                if !usable {
                    self.connection_gone(server, effects);
                }
                self.send(FromWorker::Answer { ack: seq, accepted: usable }, effects);
                self.proceed(effects);
            }
            Input::AcceptedAlone { server } => {
                self.open += 1;
                if let Some(server) = self.servers.get_mut(&server) {
                    server.open += 1;
                }
            }
            Input::ConnectionClosed { server } => {
                self.count_closing(server, effects);
                self.connection_gone(server, effects);
                self.proceed(effects);
            }
            Input::CloseServer { server } => self.close_server(server, effects),
            Input::Report => self.report(effects),
            Input::Leave => self.leave(false, effects),
            Input::Kill => {
                if let Phase::Serving | Phase::Draining { .. } = self.phase {
                    self.exited_after_disconnect = true;
                    if self.channel_ended { self.end(effects) } else { self.announce(effects) }
                }
                effects.push(Effect::Reach(Stage::Leaving));
            }
            Input::Abandoned => {
                if self.phase != Phase::Closing {
                    if self.channel_ended { self.end(effects) } else { self.close_channel(effects) }
                }
            }
            Input::ChannelEnded => {
                self.channel_ended = true;
                match self.phase {
                    Phase::Serving if !self.survives => effects.push(Effect::Exit),
                    // The connections come to their end all the same.
                    Phase::Draining { .. } if self.open > 0 => {}
                    _ => self.end(effects),
                }
            }
            Input::ChannelClosed => {
                self.channel_ended = true;
                self.end(effects);
            }
        }
    }

    fn handle_message(
        &mut self,
        seq: Option<u64>,
        message: FromPrimary,
        handle: Option<HandleId>,
        effects: &mut Vec<Effect>,
    ) {
        let unused = match message {
            FromPrimary::Newconn { key } => match seq {
                Some(seq) => return self.handed(seq, &key, handle, effects),
                None => handle,
            },
            FromPrimary::Disconnect => {
                self.leave(true, effects);
                handle
            }
            FromPrimary::Acknowledged { ack } => {
                self.acknowledged(ack, effects);
                handle
            }
            FromPrimary::Reply(reply) => {
                self.acknowledged(reply.ack, effects);
                return self.replied(*reply, handle, effects);
            }
        };
        effects.extend(unused.map(|handle| Effect::Close { handle }));
    }

    fn send(&mut self, message: FromWorker, effects: &mut Vec<Effect>) -> u64 {
        let seq = self.sequence;
        self.sequence += 1;
        effects.push(Effect::Send { seq, message });
        seq
    }

    /// Takes nothing more; leaves when no connection is open (rule 5).
    fn leave(&mut self, asked: bool, effects: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Serving => self.phase = Phase::Draining { asked },
            Phase::Draining { asked: already } => *already |= asked,
            Phase::Announced(_) | Phase::Closing => return,
        }
        self.exited_after_disconnect = true;
        self.close_servers(effects);
        effects.push(Effect::Reach(Stage::Leaving));
        self.proceed(effects);
    }

    fn announce(&mut self, effects: &mut Vec<Effect>) {
        let seq = self.send(FromWorker::ExitedAfterDisconnect, effects);
        self.phase = Phase::Announced(seq);
    }

    fn acknowledged(&mut self, ack: u64, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Announced(ack) {
            self.close_channel(effects);
        }
    }

    /// Goes on with leaving, if no connection is open.
    fn proceed(&mut self, effects: &mut Vec<Effect>) {
        let Phase::Draining { asked } = self.phase else { return };
        if self.open > 0 {
            return;
        }
        match (self.channel_ended, asked) {
            (true, _) => self.end(effects),
            (false, true) => self.close_channel(effects),
            (false, false) => self.announce(effects),
        }
    }

    fn close_channel(&mut self, effects: &mut Vec<Effect>) {
        self.phase = Phase::Closing;
        self.close_servers(effects);
        self.report(effects);
        effects.push(Effect::CloseChannel);
    }

    /// The channel is closed, and the users learn it.
    fn end(&mut self, effects: &mut Vec<Effect>) {
        self.phase = Phase::Closing;
        self.close_servers(effects);
        effects.push(Effect::Reach(Stage::Ended));
    }

    fn count_closing(&mut self, server: ServerId, effects: &mut Vec<Effect>) {
        let Some(key) = self.servers.get(&server).and_then(Server::reported_key) else { return };
        if self.closings.is_empty() {
            effects.push(Effect::ReportSoon);
        }
        *self.closings.entry(key.clone()).or_default() += 1;
    }

    fn report(&mut self, effects: &mut Vec<Effect>) {
        for (key, count) in std::mem::take(&mut self.closings) {
            self.send(FromWorker::Closed { key, count }, effects);
        }
    }
}
