//! A primary, its four workers, and how many connections each of them gets.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use forklore::cluster::schedule::Policy;
use forklore::cluster::{Options, Primary, Worker};
use kit::http::{self, Client};
use kit::{clients, workers};
use tokio::task::JoinSet;
use transcript::Transcript;

use crate::worker::ONE_SLOW;

const CONNECTIONS: u8 = 100;
const CLIENTS: u8 = 8;
const STAYING: u8 = 40;
/// Clients come from 127.0.0.1 to 127.0.0.20: all of 127.0.0.0/8 is this machine.
pub(crate) const ADDRESSES: u8 = 20;
const WORKERS: usize = 4;

/// The last part of a client's address, and the number of the worker that answered it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) address: u8,
    pub(crate) worker: usize,
}

pub(crate) struct Cluster {
    t: Transcript,
    policy: Policy,
    primary: Primary,
    workers: Vec<Worker>,
    address: SocketAddr,
}

impl Cluster {
    /// A primary with this policy, and workers with these weights, numbered from 1.
    pub(crate) async fn start(t: &Transcript, policy: Policy, weights: &[u32]) -> kit::Result<Self> {
        let primary = Primary::new(Options::default().policy(policy));
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let mut cluster = Cluster { t: t.clone(), policy, primary, workers: Vec::new(), address };
        for weight in weights {
            // One after the other: of two with equal claims the one that came first is first.
            cluster.add(*weight).await?;
        }
        Ok(cluster)
    }

    async fn add(&mut self, weight: u32) -> kit::Result {
        let worker = workers::start(&self.t, &self.primary, &format!("worker {}", self.workers.len() + 1)).await?;
        worker.set_weight(weight);
        self.workers.push(worker);
        self.address = self.primary.listeners().first().and_then(|at| at.local).ok_or("no worker listens")?;
        Ok(())
    }

    /// One connection after the other, all from 127.0.0.1. Returns how many each worker answered.
    pub(crate) async fn in_turn(&self) -> kit::Result<[usize; WORKERS]> {
        self.t.say("one after the other:");
        let answers = clients::in_turn(&self.primary, self.address, CONNECTIONS.into()).await?;
        let answers = answers.iter().map(|answer| Ok(Answer { address: 1, worker: answer.parse()? }));
        let answers = answers.collect::<kit::Result<Vec<_>>>()?;
        // What is closed is reported a little later. So least connections may leave a worker out that is free already.
        Ok(self.show(if self.policy == Policy::LeastConnections { "took" } else { "gets" }, &answers))
    }

    /// Like [`in_turn`](Cluster::in_turn), while other clients keep their connections to worker 1, which was the only one. They are more
    /// than any other worker is given.
    pub(crate) async fn in_turn_while_forty_stay(&mut self) -> kit::Result<[usize; WORKERS]> {
        let mut staying = Vec::new();
        for _ in 0..STAYING {
            let mut client = Client::connect(self.address).await?;
            client.get("/").await?;
            staying.push(client);
        }
        for _ in 1..WORKERS {
            self.add(1).await?;
        }
        self.t.say(format!("{STAYING} clients stay connected to worker 1, then the others start"));
        self.in_turn().await
    }

    /// Eight clients at a time, each of which connects again when it has its answer. Addresses take turns.
    pub(crate) async fn at_a_time(&self, path: &'static str) -> kit::Result<Vec<Answer>> {
        let how = if path == ONE_SLOW { "worker 1 answers 20 ms later" } else { "equal workers" };
        self.t.say(format!("{CLIENTS} clients at a time, {how}:"));
        let begun = Instant::now();
        // ANCHOR: ask
        let next = Arc::new(AtomicU8::new(0));
        let client = async |next: Arc<AtomicU8>, server: SocketAddr| {
            let mut answers = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= CONNECTIONS {
                    return answers;
                }
                let address = 1 + number % ADDRESSES;
                let answer = http::get_from(Ipv4Addr::new(127, 0, 0, address).into(), server, path).await;
                // A connection that fails is one that was not answered.
                answers.extend(answer.ok().and_then(|worker| Some(Answer { address, worker: worker.parse().ok()? })));
            }
        };
        let clients: JoinSet<_> = (0..CLIENTS).map(|_| client(next.clone(), self.address)).collect();
        let answers = clients.join_all().await.concat();
        // ANCHOR_END: ask
        let took = begun.elapsed().as_millis();
        // With sticky the quickest worker does not get more.
        self.show(if self.policy == Policy::Sticky { "gets" } else { "took" }, &answers);
        self.t.say(format!("all in {took} ms"));
        Ok(answers)
    }

    /// Prints how many connections each worker answered, and returns that.
    fn show(&self, verb: &str, answers: &[Answer]) -> [usize; WORKERS] {
        let counts = [1, 2, 3, 4].map(|number| answers.iter().filter(|answer| answer.worker == number).count());
        for (number, count) in (1..).zip(counts) {
            let bar = "█".repeat(count.div_ceil(2));
            self.t.say(format!("worker {number} {verb} {count:>3} {bar}").trim_end());
        }
        counts
    }

    pub(crate) async fn end(self) {
        self.primary.disconnect().await;
    }
}

/// Returns how many that is of all.
pub(crate) fn of_all(count: usize) -> String {
    format!("{count} of {CONNECTIONS}")
}
