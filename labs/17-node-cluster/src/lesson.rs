//! The lesson: shared out in turn, one busy for ever, killed, replaced.

use std::error::Error;
use std::io;
use std::time::Duration;

use forklore::child_process::Signal;
use forklore::cluster::Worker;
use tokio::task::JoinSet;
use tokio::time::timeout;
use transcript::{ArrowKind, Transcript};

use crate::client::{Answer, who};
use crate::cluster::Cluster;

const WORKERS: usize = 4;
const AT_ONCE: usize = 20;

/// When an answer counts as lost; those that come take milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn lesson(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("Four workers of app.js, unchanged, under a primary in Rust");
    let mut cluster = Cluster::new(&t);
    for _ in 0..WORKERS {
        cluster.start().await?;
    }
    let workers = cluster.size();

    t.step("Forty connections, one after the other");
    let first = cluster.split().await?;

    t.step("A worker is busy for ever, and killed under load");
    let ended_by = kill_busy(&t, &cluster).await?;

    t.step("Replaced, and forty connections again");
    cluster.start().await?;
    let second = cluster.split().await?;
    t.say("primary.disconnect()");
    cluster.disconnect().await;

    t.fact("workers", workers);
    t.fact("connections", first);
    t.fact("ended by", ended_by);
    t.fact("connections after its replacement", second);
    Ok(())
}

/// Gives what ended the worker.
async fn kill_busy(t: &Transcript, cluster: &Cluster) -> Result<String, Box<dyn Error>> {
    let mut spin = Answer::to(cluster.port, "/spin").await?;
    let busy = cluster.worker(spin.pid().await?)?;
    let name = format!("worker {}", busy.id());
    t.say(format!("GET /spin: {name} says who it is, and is busy for ever"));

    // ANCHOR: kill
    let mut flood = Flood::new(cluster.port);
    flood.until_all_wait_for(&busy).await?;
    t.say(format!("{AT_ONCE} connections at once: the others have answered {}", flood.answered));
    t.say(format!("the rest wait with {name}, which holds {} and reads nothing", busy.unanswered()));
    t.arrow(ArrowKind::Signal, &name, "SIGKILL");
    busy.kill(Signal::SIGKILL)?;
    let exit = cluster.end_of(&busy).await?;
    // ANCHOR_END: kill
    t.voice(&name).arrow(ArrowKind::Exit, "primary", format!("code null, signal {exit}"));
    let complete = spin.ends_well().await.unwrap_or(false);
    let cut = if complete { "complete" } else { "cut off, that answer cannot be saved" };
    t.say(format!("the client of /spin: {cut}"));

    let before = flood.answered;
    flood.rest().await;
    t.say(format!("what it had not taken goes to the others: answered {}", flood.answered - before));
    t.say(format!("connections lost: {} of {AT_ONCE}", AT_ONCE - flood.answered));
    t.say("Node's own primary loses them: it gives them to nobody else");
    Ok(exit.to_string())
}

/// Connections that are opened at once.
struct Flood {
    clients: JoinSet<io::Result<u32>>,
    answered: usize,
}

impl Flood {
    fn new(port: u16) -> Flood {
        let mut clients = JoinSet::new();
        for _ in 0..AT_ONCE {
            clients.spawn(who(port));
        }
        Flood { clients, answered: 0 }
    }

    // ANCHOR: wait
    /// Until those that have no answer are in the hands of this worker.
    async fn until_all_wait_for(&mut self, busy: &Worker) -> Result<(), Box<dyn Error>> {
        // It is given one of the first and soon no more: the last answer comes from another one, after all have been handed out.
        while self.answered + busy.unanswered() < AT_ONCE {
            self.one().await?;
        }
        Ok(())
    }
    // ANCHOR_END: wait

    /// Until all have an answer, or nobody can hope for one.
    async fn rest(&mut self) {
        while self.answered < AT_ONCE && timeout(PATIENCE, self.one()).await.is_ok_and(|one| one.is_ok()) {}
    }

    async fn one(&mut self) -> Result<(), Box<dyn Error>> {
        let answer = self.clients.join_next().await.ok_or("nobody waits for an answer")?;
        answer??;
        self.answered += 1;
        Ok(())
    }
}
