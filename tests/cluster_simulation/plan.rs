//! Chooses the steps of a run. The choice looks at the cluster, but the list of steps is all that a run is.

use forklore::cluster::state::primary::{ListenerId, WorkerId};

use crate::options::GroupOptions;
use crate::process::Process;
use crate::random::Random;
use crate::step::{Binding, Kind, Lie, Port, Step};
use crate::world::World;

/// At most as many workers live at a time.
const MOST_WORKERS: usize = 6;

/// How a run goes for a while: how often out of 1,000 each kind of step is chosen; the rest moves messages.
#[derive(Debug, Clone, Copy)]
struct Phase {
    steps: u64,
    clients: u64,
    users: u64,
    faults: u64,
    lies: u64,
    primary: u64,
    time: u64,
    descriptors: u64,
    /// Liars ask for this port again and again and read nothing.
    floods: Option<u16>,
}

/// Draws a run from a seed.
#[derive(Debug)]
pub(crate) struct Plan {
    random: Random,
    phase: Phase,
    kinds: Vec<Kind>,
}

impl Plan {
    /// Begins a run. Returns the groups that its primary has, too.
    pub(crate) fn new(seed: u64) -> (Plan, Vec<GroupOptions>) {
        let mut random = Random::new(seed);
        let groups = (0..1 + random.below(2)).map(|_| GroupOptions::random(&mut random)).collect();
        let all =
            [Kind::Rust, Kind::Rust, Kind::Survivor, Kind::Node, Kind::Busy, Kind::Refuser, Kind::Liar, Kind::Liar];
        let kinds = match random.below(5) {
            4 => vec![Kind::Rust, Kind::Node, Kind::Liar, Kind::Liar],
            0 => vec![Kind::Rust, Kind::Survivor],
            1 => vec![Kind::Rust, Kind::Node],
            _ => all.to_vec(),
        };
        let phase = Phase::draw(&mut random);
        (Plan { random, phase, kinds }, groups)
    }

    /// Chooses the next step.
    pub(crate) fn next(&mut self, world: &World) -> Step {
        if self.phase.steps == 0 {
            self.phase = Phase::draw(&mut self.random);
            if self.random.chance(30) {
                return Step::Settle;
            }
        }
        self.phase.steps -= 1;
        let Phase { clients, users, faults, lies, primary, time, descriptors, .. } = self.phase;
        let kinds = [clients, users, faults, lies, primary, time, descriptors];
        let mut number = self.random.below(1000);
        let chosen = kinds.iter().position(|share| {
            let is_it = number < *share;
            number = number.saturating_sub(*share);
            is_it
        });
        match chosen {
            Some(0) => self.client(world),
            Some(1) => self.user(world),
            Some(2) => self.fault(world),
            Some(3) => self.lie(world),
            Some(4) => self.primary(world),
            Some(5) => self.time(world),
            Some(_) => self.descriptors(world),
            None => self.motion(world),
        }
    }

    fn worker(&mut self, world: &World) -> WorkerId {
        if world.live.is_empty() { 0 } else { self.random.pick(&world.live) }
    }

    fn worker_that(&mut self, world: &World, is_it: impl Fn(&Process) -> bool) -> WorkerId {
        let fits = |worker: &&WorkerId| world.worker(**worker).is_some_and(&is_it);
        let fitting = world.live.iter().filter(fits).count() as u64;
        if fitting == 0 {
            return 0;
        }
        let place = self.random.below(fitting) as usize;
        world.live.iter().filter(fits).nth(place).copied().unwrap_or_default()
    }

    fn listener(&mut self, world: &World) -> ListenerId {
        let open = (1..).zip(&world.sockets).filter(|(_, socket)| socket.is_open && socket.accepts);
        let open: Vec<ListenerId> = open.map(|(listener, _)| listener).collect();
        if open.is_empty() { 0 } else { self.random.pick(&open) }
    }

    fn port(&mut self) -> u16 {
        self.random.pick(&[80, 80, 80, 81, 81, 82, 200])
    }

    fn client(&mut self, world: &World) -> Step {
        let listener = self.listener(world);
        if self.random.chance(3) {
            let connection = self.random.below(world.accepted() + 1);
            return Step::ClientBreaks { connection };
        }
        if self.random.chance(15) {
            let worker = self.worker_that(world, |process| process.kind.is_rust());
            return Step::ConnectAlone { worker, server: self.random.below(3) as usize };
        }
        Step::Connect { listener, client: self.random.below(9) as u8 }
    }

    fn user(&mut self, world: &World) -> Step {
        let worker = self.worker_that(world, |process| process.runs && process.kind.is_rust());
        let server = world.worker(worker).and_then(Process::honest).map_or(0, |honest| honest.servers.len());
        let server = self.random.below(server as u64 + 1) as usize;
        match self.random.below(100) {
            0..20 => {
                let worker = self.worker_that(world, |process| process.runs && process.kind != Kind::Liar);
                Step::Listen { worker, port: self.port(), cancelled: self.random.chance(5) }
            }
            20..24 => Step::ListenAlone { worker },
            24..50 => Step::Take { worker, server },
            50..75 => Step::CloseConnection { worker, server },
            75..80 => Step::CloseServer { worker, server },
            80..85 => Step::LimitConnections { worker, server, limit: self.random.pick(&[0, 1, 1, 2, usize::MAX]) },
            85..93 => Step::Report { worker },
            93..96 => Step::Leave { worker },
            96..98 => Step::KillItself { worker },
            98 => Step::DropEverything { worker },
            _ => Step::CloseChannel { worker },
        }
    }

    fn fault(&mut self, world: &World) -> Step {
        let worker = self.worker_that(world, |process| process.runs);
        match self.random.below(10) {
            0..4 => Step::Crash { worker, channel_held: self.random.chance(20) },
            4..7 => Step::Hang { worker, hangs: true },
            7..9 => Step::Hang { worker: self.worker_that(world, |process| process.hangs), hangs: false },
            _ => Step::Binding(self.random.pick(&[Binding::AtOnce, Binding::AtOnce, Binding::Later, Binding::Fails])),
        }
    }

    fn lie(&mut self, world: &World) -> Step {
        let worker = self.worker_that(world, |process| process.runs && process.kind == Kind::Liar);
        let port = match self.random.chance(70) {
            true => Port(self.port(), self.random.pick(&[0, 0, 0, 1])),
            false => Port(self.random.pick(&[83, 84, 200, 201, 303, 304, 304, 304]), 0),
        };
        let received = world.worker(worker).and_then(Process::stub).map_or(&[][..], |stub| &stub.received);
        let unread = world.worker(worker).and_then(Process::unread_connection);
        let ack = match (received, unread) {
            // It answers for what it has not got.
            (_, Some(seq)) if self.random.chance(40) => seq,
            ([], _) => self.random.below(30),
            _ if self.random.chance(20) => self.random.below(60),
            (received, _) => self.random.pick(received),
        };
        let accepted = self.random.chance(50);
        if let Some(port) = self.phase.floods.filter(|_| self.random.chance(30)) {
            let flood = Lie::Flood { port: Port(port, 0), count: self.random.pick(&[3, 20, 40]) };
            return Step::Lie { worker, lie: if self.random.chance(5) { Lie::Garbage } else { flood } };
        }
        let lie = match self.random.below(100) {
            0..50 => Lie::Answer { ack, accepted },
            50..80 => Lie::Query { port, numbered: !self.random.chance(5) },
            80..88 => Lie::Close { port },
            88..92 => Lie::Closed { port, count: self.random.pick(&[0, 1, 3, u64::MAX]) },
            92 => Lie::Listening { port },
            93..95 => Lie::Online,
            95..97 => Lie::Leaves { numbered: self.random.chance(70) },
            _ => Lie::Garbage,
        };
        Step::Lie { worker, lie }
    }

    fn primary(&mut self, world: &World) -> Step {
        let worker = self.worker(world);
        match self.random.below(200) {
            0..100 if world.live.len() < MOST_WORKERS => {
                Step::Fork { group: self.random.below(2) as usize, kind: self.random.pick(&self.kinds) }
            }
            100..150 => Step::Disconnect { worker },
            150..190 => Step::SetWeight { worker, weight: self.random.pick(&[1, 2, 7, u32::MAX]) },
            190..192 => Step::ForkBegins { group: self.random.below(2) as usize, kind: self.random.pick(&self.kinds) },
            192..195 => Step::ForkEnds { fails: self.random.chance(50) },
            195..198 => Step::Shutdown,
            198 => match self.random.chance(50) {
                true => Step::Abandon,
                false => Step::CloseListener { listener: self.listener(world) },
            },
            _ => Step::Tick,
        }
    }

    fn time(&mut self, world: &World) -> Step {
        let stands_still = |process: &Process| process.is_paused || process.stall_told;
        let is_stalled = world.live.iter().any(|worker| world.worker(*worker).is_some_and(stands_still));
        match self.random.below(10) {
            0 if is_stalled => Step::Advance { milliseconds: self.random.pick(&[1_000, 29_000, 31_000]) },
            0..6 => Step::Tick,
            6..9 => Step::Advance { milliseconds: self.random.below(8) },
            _ if self.random.chance(8) => Step::Advance { milliseconds: 31_000 },
            _ => Step::Advance { milliseconds: self.random.pick(&[11, 30, 50, 200]) },
        }
    }

    fn descriptors(&mut self, world: &World) -> Step {
        if self.random.chance(50) {
            return Step::PrimaryDescriptors { limit: self.random.pick(&[4, 7, 14, usize::MAX]) };
        }
        Step::WorkerDescriptors { worker: self.worker(world), limit: self.random.pick(&[0, 1, 4, usize::MAX]) }
    }

    fn motion(&mut self, world: &World) -> Step {
        match self.random.below(100) {
            0..20 => Step::Accept { listener: self.listener(world) },
            20..44 => {
                let floods = self.phase.floods.is_some();
                let reads = |process: &Process| process.can_read() && !(floods && process.kind == Kind::Liar);
                Step::WorkerReads { worker: self.worker_that(world, reads) }
            }
            44..72 => {
                let any = self.phase.floods.is_none() || self.random.chance(40);
                let says = |process: &Process| process.next_up(false).is_some() && (any || process.kind == Kind::Liar);
                Step::PrimaryReads { worker: self.worker_that(world, says) }
            }
            72..75 => Step::Acknowledged { worker: self.worker_that(world, |process| !process.up.is_empty()) },
            75 => {
                let changes = |process: &Process| process.is_stalled() != process.stall_told;
                Step::StallChanged { worker: self.worker_that(world, changes) }
            }
            76..88 => {
                let is_taking = |process: &Process| process.honest().is_some_and(|honest| honest.taking.is_some());
                Step::Taken { worker: self.worker_that(world, is_taking), usable: !self.random.chance(10) }
            }
            88..91 => Step::ChannelBreaks {
                worker: self.worker_that(world, Process::can_break),
                lost_first: self.random.chance(50),
            },
            91..94 => Step::Exited { worker: self.worker_that(world, |process| !process.runs && !process.exit_told) },
            94..97 => Step::MessagesDelivered {
                worker: self.worker_that(world, |process| process.is_broken && !process.messages_told),
            },
            97 => {
                let closes = |process: &Process| process.honest().is_some_and(|honest| honest.close_due);
                Step::CloseChannel { worker: self.worker_that(world, closes) }
            }
            _ => match (1..).zip(&world.sockets).find(|(_, socket)| socket.is_opening) {
                Some((listener, _)) => Step::Bound { listener, opened: self.random.chance(80) },
                None => Step::Tick,
            },
        }
    }
}

impl Phase {
    fn draw(random: &mut Random) -> Phase {
        let with_faults = random.chance(60);
        let mut fault = |share: u64| if with_faults && random.chance(50) { random.below(share) } else { 0 };
        let (faults, lies, descriptors) = (fault(20), fault(150), fault(20));
        let floods = (with_faults && random.chance(25)).then(|| random.pick(&[80, 200]));
        let lies = if floods.is_some() { 60 + random.below(120) } else { lies };
        Phase {
            steps: 40 + random.below(300),
            clients: random.below(150),
            users: 60 + random.below(200),
            faults,
            lies,
            primary: 5 + random.below(40),
            time: 10 + random.below(100),
            descriptors,
            floods,
        }
    }
}
