//! The lesson, from policy to policy.

use std::error::Error;

use forklore::cluster::schedule::Policy;
use transcript::Transcript;

use crate::client::Ask;
use crate::cluster::{ADDRESSES, Answer, CONNECTIONS, Cluster};

/// How many were answered of all.
fn answered(answers: &[Answer]) -> String {
    format!("{} of {CONNECTIONS}", answers.len())
}

pub(crate) async fn lesson(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("Round robin");
    let cluster = Cluster::start(&t, Policy::RoundRobin, [1; 4]).await?;
    let in_turn = cluster.in_turn().await?;
    let equal = cluster.at_a_time(Ask::Equal).await?;
    let one_slow = cluster.at_a_time(Ask::OneSlow).await?;
    t.say("a worker is free when it has taken a connection, answered or not");
    cluster.end().await;

    t.step("Shared: all accept from one socket, and each connection goes to one of them");
    let cluster = Cluster::start(&t, Policy::Shared, [1; 4]).await?;
    let shared_equal = cluster.at_a_time(Ask::Equal).await?;
    let shared_slow = cluster.at_a_time(Ask::OneSlow).await?;
    t.say("who waits for its own answer can still accept");
    cluster.end().await;

    t.step("Weighted 4 to 2 to 1 to 1, which Node does not have");
    let cluster = Cluster::start(&t, Policy::Weighted, [4, 2, 1, 1]).await?;
    cluster.in_turn().await?;
    cluster.at_a_time(Ask::Equal).await?;
    cluster.at_a_time(Ask::OneSlow).await?;
    t.say("a weight is set beforehand: one that turns out slow keeps it");
    cluster.end().await;

    t.step("Least connections, which Node does not have");
    let cluster = Cluster::start(&t, Policy::LeastConnections, [1; 4]).await?;
    cluster.at_a_time(Ask::Equal).await?;
    cluster.at_a_time(Ask::OneSlow).await?;
    t.say("what is not answered counts: the others get what would have waited");
    cluster.end().await;

    t.step("Sticky: who comes from one address stays with one worker, not so in Node");
    let cluster = Cluster::start(&t, Policy::Sticky, [1; 4]).await?;
    let mut answers = cluster.at_a_time(Ask::Equal).await?;
    answers.extend(cluster.at_a_time(Ask::OneSlow).await?);
    for worker in 1..=4 {
        let is_its_own = |address: &u8| {
            let mut met = answers.iter().filter(|answer| answer.address == *address).map(|answer| answer.worker);
            met.all(|met| met == worker)
        };
        let own: Vec<String> = (1..=ADDRESSES).filter(is_its_own).map(|address| format!(".{address}")).collect();
        t.say(format!("worker {worker} and no other for 127.0.0.x: {}", own.join(" ")));
    }
    t.say("who has a slow worker keeps it");
    cluster.end().await;

    t.fact("round robin, one after the other", in_turn.map(|count| count.to_string()).join(" "));
    t.fact("round robin, equal workers, answered", answered(&equal));
    t.fact("round robin, one slow, answered", answered(&one_slow));
    t.fact("shared, equal workers, answered", answered(&shared_equal));
    t.fact("shared, one slow, answered", answered(&shared_slow));
    Ok(())
}
