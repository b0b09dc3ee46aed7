//! What each step does.

use std::time::Duration;

use forklore::cluster::state::primary::{Input, WorkerId};
use forklore::cluster::state::worker;

use super::World;
use crate::broken::{Broken, Checked};
use crate::process::{Honest, Process, Sent};
use crate::step::{Kind, Port, Step};

impl World {
    pub(super) fn carry_out(&mut self, step: Step) -> Checked {
        match step {
            Step::Fork { group, kind } => self.fork(group, kind).map(drop),
            Step::ForkBegins { group, kind } => {
                self.begin_fork(group, kind);
                Ok(())
            }
            Step::ForkEnds { fails } => self.end_fork(fails),
            Step::Crash { worker, channel_held } => self.of(worker, |process| {
                process.die(channel_held);
                Ok(())
            }),
            Step::Hang { worker, hangs } => self.of(worker, |process| {
                process.hangs = hangs;
                Ok(())
            }),
            Step::WorkerReads { worker } => self.of(worker, Process::read),
            Step::PrimaryReads { worker } => self.hear(worker, false),
            Step::Acknowledged { worker } => self.hear(worker, true),
            Step::ChannelBreaks { worker, lost_first } => self.of(worker, |process| {
                process.break_channel(lost_first);
                Ok(())
            }),
            Step::Exited { worker } => {
                let Some(process) = self.process(worker) else { return Ok(()) };
                if process.runs || std::mem::replace(&mut process.exit_told, true) {
                    return Ok(());
                }
                if self.ledger.is_forgotten(worker) {
                    self.live.retain(|live| *live != worker);
                }
                self.on(Input::Exited { worker })
            }
            Step::MessagesDelivered { worker } => {
                let Some(process) = self.process(worker) else { return Ok(()) };
                if !process.is_broken || std::mem::replace(&mut process.messages_told, true) {
                    return Ok(());
                }
                self.on(Input::MessagesDelivered { worker })
            }
            Step::Connect { listener, client } => {
                let socket = self.socket_mut(listener).filter(|socket| socket.is_open && socket.accepts);
                socket.into_iter().for_each(|socket| socket.backlog.push_back(client));
                Ok(())
            }
            Step::Accept { listener } => self.accept(listener),
            Step::Binding(binding) => {
                self.binding = binding;
                Ok(())
            }
            Step::ClientBreaks { connection } => {
                if self.ledger.waits(connection) {
                    self.broken.push(connection);
                }
                Ok(())
            }
            Step::StallChanged { worker } => {
                let Some(process) = self.process(worker) else { return Ok(()) };
                let stalled = process.is_stalled();
                match std::mem::replace(&mut process.stall_told, stalled) != stalled && !process.is_broken {
                    true => self.on(Input::ChannelStalled { worker, stalled }),
                    false => Ok(()),
                }
            }
            Step::CloseListener { listener } => {
                let is_open = self.socket(listener).is_some_and(|socket| socket.is_open);
                if is_open { self.on(Input::CloseListener { listener }) } else { Ok(()) }
            }
            Step::Bound { listener, opened } => self.bound(listener, opened),
            Step::PrimaryDescriptors { limit } => {
                self.descriptors = limit;
                Ok(())
            }
            Step::WorkerDescriptors { worker, limit } => self.of(worker, |process| {
                process.descriptors = limit;
                Ok(())
            }),
            Step::Advance { milliseconds } => {
                self.now += Duration::from_millis(milliseconds);
                Ok(())
            }
            Step::Tick => match self.ledger.wake_at() {
                Some(time) if time <= self.now => self.on(Input::Tick),
                _ => Ok(()),
            },
            Step::Disconnect { worker } if !self.abandoned => self.on(Input::Disconnect { worker }),
            Step::SetWeight { worker, weight } if !self.abandoned => self.on(Input::SetWeight { worker, weight }),
            Step::Shutdown if !self.abandoned => self.on(Input::Shutdown),
            Step::Abandon => {
                if std::mem::replace(&mut self.abandoned, true) {
                    return Ok(());
                }
                self.on(Input::Abandoned)
            }
            Step::Disconnect { .. } | Step::SetWeight { .. } | Step::Shutdown => Ok(()),
            Step::Settle => {
                self.run_dry()?;
                self.check_rest()
            }
            Step::Lie { worker, lie } => self.of(worker, |process| process.lie(lie)),
            Step::Taken { worker, usable } => self.of(worker, |process| process.taken(usable)),
            Step::CloseChannel { worker } => self.of(worker, Process::close_channel),
            Step::Listen { worker, port, cancelled } => self.listen(worker, port, cancelled),
            Step::ConnectAlone { worker, server } => self.user(worker, |honest, _| {
                honest.connect(server);
                Ok(())
            }),
            Step::ListenAlone { worker } => self.user(worker, Honest::listen_alone),
            Step::Take { worker, server } => self.user(worker, |honest, sent| honest.take(server, sent)),
            Step::CloseConnection { worker, server } => {
                self.user(worker, |honest, sent| honest.close_connection(server, sent).map(drop))
            }
            Step::CloseServer { worker, server } => self.user(worker, |honest, sent| honest.close_server(server, sent)),
            Step::LimitConnections { worker, server, limit } => {
                self.user(worker, |honest, sent| honest.limit(server, limit, sent))
            }
            Step::Report { worker } => self.user(worker, |honest, sent| match std::mem::take(&mut honest.report_due) {
                true => honest.on(worker::Input::Report, sent),
                false => Ok(()),
            }),
            Step::Leave { worker } => self.user(worker, |honest, sent| honest.on(worker::Input::Leave, sent)),
            Step::KillItself { worker } => self.user(worker, |honest, sent| honest.on(worker::Input::Kill, sent)),
            Step::DropEverything { worker } => {
                self.user(worker, |honest, sent| honest.on(worker::Input::Abandoned, sent))
            }
        }
    }

    /// Starts a worker. Returns its number.
    pub(super) fn fork(&mut self, group: usize, kind: Kind) -> Result<WorkerId, Broken> {
        while !self.forking.is_empty() {
            self.end_fork(false)?;
        }
        self.begin_fork(group, kind);
        self.end_fork(false)?;
        Ok(self.workers.len() as WorkerId)
    }

    fn begin_fork(&mut self, group: usize, kind: Kind) {
        if !self.abandoned {
            self.forking.push_back((self.state.next_worker(), group % self.groups.len(), kind));
            self.workers.push(None);
            self.spares = 0;
        }
    }

    pub(super) fn end_fork(&mut self, fails: bool) -> Checked {
        let Some((worker, group, kind)) = self.forking.pop_front() else { return Ok(()) };
        // The handle that forks keeps the primary.
        if self.abandoned {
            return Ok(());
        }
        if fails {
            return self.keep_spares();
        }
        let mut process = Process::new(worker, kind);
        let started = process.start();
        self.workers[worker as usize - 1] = Some(process);
        self.live.push(worker);
        self.keep_spares()?;
        self.on(Input::Forked { worker, group })?;
        started
    }

    fn listen(&mut self, worker: WorkerId, port: u16, cancelled: bool) -> Checked {
        match self.worker(worker) {
            Some(process) if process.kind.is_rust() => {
                self.user(worker, |honest, sent| honest.listen(port, cancelled, sent))
            }
            _ => self.ask(worker, Port(port, 0)),
        }
    }

    /// A worker's process does something.
    pub(super) fn of(&mut self, worker: WorkerId, act: impl FnOnce(&mut Process) -> Checked) -> Checked {
        if let Some(process) = self.process(worker) {
            act(process)?;
        }
        self.note_use(worker)
    }

    /// A user of the library in a worker does something.
    fn user(&mut self, worker: WorkerId, act: impl FnOnce(&mut Honest, &mut Sent) -> Checked) -> Checked {
        self.of(worker, |process| process.with_honest(act))
    }
}
