//! The library's worker: its state machine, and a model of what carries its effects out and of its users.

use std::sync::Arc;

use forklore::cluster::state::worker::{
    Effect, Grant, HandleId, Input, Refusal, RequestId, ServerId, Stage, WorkerState,
};
use forklore::cluster::state::{FromPrimary, FromWorker};

use super::wire::Parcel;
use crate::broken::{Broken, Checked, require};
use crate::coverage::{Coverage, Reached};

/// A worker whose program is honest.
#[derive(Debug)]
pub(crate) struct Honest {
    pub(super) state: WorkerState,
    effects: Vec<Effect>,
    /// What came over the channel and is not in use.
    pub(super) handles: Vec<(HandleId, Parcel)>,
    last_handle: HandleId,
    pub(super) requests: Vec<Request>,
    pub(super) last_request: RequestId,
    pub(crate) servers: Vec<Server>,
    /// A user has this connection and has not used it yet: its server, its number.
    pub(crate) taking: Option<(ServerId, u64, Parcel)>,
    /// The numbers of connections that were handed over and not answered for.
    pub(super) owed: Vec<u64>,
    /// The servers of each port: the number of the next one, and how many there are.
    pub(super) indexes: Vec<(u16, u64, usize)>,
    /// The key in the reply that is being read, and whether it asks for reports.
    replying: Option<(Arc<str>, bool)>,
    /// The error in that reply, 0 for none.
    errno: i32,
    pub(crate) stage: Option<Stage>,
    pub(crate) report_due: bool,
    pub(crate) close_due: bool,
    /// The process is to end.
    pub(crate) exits: bool,
    survives: bool,
    pub(super) announced: bool,
    pub(crate) killed: bool,
    left: bool,
    channel_ended: bool,
    pub(super) next_seq: u64,
    /// Connections that were closed and are to be reported.
    pub(super) unreported: u64,
    pub(crate) coverage: Coverage,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) port: u16,
    pub(super) cancelled: bool,
}

/// A server that a user has.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) id: ServerId,
    pub(super) key: Option<Arc<str>>,
    port: u16,
    pub(super) has_socket: bool,
    pub(crate) reports: bool,
    pub(crate) open: usize,
    pub(super) waiting: Vec<u64>,
    pub(super) limit: usize,
    /// Clients that wait at its own socket.
    pub(super) clients: usize,
    pub(crate) is_closed: bool,
    /// Its user looks for a connection, or was woken to do so.
    pub(crate) awake: bool,
}

/// What the worker sends, in order.
pub(crate) type Sent = Vec<(u64, FromWorker)>;

impl Honest {
    pub(super) fn new(survives: bool) -> Honest {
        Honest {
            state: WorkerState::new(survives),
            effects: Vec::new(),
            handles: Vec::new(),
            last_handle: 0,
            requests: Vec::new(),
            last_request: 0,
            servers: Vec::new(),
            taking: None,
            owed: Vec::new(),
            indexes: Vec::new(),
            replying: None,
            errno: 0,
            stage: None,
            report_due: false,
            close_due: false,
            exits: false,
            survives,
            announced: false,
            killed: false,
            left: false,
            channel_ended: false,
            next_seq: 0,
            unreported: 0,
            coverage: Coverage::default(),
        }
    }

    pub(super) fn descriptors(&self) -> usize {
        let sockets = self.servers.iter().filter(|server| server.has_socket && !server.is_closed).count();
        self.handles.len() + sockets + self.open() + usize::from(self.taking.is_some())
    }

    pub(crate) fn open(&self) -> usize {
        self.servers.iter().map(|server| server.open).sum()
    }

    /// Whether it takes connections at a key as long as there are any.
    pub(crate) fn serves(&self, key: &str) -> bool {
        let serves = |server: &Server| server.key.as_deref() == Some(key) && !server.is_closed && server.limit > 0;
        self.stage.is_none() && !self.announced && !self.close_due && self.servers.iter().any(serves)
    }

    pub(crate) fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    pub(super) fn arrived(&mut self, message: (u64, FromPrimary), parcel: Option<Parcel>, sent: &mut Sent) -> Checked {
        let handle = parcel.map(|parcel| {
            self.last_handle += 1;
            self.handles.push((self.last_handle, parcel));
            self.last_handle
        });
        let (seq, message) = message;
        if let FromPrimary::Reply(reply) = &message {
            self.errno = reply.errno.unwrap_or_default();
            let reports = reply.closed && handle.is_none();
            self.replying = reply.key.as_deref().map(|key| (key.into(), reports));
        }
        let FromPrimary::Newconn { key } = &message else {
            return self.on(Input::Message { seq: Some(seq), message, handle }, sent);
        };
        self.owed.push(seq);
        let server = self.servers.iter_mut().find(|server| !server.is_closed && server.key.as_ref() == Some(key));
        let may_wait = match server {
            Some(server) if handle.is_some() && server.open + server.waiting.len() < server.limit => {
                server.waiting.push(seq);
                true
            }
            _ => false,
        };
        self.on(Input::Message { seq: Some(seq), message, handle }, sent)?;
        if !may_wait {
            self.coverage.add(Reached::W1);
        }
        let sentence = "a worker refuses at once what its servers may not have, and nothing else";
        require(self.owed.contains(&seq) == may_wait, sentence, || format!("connection number {seq}"))
    }

    pub(crate) fn on(&mut self, input: Input, sent: &mut Sent) -> Checked {
        match &input {
            Input::Taken { usable, server, .. } if !usable => {
                self.server(*server).into_iter().for_each(|server| server.open -= 1);
            }
            Input::Message { message: FromPrimary::Disconnect, .. } | Input::Leave => {
                self.left = true;
                if self.open() > 0 {
                    self.coverage.add(Reached::W5);
                }
            }
            Input::Kill => (self.killed, self.left) = (true, true),
            Input::Abandoned => self.left = true,
            Input::ChannelEnded => {
                self.channel_ended = true;
                if self.left && self.open() > 0 {
                    self.coverage.add(Reached::W6);
                }
            }
            _ => {}
        }
        let taken = match &input {
            Input::Taken { seq, usable, .. } => Some((*seq, *usable)),
            _ => None,
        };
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let mut effects = std::mem::take(&mut self.effects);
            self.state.on(input, &mut effects);
            for effect in effects.drain(..) {
                self.coverage.add(Reached::of_worker(&effect));
                if let Some(follow_up) = self.perform(effect, taken, sent)? {
                    next = Some(follow_up);
                }
            }
            self.effects = effects;
        }
        self.check_awake()?;
        let is_alone = self.channel_ended && !self.left && !self.survives;
        require(self.exits == is_alone, "a worker exits when its primary has gone, and only then", String::new)
    }

    pub(super) fn server(&mut self, id: ServerId) -> Option<&mut Server> {
        self.servers.iter_mut().find(|server| server.id == id)
    }

    fn perform(
        &mut self,
        effect: Effect,
        taken: Option<(u64, bool)>,
        sent: &mut Sent,
    ) -> Result<Option<Input>, Broken> {
        match effect {
            Effect::Send { seq, message } => {
                self.check_sent(seq, &message, taken)?;
                sent.push((seq, message));
            }
            Effect::Grant { request, server, grant, .. } => {
                let place = self.requests.iter().position(|asked| asked.id == request);
                let asked = place.map(|place| self.requests.remove(place));
                let Some(asked) = asked else { return Err(request_twice(request)) };
                let has_socket = !matches!(grant, Grant::Handed(_));
                let is_right = matches!(grant, Grant::Alone) || self.errno == 0;
                require(is_right, "an error grants nothing, and nothing else is an error", || {
                    format!("{}", self.errno)
                })?;
                if let Grant::Socket(handle) = grant {
                    self.handles.retain(|(known, _)| *known != handle);
                }
                let known = self.replying.take().filter(|_| !matches!(grant, Grant::Alone));
                self.servers.push(Server {
                    id: server,
                    port: asked.port,
                    has_socket,
                    reports: known.as_ref().is_some_and(|(_, reports)| *reports),
                    key: known.map(|(key, _)| key),
                    open: 0,
                    waiting: Vec::new(),
                    limit: usize::MAX,
                    clients: 0,
                    is_closed: false,
                    awake: true,
                });
                return Ok(Some(match asked.cancelled {
                    true => Input::CloseServer { server },
                    false => Input::Listening { server, port: Some(asked.port) },
                }));
            }
            Effect::Refuse { request, why } => {
                let place = self.requests.iter().position(|asked| asked.id == request);
                let Some(place) = place else { return Err(request_twice(request)) };
                let asked = self.requests.remove(place);
                let is_right = !matches!(why, Refusal::Errno(_)) || self.errno != 0;
                require(is_right, "an error grants nothing, and nothing else is an error", || format!("{why:?}"))?;
                if why != Refusal::Leaving {
                    self.release(asked.port);
                    self.coverage.add(Reached::W3);
                }
            }
            Effect::Close { handle } => {
                let place = self.handles.iter().position(|(known, _)| *known == handle);
                require(place.is_some(), "a handle is closed once", || format!("handle {handle}"))?;
                place.map(|place| self.handles.swap_remove(place));
            }
            Effect::WakeOne { server } | Effect::WakeAll { server } => {
                self.server(server).into_iter().for_each(|server| server.awake = true);
            }
            Effect::CloseSocket { server } => {
                let Some(server) = self.server(server) else { return Ok(None) };
                let was_closed = std::mem::replace(&mut server.is_closed, true);
                require(!was_closed, "a server is closed once", || format!("server {}", server.id))?;
                server.awake = true;
                let known = server.key.is_some().then_some(server.port);
                if !server.waiting.is_empty() {
                    self.coverage.add(Reached::W4);
                }
                known.into_iter().for_each(|port| self.release(port));
            }
            Effect::ReportSoon => self.report_due = true,
            Effect::Reach(stage) => self.stage = self.stage.max(Some(stage)),
            Effect::CloseChannel => {
                let idle = self.open() == 0 || self.killed || self.left;
                require(idle && !self.close_due, "a worker closes its channel once", String::new)?;
                self.close_due = true;
            }
            Effect::Exit => {
                self.exits = true;
                self.coverage.add(Reached::W6);
            }
        }
        Ok(None)
    }
}

fn request_twice(request: RequestId) -> Broken {
    Broken { invariant: "a request is answered once", detail: format!("request {request}") }
}
