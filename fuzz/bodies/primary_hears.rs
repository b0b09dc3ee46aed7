//! A primary whose workers say anything: nothing panics, every connection is in one place and closed once, and no
//! listener, worker or connection is left when all is over.
//!
//! An input is lines. The first one is a byte for the policy. The first letter of each other one says what happens:
//!
//! - `1` to `3`: that worker sends the rest of the line;
//! - `a`, `f`, `e`, each with the number of a listener: a connection is accepted, accepting fails, its backlog is empty;
//! - `b` and a worker: the connection that it was handed longest ago has arrived; `r`: that was refused; `h` and `g`: the
//!   same for a listener's socket;
//! - `p` and a worker: its channel stands still, or moves again;
//! - `d`, `w`, `c`, `x` and a worker: the user disconnects it, changes its weight, its channel ends, its process exits;
//! - `n`: a worker is forked, if one is missing; `l` and a listener: the user closes it; `z`: spare descriptors are missing;
//! - `t`: time passes; `s`: the user ends the cluster.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use forklore::cluster::Options;
use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::{ConnectionId, Delivery, Effect, Input, ListenerId, PrimaryState, WorkerId};
use forklore::cluster::state::read_from_worker;

const STEPS: usize = 500;
const WORKERS: usize = 3;
/// How many listeners a worker may have.
const LISTENERS: usize = 4;
/// How many of them can be on their way to it before its messages are not read.
const SOCKETS: usize = 16;

/// A worker that runs.
struct Running {
    id: WorkerId,
    channel_ended: bool,
    /// What was handed over and has not come back.
    on_its_way: VecDeque<ConnectionId>,
    /// The sockets of listeners that have not arrived, each with the query that it answers.
    sockets: VecDeque<(u64, ListenerId)>,
    stalled: bool,
    /// What it says is not read now.
    paused: bool,
    unread: VecDeque<Vec<u8>>,
}

struct Stage {
    state: PrimaryState,
    group: usize,
    now: Duration,
    wake_at: Option<Duration>,
    workers: [Option<Running>; WORKERS],
    /// Each with whether its descriptor is here, and not in a channel.
    connections: BTreeMap<ConnectionId, bool>,
    last_connection: ConnectionId,
    /// Each with whether connections are accepted there.
    listeners: BTreeMap<ListenerId, bool>,
    next_seq: u64,
    forgotten: BTreeSet<WorkerId>,
}

/// Panics if the primary does something wrong.
pub(crate) fn check(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let policy = lines.next().and_then(<[u8]>::first).copied().unwrap_or_default();
    let policy = Policy::ALL[usize::from(policy) % Policy::ALL.len()];
    let mut state = PrimaryState::default();
    let options = Options::default().policy(policy).window(4).waiting(8).answer_limit(Duration::from_millis(100));
    let options = options.listeners(LISTENERS).allow_descriptor(7);
    let group = state.add_group(options);
    let mut stage = Stage {
        state,
        group,
        now: Duration::ZERO,
        wake_at: None,
        workers: [None, None, None],
        connections: BTreeMap::new(),
        last_connection: 0,
        listeners: BTreeMap::new(),
        next_seq: 0,
        forgotten: BTreeSet::new(),
    };
    (0..WORKERS).for_each(|_| stage.fork());
    lines.take(STEPS).for_each(|line| stage.step(line));
    stage.finish();
}

impl Stage {
    fn step(&mut self, line: &[u8]) {
        let Some((letter, rest)) = line.split_first() else { return };
        let worker = usize::from(rest.first().copied().unwrap_or_default()) % WORKERS;
        let listener = self.listener(rest.first().copied().unwrap_or_default());
        let id = self.workers[worker].as_ref().map(|running| running.id);
        match (letter, listener, id) {
            (b'1'..=b'3', ..) => self.say(usize::from(letter - b'1'), rest),
            (b'a', Some((listener, true)), _) => {
                self.last_connection += 1;
                let connection = self.last_connection;
                self.connections.insert(connection, true);
                let client = rest.get(1).map(|last| IpAddr::from([127, 0, 0, *last]));
                self.on(Input::Accepted { listener, connection, client, is_scarce: rest.len() > 2 });
            }
            (b'f', Some((listener, true)), _) => self.on(Input::AcceptFailed { listener, errno: 24 }),
            (b'e', Some((listener, true)), _) => self.on(Input::BacklogEmpty { listener }),
            (b'b', ..) => self.give_back(worker, Delivery::Arrived),
            (b'r', ..) => self.give_back(worker, Delivery::Refused),
            (b'h', ..) => self.socket_arrives(worker, true),
            (b'g', ..) => self.socket_arrives(worker, false),
            (b'p', ..) => {
                let Some(running) = self.workers[worker].as_mut().filter(|running| !running.channel_ended) else {
                    return;
                };
                running.stalled = !running.stalled;
                let (worker, stalled) = (running.id, running.stalled);
                self.on(Input::ChannelStalled { worker, stalled });
            }
            (b'l', Some((listener, _)), _) => self.on(Input::CloseListener { listener }),
            (b'z', ..) => self.on(Input::SparesMissing { count: rest.len().min(8) }),
            (b'd', _, Some(worker)) => self.on(Input::Disconnect { worker }),
            (b'w', _, Some(worker)) => self.on(Input::SetWeight { worker, weight: u32::from(rest.len() as u8) }),
            (b'c', ..) => self.end_channel(worker),
            (b'x', ..) => self.exit(worker),
            (b'n', ..) => self.fork(),
            (b'l', _, Some(worker)) => self.on(Input::ChannelStalled { worker, stalled: rest.len() % 2 == 0 }),
            (b't', ..) => self.pass_time(),
            (b's', ..) => self.on(Input::Shutdown),
            _ => {}
        }
    }

    /// The listener of this number among those that are open, and whether it accepts.
    fn listener(&self, number: u8) -> Option<(ListenerId, bool)> {
        let place = usize::from(number) % self.listeners.len().max(1);
        self.listeners.iter().nth(place).map(|(listener, accepts)| (*listener, *accepts))
    }

    fn fork(&mut self) {
        let Some(place) = self.workers.iter().position(Option::is_none) else { return };
        let id = self.state.next_worker();
        self.workers[place] = Some(Running {
            id,
            channel_ended: false,
            on_its_way: VecDeque::new(),
            sockets: VecDeque::new(),
            stalled: false,
            paused: false,
            unread: VecDeque::new(),
        });
        self.on(Input::Forked { worker: id, group: self.group });
    }

    fn say(&mut self, worker: usize, line: &[u8]) {
        let Some(running) = self.workers[worker].as_mut().filter(|running| !running.channel_ended) else { return };
        running.unread.push_back(line.to_vec());
        self.read(worker);
    }

    /// Reads what a worker has said, as long as the state machine wants it.
    fn read(&mut self, worker: usize) {
        while let Some(running) = self.workers[worker].as_mut().filter(|running| !running.paused)
            && let (worker, Some(line)) = (running.id, running.unread.pop_front())
        {
            if let Some((seq, message)) = read_from_worker(&line) {
                self.on(Input::Message { worker, seq, message });
            }
        }
    }

    fn socket_arrives(&mut self, place: usize, arrives: bool) {
        let Some(running) = &mut self.workers[place] else { return };
        let (worker, Some((ack, listener))) = (running.id, running.sockets.pop_front()) else { return };
        self.on(match arrives {
            true => Input::ListenerArrived { worker },
            false => Input::ListenerRefused { worker, ack, listener },
        });
        self.read(place);
    }

    fn give_back(&mut self, worker: usize, delivery: Delivery) {
        let Some(running) = &mut self.workers[worker] else { return };
        let (worker, Some(connection)) = (running.id, running.on_its_way.pop_front()) else { return };
        if let Some(is_here) = self.connections.get_mut(&connection) {
            *is_here = true;
        }
        self.on(Input::Returned { worker, connection, delivery });
    }

    fn end_channel(&mut self, worker: usize) {
        let Some(running) = &mut self.workers[worker] else { return };
        if std::mem::replace(&mut running.channel_ended, true) {
            return;
        }
        let id = running.id;
        running.paused = false;
        self.read(worker);
        self.on(Input::ChannelEnded { worker: id });
        while self.workers[worker].as_ref().is_some_and(|running| !running.sockets.is_empty()) {
            self.socket_arrives(worker, true);
        }
        while self.workers[worker].as_ref().is_some_and(|running| !running.on_its_way.is_empty()) {
            self.give_back(worker, Delivery::Unknown);
        }
        self.on(Input::MessagesDelivered { worker: id });
    }

    fn exit(&mut self, worker: usize) {
        let Some(id) = self.workers[worker].as_ref().map(|running| running.id) else { return };
        self.on(Input::Exited { worker: id });
        self.end_channel(worker);
        assert!(self.forgotten.contains(&id), "worker {id} has ended and is remembered");
        self.workers[worker] = None;
    }

    fn pass_time(&mut self) {
        match self.wake_at.take() {
            Some(time) => {
                self.now = self.now.max(time);
                self.on(Input::Tick);
            }
            None => self.now += Duration::from_millis(10),
        }
    }

    fn finish(&mut self) {
        self.on(Input::Shutdown);
        (0..WORKERS).for_each(|worker| self.exit(worker));
        assert!(self.state.is_over(), "no worker is left");
        assert_eq!(self.state.listeners().count(), 0);
        assert!(self.listeners.is_empty(), "listeners are left open: {:?}", self.listeners);
        assert!(self.connections.is_empty(), "connections are left open: {:?}", self.connections);
    }

    /// Has the state machine decide, and carries out what it wants, as `run.rs` does.
    fn on(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut effects = Vec::new();
            self.state.on(input, self.now, &mut effects);
            let bound = 16 + 8 * (self.connections.len() + self.listeners.len() + WORKERS);
            assert!(effects.len() <= bound, "{} effects of one input", effects.len());
            inputs.extend(effects.into_iter().filter_map(|effect| self.perform(effect)));
        }
        let open = self.state.listeners().count();
        assert_eq!(open, self.listeners.len(), "listeners that are open, and that the state machine knows");
        let most = self.workers.iter().flatten().map(|running| running.sockets.len()).max();
        assert!(most.unwrap_or_default() <= SOCKETS, "{most:?} sockets on their way to one worker");
    }

    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Send { worker, seq, .. } => self.sent(worker, seq),
            Effect::SendListener { worker, seq, reply, listener } => {
                assert!(self.listeners.contains_key(&listener), "listener {listener} is sent and not open");
                self.sent(worker, seq);
                match self.running(worker) {
                    Some(running) if !running.channel_ended => running.sockets.push_back((reply.ack, listener)),
                    _ => return Some(Input::ListenerArrived { worker }),
                }
            }
            Effect::PauseReading { worker } => self.running(worker)?.paused = true,
            Effect::ResumeReading { worker } => self.running(worker)?.paused = false,
            Effect::FindBroken { mut connections, missing } => {
                connections.retain(|connection| connection % 2 == 0);
                return Some(Input::Broken { connections, missing });
            }
            Effect::HandOver { worker, seq, connection, .. } => {
                self.sent(worker, seq);
                let is_here = self.connections.get_mut(&connection).expect("it is open");
                assert!(*is_here, "connection {connection} is on its way already");
                let running = self.workers.iter_mut().flatten().find(|running| running.id == worker)?;
                if running.channel_ended {
                    return Some(Input::Returned { worker, connection, delivery: Delivery::Unsent });
                }
                *is_here = false;
                running.on_its_way.push_back(connection);
            }
            Effect::Close { connection, .. } => {
                assert!(self.connections.remove(&connection).is_some(), "connection {connection} is closed twice");
            }
            Effect::Open { listener, query, accepts } => {
                let port = query.port.and_then(|port| u16::try_from(port).ok());
                let Some(port) = port.filter(|port| port % 8 != 7) else {
                    return Some(Input::OpenFailed { listener, errno: 22 });
                };
                assert!(
                    query.fd.flatten().is_none_or(|fd| fd < 0 || fd == 7),
                    "descriptor {:?} is not allowed",
                    query.fd
                );
                assert!(self.listeners.insert(listener, accepts).is_none(), "listener {listener} is opened twice");
                let local = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.max(1))));
                return Some(Input::Opened { listener, local });
            }
            Effect::CloseListener { listener } => {
                assert!(self.listeners.remove(&listener).is_some(), "listener {listener} is closed twice");
            }
            Effect::PauseAccepting { listener } => drop(self.listeners.entry(listener).and_modify(|on| *on = false)),
            Effect::ResumeAccepting { listener } => drop(self.listeners.entry(listener).and_modify(|on| *on = true)),
            Effect::Forget { worker, .. } => assert!(self.forgotten.insert(worker), "worker {worker} ends twice"),
            Effect::WakeAt(time) => self.wake_at = Some(self.wake_at.map_or(time, |known| known.min(time))),
            _ => {}
        }
        None
    }

    fn running(&mut self, worker: WorkerId) -> Option<&mut Running> {
        self.workers.iter_mut().flatten().find(|running| running.id == worker)
    }

    fn sent(&mut self, worker: WorkerId, seq: u64) {
        assert!(seq >= self.next_seq, "message {seq} after {}", self.next_seq);
        self.next_seq = seq + 1;
        assert!(!self.forgotten.contains(&worker), "a message to worker {worker}, which is forgotten");
    }
}
