//! A worker whose primary says anything: nothing panics, every handle is closed or taken once, every wish to listen is
//! answered once, and nothing is left when all is over.
//!
//! An input is lines. The first one is a byte: whether the worker survives its primary. The first letter of each other
//! one says what happens:
//!
//! - `>`: the primary sends the rest of the line; `+`: with a handle;
//! - `l` and a port: a user asks to listen; `L`: without the primary;
//! - `i`, `t`, `u`, `c`, `m`, `s`, each with the number of a server: it listens, a user takes a connection, takes one that
//!   cannot be used, closes one, limits them to one, closes the server;
//! - `r`: what was closed is reported; `v`, `k`: the worker is to leave, or to end; `A`: the last handle was dropped;
//! - `e`: the channel ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use forklore::cluster::state::worker::{Effect, Grant, HandleId, Input, Next, RequestId, ServerId, Stage, WorkerState};
use forklore::cluster::state::{Query, read_from_primary};

const STEPS: usize = 500;

struct Play {
    state: WorkerState,
    /// The handles that came and were neither closed nor taken.
    handles: BTreeSet<HandleId>,
    last_handle: HandleId,
    /// The wishes that were not answered.
    requests: BTreeSet<RequestId>,
    last_request: RequestId,
    /// The servers that were granted, each with its open connections.
    servers: BTreeMap<ServerId, usize>,
    closed: BTreeSet<ServerId>,
    next_seq: u64,
    /// Whether the state machine has asked to close the channel.
    closing: bool,
    channel_ended: bool,
    /// The process has ended, and everything with it.
    exited: bool,
    stage: Stage,
}

/// Panics if the worker does something wrong.
pub(crate) fn check(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let survives = lines.next().and_then(<[u8]>::first).is_some_and(|byte| byte % 2 == 1);
    let mut play = Play {
        state: WorkerState::new(survives),
        handles: BTreeSet::new(),
        last_handle: 0,
        requests: BTreeSet::new(),
        last_request: 0,
        servers: BTreeMap::new(),
        closed: BTreeSet::new(),
        next_seq: 0,
        closing: false,
        channel_ended: false,
        exited: false,
        stage: Stage::Serving,
    };
    play.on(Input::Started);
    lines.take(STEPS).for_each(|line| play.step(line));
    play.finish();
}

impl Play {
    fn step(&mut self, line: &[u8]) {
        let Some((letter, rest)) = line.split_first().filter(|_| !self.exited) else { return };
        let number = rest.first().copied().unwrap_or_default();
        let place = usize::from(number) % self.servers.len().max(1);
        let server = self.servers.keys().nth(place).copied();
        match (letter, server) {
            (b'>', _) => self.say(rest, false),
            (b'+', _) => self.say(rest, true),
            (b'l', _) => {
                let query = Box::new(Query { port: Some(i64::from(number)), ..Query::default() });
                self.request(|request| Input::Listen { request, query });
            }
            (b'L', _) => self.request(|request| Input::ListenAlone { request }),
            (b'i', Some(server)) => self.on(Input::Listening { server, port: rest.get(1).map(|port| (*port).into()) }),
            (b't', Some(server)) => self.take(server, true),
            (b'u', Some(server)) => self.take(server, false),
            (b'c', Some(server)) => self.close_connection(server),
            (b'm', Some(server)) => self.on(Input::LimitConnections { server, limit: 1 }),
            (b's', Some(server)) => self.on(Input::CloseServer { server }),
            (b'r', _) => self.on(Input::Report),
            (b'v', _) => self.on(Input::Leave),
            (b'k', _) => self.on(Input::Kill),
            (b'A', _) => self.on(Input::Abandoned),
            (b'e', _) => self.end_channel(),
            _ => {}
        }
    }

    fn say(&mut self, line: &[u8], with_handle: bool) {
        if self.channel_ended {
            return;
        }
        let Some((seq, message)) = read_from_primary(line) else { return };
        let handle = with_handle.then(|| {
            self.last_handle += 1;
            self.handles.insert(self.last_handle);
            self.last_handle
        });
        self.on(Input::Message { seq, message, handle });
    }

    fn request(&mut self, input: impl FnOnce(RequestId) -> Input) {
        self.last_request += 1;
        self.requests.insert(self.last_request);
        self.on(input(self.last_request));
    }

    fn take(&mut self, server: ServerId, usable: bool) {
        match self.state.take(server) {
            Next::Take { seq, handle } => {
                assert!(self.handles.remove(&handle), "handle {handle} is taken, and was closed or taken before");
                *self.servers.entry(server).or_default() += usize::from(usable);
                self.on(Input::Taken { server, seq, usable });
            }
            Next::Accept => {
                *self.servers.entry(server).or_default() += 1;
                self.on(Input::AcceptedAlone { server });
            }
            Next::Wait => assert!(!self.closed.contains(&server), "a user waits at a closed server"),
            Next::End => {}
        }
    }

    fn close_connection(&mut self, server: ServerId) {
        if let Some(open) = self.servers.get_mut(&server).filter(|open| **open > 0) {
            *open -= 1;
            self.on(Input::ConnectionClosed { server });
        }
    }

    fn end_channel(&mut self) {
        if !std::mem::replace(&mut self.channel_ended, true) {
            self.on(if self.closing { Input::ChannelClosed } else { Input::ChannelEnded });
        }
    }

    fn finish(&mut self) {
        if self.exited {
            return;
        }
        self.on(Input::Leave);
        for server in self.servers.keys().copied().collect::<Vec<_>>() {
            while self.servers[&server] > 0 {
                self.close_connection(server);
            }
        }
        self.end_channel();
        assert_eq!(self.stage, Stage::Ended, "no connection is open, and the channel has ended");
        assert!(self.requests.is_empty(), "requests without an answer: {:?}", self.requests);
        assert!(self.handles.is_empty(), "handles are left open: {:?}", self.handles);
        assert_eq!(self.closed.len(), self.servers.len(), "every server is closed");
    }

    fn on(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut effects = Vec::new();
            self.state.on(input, &mut effects);
            let bound = 16 + 8 * (self.handles.len() + self.servers.len() + self.requests.len());
            assert!(effects.len() <= bound, "{} effects of one input", effects.len());
            effects.into_iter().for_each(|effect| self.perform(effect));
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send { seq, .. } => {
                assert_eq!(seq, self.next_seq, "the messages are numbered in order");
                self.next_seq += 1;
            }
            Effect::Grant { request, server, grant, .. } => {
                assert!(self.requests.remove(&request), "request {request} is answered twice");
                if let Grant::Socket(handle) = grant {
                    assert!(self.handles.remove(&handle), "handle {handle} is granted, and was closed or taken before");
                }
                assert!(self.servers.insert(server, 0).is_none(), "server {server} is granted twice");
            }
            Effect::Refuse { request, .. } => {
                assert!(self.requests.remove(&request), "request {request} is answered twice");
            }
            Effect::Close { handle } => {
                assert!(self.handles.remove(&handle), "handle {handle} is closed, and was closed or taken before");
            }
            Effect::CloseSocket { server } => {
                assert!(self.servers.contains_key(&server) && self.closed.insert(server), "server {server}, twice");
            }
            Effect::CloseChannel => assert!(!std::mem::replace(&mut self.closing, true), "the channel closes twice"),
            Effect::Exit => assert!(!std::mem::replace(&mut self.exited, true), "the process ends twice"),
            Effect::Reach(stage) => self.stage = self.stage.max(stage),
            _ => {}
        }
    }
}
