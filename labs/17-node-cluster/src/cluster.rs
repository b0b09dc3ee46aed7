//! The workers of app.js, and which of them answers.

use std::collections::BTreeMap;
use std::error::Error;

use forklore::child_process::{Command, Exit, Stdio};
use forklore::cluster::{Event, Options, Primary, Worker};
use transcript::Transcript;

use crate::client;
use crate::node::without_node;

const CONNECTIONS: usize = 40;

pub(crate) struct Cluster {
    primary: Primary,
    t: Transcript,
    workers: Vec<Worker>,
    /// Where all of them listen.
    pub(crate) port: u16,
}

impl Cluster {
    pub(crate) fn new(t: &Transcript) -> Cluster {
        Cluster { primary: Primary::new(Options::default()), t: t.clone(), workers: Vec::new(), port: 0 }
    }

    // ANCHOR: start
    /// Starts a worker and waits until it listens.
    pub(crate) async fn start(&mut self) -> Result<(), Box<dyn Error>> {
        let app = concat!(env!("CARGO_MANIFEST_DIR"), "/node/app.js");
        let command = Command::new("node").arg(app).env("PORT", "0");
        let command = command.stdin(Stdio::Ignore).stdout(Stdio::Ignore).stderr(Stdio::Inherit);
        let worker = self.primary.fork(command).map_err(without_node)?;
        self.port = loop {
            match self.next().await? {
                Event::Listening(_, address) => break address.port,
                Event::Exit(worker, exit) => {
                    return Err(format!("worker {} ended before it listened: {}", worker.id(), exit?).into());
                }
                _ => {}
            }
        };
        let (id, pid) = (worker.id(), worker.pid());
        self.t.say(format!("worker {id}, pid {pid}: app.js listens on port {}", self.port));
        self.workers.push(worker);
        Ok(())
    }
    // ANCHOR_END: start

    pub(crate) fn size(&self) -> usize {
        self.workers.len()
    }

    /// The worker with this pid.
    pub(crate) fn worker(&self, pid: u32) -> Result<Worker, Box<dyn Error>> {
        let found = self.workers.iter().find(|worker| worker.pid() == pid);
        found.cloned().ok_or_else(|| format!("process {pid} answers, and is no worker").into())
    }

    /// How many of forty connections, one after the other, each worker gets, in the order of their numbers.
    pub(crate) async fn split(&self) -> Result<String, Box<dyn Error>> {
        let mut counts = BTreeMap::new();
        for _ in 0..CONNECTIONS {
            let worker = self.worker(client::who(self.port).await?)?;
            *counts.entry(worker.id()).or_insert(0) += 1;
        }
        for (id, count) in &counts {
            self.t.say(format!("worker {id} answered {count}"));
        }
        let counts: Vec<String> = counts.values().map(i32::to_string).collect();
        Ok(counts.join(" "))
    }

    /// Waits for a worker's end.
    pub(crate) async fn end_of(&self, worker: &Worker) -> Result<Exit, Box<dyn Error>> {
        loop {
            if let Event::Exit(ended, exit) = self.next().await?
                && ended == *worker
            {
                return Ok(exit?);
            }
        }
    }

    pub(crate) async fn disconnect(&self) {
        self.primary.disconnect().await;
    }

    async fn next(&self) -> Result<Event, Box<dyn Error>> {
        self.primary.next_event().await.ok_or_else(|| "no worker is left".into())
    }
}
