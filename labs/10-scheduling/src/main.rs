//! Who gets the next connection: five policies with four workers; with `--simulate`, with any number of imagined ones.
//!
//! A primary with its workers and its clients is in `cluster.rs`, a worker in `worker.rs`, the same scheduler without connections, workers
//! and time in `simulation/`.

mod cluster;
mod options;
mod simulation;
mod worker;

use std::process::ExitCode;

use cluster::{ADDRESSES, Cluster, of_all};
use forklore::cluster::schedule::Policy;
use kit::roles;
use options::Options;
use transcript::Transcript;
use worker::ONE_SLOW;

fn main() -> ExitCode {
    if roles::played().as_deref() == Some("worker") {
        return transcript::run_child(worker::worker);
    }
    let options: Options = match transcript::arguments() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let json = options.output.json;
    if options.simulate {
        return transcript::run_with(json, &["model"], |t| simulation::run(t, options.model, json));
    }
    transcript::run_with(json, &["primary"], lesson)
}

async fn lesson(t: Transcript) -> kit::Result {
    t.step("Round robin");
    let cluster = Cluster::start(&t, Policy::RoundRobin, &[1; 4]).await?;
    let round_robin = cluster.in_turn().await?;
    let (equal, one_slow) = (cluster.at_a_time("/").await?, cluster.at_a_time(ONE_SLOW).await?);
    t.say("a worker is free when it has taken a connection, answered or not");
    cluster.end().await;

    t.step("Shared: all accept from one socket, and each connection goes to one of them");
    let cluster = Cluster::start(&t, Policy::Shared, &[1; 4]).await?;
    let (shared_equal, shared_slow) = (cluster.at_a_time("/").await?, cluster.at_a_time(ONE_SLOW).await?);
    t.say("who waits for its own answer can still accept");
    cluster.end().await;

    t.step("Weighted 4 to 2 to 1 to 1, which Node does not have");
    let cluster = Cluster::start(&t, Policy::Weighted, &[4, 2, 1, 1]).await?;
    let weighted = cluster.in_turn().await?;
    cluster.at_a_time("/").await?;
    cluster.at_a_time(ONE_SLOW).await?;
    t.say("a weight is set beforehand: one that turns out slow keeps it");
    cluster.end().await;

    t.step("Least connections, which Node does not have");
    let mut cluster = Cluster::start(&t, Policy::LeastConnections, &[1]).await?;
    let least_connections = cluster.in_turn_while_forty_stay().await?;
    cluster.at_a_time("/").await?;
    cluster.at_a_time(ONE_SLOW).await?;
    t.say("what is not answered counts: the others get what would have waited");
    cluster.end().await;

    t.step("Sticky: who comes from one address stays with one worker, not so in Node");
    let cluster = Cluster::start(&t, Policy::Sticky, &[1; 4]).await?;
    let sticky = cluster.in_turn().await?;
    let answers = [cluster.at_a_time("/").await?, cluster.at_a_time(ONE_SLOW).await?].concat();
    for worker in 1..=4 {
        let is_its_own =
            |address: &u8| answers.iter().all(|answer| answer.address != *address || answer.worker == worker);
        let own: Vec<String> = (1..=ADDRESSES).filter(is_its_own).map(|address| format!(".{address}")).collect();
        t.say(format!("worker {worker} and no other for 127.0.0.x: {}", own.join(" ")));
    }
    t.say("who has a slow worker keeps it");
    cluster.end().await;

    let shares = |counts: [usize; 4]| counts.map(|count| count.to_string()).join(" ");
    t.fact("round robin, one after the other", shares(round_robin));
    t.fact("weighted 4 2 1 1, one after the other", shares(weighted));
    t.fact("least connections, worker 1 with 40 clients gets", of_all(least_connections[0]));
    t.fact("sticky, one after the other", shares(sticky));
    t.fact("round robin, equal workers, answered", of_all(equal.len()));
    t.fact("round robin, one slow, answered", of_all(one_slow.len()));
    t.fact("shared, equal workers, answered", of_all(shared_equal.len()));
    t.fact("shared, one slow, answered", of_all(shared_slow.len()));
    Ok(())
}
