//! A primary's state machine without anything around it.

use std::time::Duration;

use forklore::cluster::Options;
use forklore::cluster::state::FromWorker;
use forklore::cluster::state::primary::{Closed, Delivery, Effect, Input, PrimaryState, WorkerId};

use crate::step::Port;

/// A primary with one group, and a clock.
pub(super) struct Primary {
    pub(super) state: PrimaryState,
    pub(super) now: Duration,
    connections: u64,
}

pub(super) type Handed = Vec<(WorkerId, u64, u64)>;

impl Primary {
    /// A primary whose workers, from 1, listen on port 80.
    pub(super) fn new(options: Options, workers: u32) -> Primary {
        let mut primary = Primary { state: PrimaryState::default(), now: Duration::ZERO, connections: 0 };
        primary.state.add_group(options);
        for _ in 0..workers {
            primary.fork();
        }
        for worker in 1..=workers {
            primary.query(worker, Port(80, 0));
        }
        primary
    }

    pub(super) fn fork(&mut self) -> WorkerId {
        let worker = self.state.next_worker();
        self.on(Input::Forked { worker, group: 0 });
        worker
    }

    pub(super) fn on(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.state.on(input, self.now, &mut effects);
        let opens = effects.iter().find_map(|effect| match effect {
            Effect::Open { listener, .. } => Some(*listener),
            _ => None,
        });
        if let Some(listener) = opens {
            self.state.on(Input::Opened { listener, local: None }, self.now, &mut effects);
        }
        effects
    }

    pub(super) fn query(&mut self, worker: WorkerId, port: Port) -> Vec<Effect> {
        self.says(worker, FromWorker::QueryServer(port.query()))
    }

    pub(super) fn says(&mut self, worker: WorkerId, message: FromWorker) -> Vec<Effect> {
        self.on(Input::Message { worker, seq: Some(7), message })
    }

    pub(super) fn accept(&mut self) -> Vec<Effect> {
        self.accepted(false)
    }

    /// Accepts a connection with one of the last descriptors.
    pub(super) fn accept_the_last(&mut self) -> Vec<Effect> {
        self.accepted(true)
    }

    fn accepted(&mut self, is_scarce: bool) -> Vec<Effect> {
        self.connections += 1;
        self.on(Input::Accepted { listener: 1, connection: self.connections, client: None, is_scarce })
    }

    pub(super) fn answer(&mut self, worker: WorkerId, ack: u64, connection: u64, accepted: bool) -> Vec<Effect> {
        let mut effects = self.on(Input::Returned { worker, connection, delivery: Delivery::Arrived });
        effects.extend(self.says(worker, FromWorker::Answer { ack, accepted }));
        effects
    }

    /// The worker's channel ends, and then everything that it held comes back.
    pub(super) fn die(&mut self, worker: WorkerId, held: &[u64]) -> Vec<Effect> {
        let mut effects = self.on(Input::ChannelEnded { worker });
        for connection in held {
            effects.extend(self.on(Input::Returned { worker, connection: *connection, delivery: Delivery::Unknown }));
        }
        effects
    }

    pub(super) fn later(&mut self, time: Duration) -> Vec<Effect> {
        self.now += time;
        self.on(Input::Tick)
    }

    pub(super) fn waiting(&self) -> usize {
        self.state.listeners().map(|listener| listener.waiting).sum()
    }
}

/// What was handed over: the worker, the number of the message, the connection.
pub(super) fn handed(effects: &[Effect]) -> Handed {
    let handed = effects.iter().filter_map(|effect| match effect {
        Effect::HandOver { worker, seq, connection, .. } => Some((*worker, *seq, *connection)),
        _ => None,
    });
    handed.collect()
}

pub(super) fn has(effects: &[Effect], is_it: impl Fn(&Effect) -> bool) -> bool {
    effects.iter().any(is_it)
}

pub(super) fn closed(effects: &[Effect], why: Closed) -> Vec<u64> {
    let closed = effects.iter().filter_map(|effect| match effect {
        Effect::Close { connection, why: reason } if *reason == why => Some(*connection),
        _ => None,
    });
    closed.collect()
}
