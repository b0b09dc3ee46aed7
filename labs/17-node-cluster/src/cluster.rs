//! The workers of app.js, and which of them answers.

use std::net::{Ipv4Addr, SocketAddr};

use forklore::child_process::{Command, Exit, Stdio};
use forklore::cluster::{Options, Primary, Worker};
use kit::{Result, clients, http, node, workers};
use transcript::Transcript;

pub(crate) struct Cluster {
    primary: Primary,
    t: Transcript,
    pub(crate) workers: Vec<Worker>,
    /// Where all of them listen.
    pub(crate) server: SocketAddr,
}

impl Cluster {
    pub(crate) fn new(t: &Transcript) -> Cluster {
        let server = (Ipv4Addr::LOCALHOST, 0).into();
        Cluster { primary: Primary::new(Options::default()), t: t.clone(), workers: Vec::new(), server }
    }

    // ANCHOR: start
    /// Starts a worker and waits until it listens.
    pub(crate) async fn start(&mut self) -> Result {
        let app = concat!(env!("CARGO_MANIFEST_DIR"), "/node/app.js");
        let command = Command::new(node::program()?).arg(app).env("PORT", "0");
        let command = command.stdin(Stdio::Ignore).stdout(Stdio::Ignore).stderr(Stdio::Inherit);
        let worker = self.primary.fork(command)?;
        let port = workers::listening(&self.primary, &worker).await?.port;
        self.server.set_port(port);
        self.t.say(format!("worker {}, pid {}: app.js listens on port {port}", worker.id(), worker.pid()));
        self.workers.push(worker);
        Ok(())
    }
    // ANCHOR_END: start

    /// Returns the worker whose answer this is: its pid.
    pub(crate) fn answered_by(&self, answer: &str) -> Result<&Worker> {
        let found = self.workers.iter().find(|worker| worker.pid().to_string() == answer.trim());
        found.ok_or_else(|| format!("process {answer:?} answers, and is not a worker").into())
    }

    /// Returns how many of forty connections, one after the other, each worker gets, in the order of their numbers.
    pub(crate) async fn forty(&self) -> Result<String> {
        let answers = clients::in_turn(&self.primary, self.server, 40).await?;
        let ids = answers.iter().map(|answer| Ok(self.answered_by(answer)?.id()));
        let counts = clients::count(ids.collect::<Result<Vec<u32>>>()?);
        counts.iter().for_each(|(id, count)| self.t.say(format!("worker {id} answered {count}")));
        Ok(clients::shares(&counts))
    }

    /// Connects, one time after the other, until each living worker has answered so many times. Returns how many connections that took.
    pub(crate) async fn until_each_has_answered(&self, times: usize) -> Result<usize> {
        let mut answers: Vec<u32> = Vec::new();
        let answered = |answers: &[u32], pid| answers.iter().filter(|answer| **answer == pid).count();
        while self.workers.iter().any(|worker| !worker.is_dead() && answered(&answers, worker.pid()) < times) {
            answers.push(http::get(self.server, "/").await?.trim().parse()?);
        }
        Ok(answers.len())
    }

    pub(crate) async fn exit_of(&self, worker: &Worker) -> Result<Exit> {
        workers::exit(&self.primary, worker).await
    }

    pub(crate) async fn disconnect(&self) {
        self.primary.disconnect().await;
    }
}
