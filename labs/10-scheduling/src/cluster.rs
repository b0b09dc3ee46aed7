//! A primary, its four workers, and how many connections each of them gets.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use forklore::child_process::{Command, Stdio};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{Event, Options, Primary, Worker};
use tokio::task::JoinSet;
use transcript::Transcript;

use crate::client::{self, Ask};

pub(crate) const CONNECTIONS: u8 = 100;
const CLIENTS: u8 = 8;
pub(crate) const ADDRESSES: u8 = 20;
const WORKERS: usize = 4;

/// Who asked, by the last part of the address, and the number of the worker that answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) address: u8,
    pub(crate) worker: u32,
}

pub(crate) struct Cluster {
    t: Transcript,
    policy: Policy,
    primary: Primary,
    workers: Vec<Worker>,
    address: SocketAddr,
}

impl Cluster {
    /// A primary with this policy. Its workers are numbered from 1.
    pub(crate) async fn start(t: &Transcript, policy: Policy, weights: [u32; WORKERS]) -> Result<Self, Box<dyn Error>> {
        let primary = Primary::new(Options::default().policy(policy));
        let mut workers = Vec::new();
        for (number, weight) in (1..).zip(weights) {
            let command = Command::new(std::env::current_exe()?).arg("worker");
            let command = command.stdin(Stdio::Ignore).stdout(Stdio::Ignore);
            let worker = primary.fork(t.seat(&format!("worker {number}"), command)?)?;
            worker.set_weight(weight);
            workers.push(worker);
            // One after the other: of two with equal claims the one that came first is first.
            while !matches!(primary.next_event().await.ok_or("the cluster has ended")?, Event::Listening(..)) {
                if let Some(ended) = workers.iter().find(|worker| worker.is_dead()) {
                    return Err(format!("worker {} ended before it listened", ended.id()).into());
                }
            }
        }
        let address = primary.listeners().first().and_then(|listener| listener.local).ok_or("nobody listens")?;
        Ok(Cluster { t: t.clone(), policy, primary, workers, address })
    }

    /// One connection after the other: the outcome is the same each time.
    pub(crate) async fn in_turn(&self) -> Result<[usize; WORKERS], Box<dyn Error>> {
        self.t.say("one after the other:");
        let mut answers = Vec::new();
        for _ in 0..CONNECTIONS {
            let worker = client::ask(1, self.address, Ask::Equal).await?;
            answers.push(Answer { address: 1, worker });
            // What a worker says of a connection need not be read yet when the client has its answer.
            while self.workers.iter().any(|worker| worker.unanswered() > 0) {
                tokio::task::yield_now().await;
            }
        }
        let counts = counts(&answers);
        self.show("gets", counts);
        Ok(counts)
    }

    /// Eight clients at a time, each of which connects again when it has its answer. Addresses take turns.
    pub(crate) async fn at_a_time(&self, ask: Ask) -> Result<Vec<Answer>, Box<dyn Error>> {
        let how = if ask == Ask::Equal { "equal workers" } else { "worker 1 answers 20 ms later" };
        self.t.say(format!("{CLIENTS} clients at a time, {how}:"));
        let next = Arc::new(AtomicU8::new(0));
        let begun = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (next, server) = (next.clone(), self.address);
            clients.spawn(async move {
                let mut answers = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CONNECTIONS {
                        return answers;
                    }
                    let address = 1 + number % ADDRESSES;
                    if let Ok(worker) = client::ask(address, server, ask).await {
                        answers.push(Answer { address, worker });
                    }
                }
            });
        }
        let answers: Vec<Answer> = clients.join_all().await.concat();
        let took = begun.elapsed().as_millis();
        // With sticky the quickest worker does not get more.
        let verb = if self.policy == Policy::Sticky { "gets" } else { "took" };
        self.show(verb, counts(&answers));
        self.t.say(format!("all in {took} ms"));
        Ok(answers)
    }

    fn show(&self, verb: &str, counts: [usize; WORKERS]) {
        for (number, count) in (1..).zip(counts) {
            let bar = "█".repeat(count.div_ceil(2));
            self.t.say(format!("worker {number} {verb} {count:>3} {bar}").trim_end());
        }
    }

    pub(crate) async fn end(self) {
        self.primary.disconnect().await;
    }
}

/// How many connections each worker answered.
fn counts(answers: &[Answer]) -> [usize; WORKERS] {
    std::array::from_fn(|index| answers.iter().filter(|answer| answer.worker as usize == index + 1).count())
}
