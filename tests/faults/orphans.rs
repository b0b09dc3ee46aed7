//! The end of a primary ends its workers, whatever they do. Each case checks at its end that no process is left.

use forklore::child_process::{Exit, Signal};
use forklore::cluster::schedule::Policy;
use harness::TestResult;
use serde_json::json;

use crate::clients::{ask, number};
use crate::kit::{WORKER, faulty};
use crate::remote::Remote;

/// A primary with four workers, two of which will never look up again.
async fn with_four() -> Remote {
    let mut primary = Remote::start(Policy::RoundRobin).await;
    let faulty = faulty("answer");
    for command in [&[WORKER, "answer", "127.0.0.1:0"], &faulty.each_ref().map(String::as_str)] {
        let serving = primary.fork("fork", command).await;
        let stuck = primary.fork("fork", command).await;
        primary.listening(serving).await;
        primary.listening(stuck).await;
        primary.tell(&json!({ "tell": stuck.id, "what": "spin" })).await;
        primary.sees("message", stuck).await;
    }
    primary
}

pub(crate) async fn the_primary_is_killed() -> TestResult {
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
        let primary = with_four().await;
        assert!(primary.child.kill(signal)?);
        assert_eq!(primary.child.exit().await?, Exit::Signal(signal));
    }
    Ok(())
}

pub(crate) async fn the_primary_panics() -> TestResult {
    let primary = with_four().await;
    primary.tell(&json!("panic")).await;
    assert_eq!(primary.child.exit().await?, Exit::Code(101));
    Ok(())
}

pub(crate) async fn the_primary_returns() -> TestResult {
    let primary = with_four().await;
    primary.tell(&json!("return")).await;
    assert_eq!(primary.child.exit().await?, Exit::Code(0));
    Ok(())
}

/// The kernel takes the end of the thread that has forked for that of the parent.
pub(crate) async fn the_thread_that_forked_ends_and_its_worker_does_not() {
    let mut primary = Remote::start(Policy::RoundRobin).await;
    let worker = primary.fork("forkElsewhere", &[WORKER, "answer", "127.0.0.1:0"]).await;
    let address = primary.listening(worker).await;
    assert_eq!(number(&ask(address).await), worker.id);
    primary.rest().await;
}
