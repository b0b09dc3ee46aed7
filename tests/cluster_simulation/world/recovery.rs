//! How the cluster goes on when the faults have ended.

use std::time::Duration;

use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::{ListenerId, WorkerId};

use super::World;
use super::primary::{RESERVE, SPARES};
use crate::broken::{Broken, Checked, require};
use crate::process::{Process, Program};
use crate::step::{Binding, Kind, Port, Step};

/// How often the time may come while nothing else happens. A worker that refuses everything is asked for ever.
const WAKES: usize = 60;
/// How long it is left alone: shorter than the limits of an idle listener and of a worker that stands still.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many rounds it may take until nothing moves: more than any run needs.
const ROUNDS: usize = 20_000;

impl World {
    /// Lets everything happen that is under way, in a fixed order, until nothing moves.
    pub(super) fn run_dry(&mut self) -> Checked {
        let (mut wakes, patience) = (WAKES, self.now + PATIENCE);
        for _ in 0..ROUNDS {
            if self.round()? {
                continue;
            }
            let Some(time) = self.ledger.wake_at() else { return Ok(()) };
            if wakes == 0 || time > patience {
                return Ok(());
            }
            wakes -= 1;
            self.now = self.now.max(time);
            self.apply(Step::Tick)?;
        }
        require(false, "a cluster that is left alone comes to rest", || format!("after {ROUNDS} rounds"))
    }

    /// Whether anything moved.
    fn round(&mut self) -> Result<bool, Broken> {
        let mut moved = !self.forking.is_empty();
        while !self.forking.is_empty() {
            self.apply(Step::ForkEnds { fails: false })?;
        }
        for listener in 1..=self.sockets.len() as ListenerId {
            let Some(socket) = self.socket(listener) else { continue };
            if socket.is_opening {
                self.apply(Step::Bound { listener, opened: true })?;
                moved = true;
            } else if socket.is_open && socket.accepts && !socket.is_paused && !socket.backlog.is_empty() {
                self.apply(Step::Accept { listener })?;
                moved = true;
            }
        }
        for worker in self.live.clone() {
            moved |= self.worker_moves(worker)?;
        }
        Ok(moved)
    }

    fn worker_moves(&mut self, worker: WorkerId) -> Result<bool, Broken> {
        let Some(process) = self.worker(worker) else { return Ok(false) };
        let mut steps = Vec::new();
        if process.can_read() {
            steps.push(Step::WorkerReads { worker });
        }
        if let Some(honest) = process.honest().filter(|_| process.runs && !process.hangs) {
            if honest.taking.is_some() {
                steps.push(Step::Taken { worker, usable: true });
            }
            for (server, known) in honest.servers.iter().enumerate() {
                if known.awake {
                    steps.push(Step::Take { worker, server });
                }
                if known.open > 0 {
                    steps.push(Step::CloseConnection { worker, server });
                }
            }
            if honest.report_due {
                steps.push(Step::Report { worker });
            }
            if honest.close_due {
                steps.push(Step::CloseChannel { worker });
            }
        }
        if process.can_break() {
            steps.push(Step::ChannelBreaks { worker, lost_first: false });
        }
        if process.is_stalled() != process.stall_told && !process.is_broken {
            steps.push(Step::StallChanged { worker });
        }
        if process.next_up(false).is_some() {
            steps.push(Step::PrimaryReads { worker });
        }
        if !process.runs && !process.exit_told {
            steps.push(Step::Exited { worker });
        }
        if process.is_broken && !process.messages_told {
            steps.push(Step::MessagesDelivered { worker });
        }
        let moved = !steps.is_empty();
        steps.into_iter().try_for_each(|step| self.apply(step))?;
        Ok(moved)
    }

    /// Nothing moves: what is served has been served.
    pub(super) fn check_rest(&self) -> Checked {
        for (listener, socket) in (1..).zip(&self.sockets) {
            let policy = self.ledger.policy_of(listener);
            if !socket.is_open || !socket.accepts || policy == Policy::Sticky {
                continue;
            }
            let (key, waiting) = self.ledger.waiting_at(listener);
            let members = self.ledger.members(listener);
            let refuses = |worker: &&WorkerId| self.worker(**worker).is_none_or(|process| !process.serves(key));
            // Two that refuse everything may be preferred to all others again and again.
            if policy != Policy::RoundRobin && members.iter().filter(refuses).count() > 1 {
                continue;
            }
            let server = members.iter().find(|worker| !refuses(worker));
            require(waiting == 0 || server.is_none(), "what waits is served in the end", || {
                format!("{waiting} at listener {listener}, and worker {server:?} would take them")
            })?;
        }
        self.honest_workers_are_idle()
    }

    fn honest_workers_are_idle(&self) -> Checked {
        for process in self.live.iter().filter_map(|worker| self.worker(*worker)) {
            if let Some(honest) = process.honest().filter(|_| process.runs && !process.hangs) {
                honest.check_idle()?;
                require(!process.has_unanswered_query(), "every query is answered", || {
                    format!("worker {}", process.id)
                })?;
            }
        }
        Ok(())
    }

    /// The faults end: descriptors are there again, and workers that are not honest are replaced. Then the service
    /// recovers, and ends.
    pub(crate) fn recover(&mut self) -> Checked {
        self.tell(|| "THE FAULTS END".to_owned());
        self.binding = Binding::AtOnce;
        self.leave_some_room();
        while !self.forking.is_empty() {
            self.end_fork(true)?;
        }
        let prefers = self.groups.iter().any(|group| group.policy != Policy::RoundRobin);
        for worker in self.live.clone() {
            let Some(process) = self.process(worker) else { continue };
            process.descriptors = usize::MAX;
            process.channel_held = false;
            if prefers {
                // The policy may prefer workers that refuse.
                process.with_honest(|honest, sent| {
                    (0..honest.servers.len()).try_for_each(|server| honest.limit(server, usize::MAX, sent))
                })?;
            }
            if process.hangs || !process.kind.is_honest() {
                process.die(false);
            }
        }
        self.run_dry()?;
        if !self.abandoned {
            self.serve_again()?;
            self.tell(|| "THE USER ENDS THE CLUSTER".to_owned());
            self.apply(Step::Shutdown)?;
        }
        self.run_dry()?;
        // A worker of the test that survives its primary goes on, and one that was told to stay does, too.
        for worker in self.live.clone() {
            self.apply(Step::Crash { worker, channel_held: false })?;
        }
        self.run_dry()?;
        self.now += Duration::from_secs(60);
        self.apply(Step::Tick)?;
        require(self.live.is_empty(), "every worker's end is told", || format!("workers {:?}", self.live))?;
        let over = self.abandoned || self.state.is_over();
        require(over, "a cluster that was ended is over", String::new)?;
        self.tables_are_empty()
    }

    /// A full table stays full, but what else the program does leaves room for a connection.
    fn leave_some_room(&mut self) {
        let least = self.open_sockets() + SPARES + RESERVE + 1;
        if self.descriptors < usize::MAX {
            self.descriptors = self.open_descriptors().max(least);
        }
    }

    /// A new worker for each group, on everything that is open.
    fn serve_again(&mut self) -> Checked {
        self.leave_some_room();
        for group in 0..self.groups.len() {
            for ports in self.ledger.open_ports(group).chunks(self.groups[group].listeners) {
                let worker = self.fork(group, Kind::Busy)?;
                ports.iter().try_for_each(|port| self.ask(worker, *port))?;
            }
        }
        self.run_dry()?;
        for listener in 1..=self.sockets.len() as ListenerId {
            self.apply(Step::Connect { listener, client: 1 })?;
        }
        self.run_dry()?;
        for (listener, socket) in (1..).zip(&self.sockets) {
            let (_, waiting) = self.ledger.waiting_at(listener);
            let left = waiting + socket.backlog.len();
            require(left == 0, "the service recovers when the faults end", || {
                format!("{left} at listener {listener}")
            })?;
        }
        Ok(())
    }

    /// A worker that is not the library's asks to listen.
    pub(super) fn ask(&mut self, worker: WorkerId, port: Port) -> Checked {
        self.of(worker, |process: &mut Process| {
            process.act(|program, sent| {
                if let Program::Stub(stub) = program {
                    stub.query(port, sent);
                }
                Ok(())
            })
        })
    }
}
