//! The primary, and what is done with it more than once.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;

use forklore::child_process::{Command, Exit, Stdio};
use forklore::cluster::{Event, Primary, Worker};
use transcript::Transcript;

use crate::client::Client;

const CONNECTIONS: usize = 40;

/// The number of connections, or of requests, that each worker had, by its id.
pub(crate) type Counts = BTreeMap<u32, usize>;

pub(crate) struct Cluster {
    pub(crate) t: Transcript,
    pub(crate) primary: Primary,
}

impl Cluster {
    /// Starts a worker and waits until it has said where it listens.
    pub(crate) async fn start(&self, voice: &str) -> Result<Worker, Box<dyn Error>> {
        let command = Command::new(std::env::current_exe()?).arg("worker").stdin(Stdio::Ignore).stdout(Stdio::Ignore);
        let worker = self.primary.fork(self.t.seat(voice, command)?)?;
        loop {
            match self.primary.next_event().await {
                Some(Event::Message(from, _)) if from == worker => return Ok(worker),
                Some(Event::Exit(from, exit)) if from == worker => {
                    return Err(format!("{voice} ended: {exit:?}").into());
                }
                Some(_) => {}
                None => return Err("the cluster has ended".into()),
            }
        }
    }

    /// Waits until its channel and its process have ended. Only then is nothing handed to it any more for sure.
    pub(crate) async fn end_of(&self, worker: &Worker) -> Result<Exit, Box<dyn Error>> {
        loop {
            match self.primary.next_event().await.ok_or("the cluster has ended")? {
                Event::Exit(from, exit) if from == *worker => return Ok(exit?),
                _ => {}
            }
        }
    }

    pub(crate) async fn sequentially(&self, address: SocketAddr) -> Result<Counts, Box<dyn Error>> {
        let mut counts = Counts::new();
        for _ in 0..CONNECTIONS {
            *counts.entry(Client::connect(address).await?.ask().await?).or_default() += 1;
        }
        counts.iter().for_each(|(id, count)| self.t.say(format!("worker {id} answered {count}")));
        Ok(counts)
    }
}
