//! A simulated cluster: a primary's state machine, its workers, and a model of everything between them. Nothing here
//! is left to chance.
//!
//! | file | what it holds |
//! |---|---|
//! | `steps.rs` | what each step does |
//! | `primary.rs` | what carries the primary's effects out |
//! | `recovery.rs` | how the cluster goes on when the faults have ended |

mod primary;
mod recovery;
mod steps;

use std::collections::VecDeque;
use std::time::Duration;

use forklore::cluster::state::primary::{ConnectionId, Effect, Input, ListenerId, PrimaryState, WorkerId};

use crate::broken::{Broken, Checked, require};
use crate::coverage::Coverage;
use crate::ledger::Ledger;
use crate::options::GroupOptions;
use crate::process::Process;
use crate::step::{Binding, Kind, Step};

/// A socket of the primary.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) is_open: bool,
    /// It is to be bound later.
    pub(crate) is_opening: bool,
    /// The primary accepts.
    pub(crate) accepts: bool,
    pub(crate) is_paused: bool,
    /// Clients that connected and were not accepted: their addresses.
    pub(crate) backlog: VecDeque<u8>,
}

/// The whole of a simulated cluster.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Duration,
    state: PrimaryState,
    pub(crate) ledger: Ledger,
    effects: Vec<Effect>,
    inputs: VecDeque<Input>,
    pub(crate) groups: Vec<GroupOptions>,
    /// Workers that are being forked: their numbers, groups and kinds.
    forking: VecDeque<(WorkerId, usize, Kind)>,
    /// By their numbers, from 1. `None`: the fork has failed, or goes on.
    pub(crate) workers: Vec<Option<Process>>,
    /// Those that the primary has not forgotten, or whose process runs.
    pub(crate) live: Vec<WorkerId>,
    /// By their numbers, from 1.
    pub(crate) sockets: Vec<Socket>,
    /// By their numbers, from 1: whether the primary has a descriptor of it, and the worker that uses it.
    connections: Vec<(bool, Option<WorkerId>)>,
    open_connections: usize,
    binding: Binding,
    descriptors: usize,
    /// How many descriptors are kept for a fork, from the first one on.
    spares: usize,
    keeps_spares: bool,
    /// Connections whose clients have gone.
    broken: Vec<ConnectionId>,
    pub(crate) abandoned: bool,
    /// What happened, for a reader; `None` if there is no reader.
    pub(crate) story: Option<Vec<String>>,
    coverage: Coverage,
}

impl World {
    pub(crate) fn new(groups: &[GroupOptions]) -> World {
        let mut state = PrimaryState::default();
        for group in groups {
            state.add_group(group.options());
        }
        World {
            now: Duration::ZERO,
            state,
            ledger: Ledger::new(groups.to_vec()),
            effects: Vec::new(),
            inputs: VecDeque::new(),
            groups: groups.to_vec(),
            forking: VecDeque::new(),
            workers: Vec::new(),
            live: Vec::new(),
            sockets: Vec::new(),
            connections: Vec::new(),
            open_connections: 0,
            binding: Binding::AtOnce,
            descriptors: usize::MAX,
            spares: 0,
            keeps_spares: false,
            broken: Vec::new(),
            abandoned: false,
            story: None,
            coverage: Coverage::default(),
        }
    }

    pub(crate) fn worker(&self, worker: WorkerId) -> Option<&Process> {
        self.workers.get(worker.checked_sub(1)? as usize)?.as_ref()
    }

    fn process(&mut self, worker: WorkerId) -> Option<&mut Process> {
        self.workers.get_mut(worker.checked_sub(1)? as usize)?.as_mut()
    }

    pub(crate) fn socket(&self, listener: ListenerId) -> Option<&Socket> {
        self.sockets.get(listener.checked_sub(1)? as usize)
    }

    fn socket_mut(&mut self, listener: ListenerId) -> Option<&mut Socket> {
        self.sockets.get_mut(listener.checked_sub(1)? as usize)
    }

    /// Lets one thing happen, and checks everything.
    pub(crate) fn apply(&mut self, step: Step) -> Checked {
        self.carry_out(step)?;
        let (expected, open) = (self.ledger.open_connections(), self.open_connections);
        require(expected == open, "the primary has descriptors of what waits or is unanswered, and no other", || {
            format!("{open}, but {expected} wait or are held")
        })
    }

    /// A worker has done something: no connection may be used twice.
    fn note_use(&mut self, worker: WorkerId) -> Checked {
        let Some(process) = self.process(worker) else { return Ok(()) };
        if process.used.is_empty() {
            return Ok(());
        }
        for connection in std::mem::take(&mut process.used) {
            self.used(connection, worker)?;
        }
        Ok(())
    }

    fn used(&mut self, connection: ConnectionId, worker: WorkerId) -> Checked {
        let user = &mut self.connections[connection as usize - 1].1;
        let before = user.replace(worker);
        require(before.is_none(), "no connection is served by two workers (rule 5)", || {
            format!("connection {connection} by worker {worker} and worker {before:?}")
        })
    }

    /// How many connections were accepted.
    pub(crate) fn accepted(&self) -> ConnectionId {
        self.connections.len() as ConnectionId
    }

    /// What the run has reached.
    pub(crate) fn coverage(&self) -> Coverage {
        let mut all = self.coverage;
        all.extend(self.ledger.coverage);
        for honest in self.workers.iter().flatten().filter_map(Process::honest) {
            all.extend(honest.coverage);
        }
        all
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }

    /// The tables of the state machine at the end.
    fn tables_are_empty(&self) -> Checked {
        let tables = format!("{:?}", self.state);
        let empty = "workers: {}, listeners: {}, keys: {}, failing: {}, timers: {}";
        require(tables.contains(empty), "at the end nothing is left in the tables", || tables.clone())?;
        let left = self.connections.iter().filter(|(has, _)| *has).count();
        require(left == 0, "at the end the primary has no connection", || format!("{left} of them"))
    }
}

/// A fault of the simulation itself, or a panic of a state machine.
pub(crate) fn panicked(message: String) -> Broken {
    Broken { invariant: "a state machine never panics", detail: message }
}
