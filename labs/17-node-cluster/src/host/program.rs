//! Runs any program in workers, until a signal asks for the end.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forklore::child_process::{Command, Exit, Stdio};
use forklore::cluster::{Event, Primary, Worker};
use kit::{Result, node};
use transcript::{ArrowKind, EndRequests, Transcript};

use crate::options::Options;

/// This many deaths within this time end the program.
const DEATHS: usize = 5;
const WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Host {
    pub(super) t: Transcript,
    pub(super) primary: Primary,
    app: PathBuf,
    pub(super) options: Options,
    /// Every worker that was started.
    pub(super) workers: Vec<Worker>,
    /// The number of workers whose end has not been reported.
    alive: usize,
    /// When workers died, within the last [`WITHIN`].
    deaths: VecDeque<Instant>,
    /// The kernel's own addresses that were printed.
    reported: Vec<SocketAddr>,
}

impl Host {
    pub(super) fn new(t: Transcript, app: PathBuf, options: Options) -> Host {
        t.step(format!("{}: {}, workers: {}", app.display(), options.policy, options.workers));
        let primary = Primary::new(options.cluster());
        let (workers, deaths, reported) = (Vec::new(), VecDeque::new(), Vec::new());
        Host { t, primary, app, options, workers, alive: 0, deaths, reported }
    }

    /// Runs the workers until there is a reason to end.
    pub(super) async fn serve(&mut self, requests: &mut EndRequests) -> Result {
        for _ in 0..self.options.workers.get() {
            self.fork()?;
        }
        while self.t.trouble().is_none() {
            tokio::select! {
                event = self.primary.next_event() => match event {
                    Some(event) => self.handle_event(event)?,
                    None => break,
                },
                signal = requests.next() => {
                    self.t.step(format!("{signal}: no new connections, what has begun is finished"));
                    return Ok(());
                }
            }
            if self.alive == 0 {
                self.t.step("Every worker has ended by itself");
                break;
            }
        }
        Ok(())
    }

    fn fork(&mut self) -> Result {
        // In a session of its own, where the terminal's Ctrl-C does not reach it: it is to end when we say so, not in the middle of an answer.
        let command = command(&self.app)?.args(&self.options.arguments).detached().stdin(Stdio::Ignore);
        let stdout = if self.options.output.json {
            Stdio::Fd(std::io::stderr().as_fd().try_clone_to_owned()?)
        } else {
            Stdio::Inherit
        };
        let worker = self.primary.fork(command.stdout(stdout).stderr(Stdio::Inherit))?;
        self.t.arrow(ArrowKind::Start, &name(&worker), format!("pid {}", worker.pid()));
        self.workers.push(worker);
        self.alive += 1;
        Ok(())
    }

    fn handle_event(&mut self, event: Event) -> Result {
        match event {
            Event::Listening(worker, address) => {
                self.t.say(format!("{} listens on {address}", name(&worker)));
                if self.options.port_report {
                    self.report();
                }
            }
            Event::Silent(worker) => self.t.say(format!("{} takes no connection for too long: SIGKILL", name(&worker))),
            Event::AcceptFailed(_, error) => self.t.say(error),
            Event::Exit(worker, exit) => self.ended(&worker, exit?)?,
            _ => {}
        }
        Ok(())
    }

    /// Replaces a worker that has died. One that left in an orderly way wanted to.
    fn ended(&mut self, worker: &Worker, exit: Exit) -> Result {
        self.alive -= 1;
        tell_exit(&self.t, worker, exit);
        if worker.exited_after_disconnect() {
            return Ok(());
        }
        let now = Instant::now();
        self.deaths.retain(|death| now.duration_since(*death) < WITHIN);
        self.deaths.push_back(now);
        if self.deaths.len() == DEATHS {
            let (app, within) = (self.app.display(), WITHIN.as_secs());
            return Err(format!("{DEATHS} workers of {app} died within {within} s, the last one: {exit}").into());
        }
        self.fork()
    }

    /// The ports that the kernel has, as far as they are new.
    fn report(&mut self) {
        for listener in self.primary.listeners() {
            if let Some(local) = listener.local.filter(|local| !self.reported.contains(local)) {
                self.t.say(format!("asked for {}, the kernel has {local}", listener.address));
                self.reported.push(local);
            }
        }
    }
}

/// What runs the program.
fn command(app: &Path) -> Result<Command> {
    if runs_by_itself(app) {
        // Never looked for in PATH.
        return Ok(Command::new(Path::new(".").join(app)));
    }
    Ok(Command::new(node::program()?).arg(app))
}

/// Whether the kernel can execute it, and it is none of those that node would like to.
fn runs_by_itself(app: &Path) -> bool {
    let script = app.extension().is_some_and(|extension| ["js", "cjs", "mjs"].iter().any(|known| extension == *known));
    !script && app.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

pub(super) fn name(worker: &Worker) -> String {
    format!("worker {}", worker.id())
}

/// Prints how a worker ended.
pub(super) fn tell_exit(t: &Transcript, worker: &Worker, exit: Exit) {
    t.voice(&name(worker)).arrow(ArrowKind::Exit, "primary", exit);
}
