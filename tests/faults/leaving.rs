//! Workers that leave while clients come: each of these has to be answered.

use forklore::child_process::{Command, Exit, Signal};
use forklore::cluster::Worker;
use forklore::cluster::schedule::Policy;
use harness::TestResult;
use harness::watched::round_robin;

use crate::clients::{Clients, Load};
use crate::kit::{PROGRAMS, node, rust, stop};

/// How many clients there are at any time.
const CLIENTS: usize = 8;

/// Replaces each of three workers so many times, one after the other, and has it leave as it is told.
async fn replaced(
    policy: Policy,
    program: fn(&str) -> Command,
    rounds: usize,
    leave: impl AsyncFn(&Worker),
) -> TestResult {
    let cluster = harness::watched::watched(policy);
    let (mut workers, address) = cluster.servers(3, || program("answer")).await;
    let load = Load::of(CLIENTS, address);
    for round in 0..rounds {
        load.more(20).await;
        let (new, same) = cluster.server(program("answer")).await;
        assert_eq!(same, address);
        let old = std::mem::replace(&mut workers[round % 3], new);
        leave(&old).await;
        assert_eq!(cluster.exit(&old).await, Exit::Code(0));
        assert!(old.exited_after_disconnect());
    }
    let answers = load.stop().await;
    assert!(answers >= 20 * rounds);
    cluster.end().await;
    Ok(())
}

pub(crate) async fn each_is_told_to_disconnect() -> TestResult {
    for policy in Policy::ALL {
        replaced(policy, rust, 10, async |worker| worker.disconnect()).await?;
    }
    replaced(Policy::RoundRobin, node, 3, async |worker| worker.disconnect()).await
}

pub(crate) async fn each_disconnects_itself() -> TestResult {
    let leave = async |worker: &Worker| worker.send("leave").await.expect("sent");
    for policy in Policy::ALL {
        replaced(policy, rust, 10, leave).await?;
    }
    replaced(Policy::RoundRobin, node, 3, leave).await
}

/// Told while what it was handed lies before it, unread.
pub(crate) async fn told_with_a_connection_on_its_way() -> TestResult {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (leaving, address) = cluster.server(program("answer")).await;
        let (other, _) = cluster.server(program("answer")).await;
        stop(&leaving).await;
        let crowd = Clients::of(4, address).await;
        crowd.has_answers(3).await;
        leaving.disconnect();
        assert_eq!(leaving.unanswered(), 1);
        assert!(leaving.kill(Signal::SIGCONT)?);
        let answers = crowd.workers().await;
        assert!(answers.iter().all(|id| [leaving.id(), other.id()].contains(id)), "{answers:?}");
        assert_eq!(cluster.exit(&leaving).await, Exit::Code(0));
        cluster.end().await;
    }
    Ok(())
}

/// It leaves at a connection, when others may be on their way to it.
pub(crate) async fn it_disconnects_at_its_tenth_connection() {
    let cluster = round_robin();
    let (steady, address) = cluster.server(rust("answer")).await;
    let load = Load::of(CLIENTS, address);
    for _ in 0..3 {
        let leaving = cluster.start(node("tenth"));
        assert_eq!(cluster.exit(&leaving).await, Exit::Code(0));
        assert!(leaving.exited_after_disconnect());
        assert!(leaving.taken() >= 10, "{}", leaving.taken());
    }
    load.stop().await;
    assert!(steady.taken() > 0);
    cluster.end().await;
}

/// It exits without a word as soon as it has answered one. What else it was handed is answered by another one, and only
/// that.
pub(crate) async fn it_exits_after_its_first_connection() {
    for (program, rounds) in [(rust as fn(&str) -> Command, 20), (node, 3)] {
        let cluster = round_robin();
        let (_steady, address) = cluster.server(rust("answer")).await;
        let load = Load::of(CLIENTS, address);
        for _ in 0..rounds {
            let leaving = cluster.start(program("once"));
            assert_eq!(cluster.exit(&leaving).await, Exit::Code(3));
            assert_eq!((leaving.taken(), leaving.exited_after_disconnect()), (1, false));
        }
        load.stop().await;
        cluster.end().await;
    }
}

pub(crate) async fn the_only_one_leaves_and_its_successor_comes_later() {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (leaving, address) = cluster.server(program("answer")).await;
        leaving.disconnect();
        assert_eq!(cluster.exit(&leaving).await, Exit::Code(0));
        let crowd = Clients::of(20, address).await;
        cluster.waiting(20).await;
        let (successor, same) = cluster.server(program("answer")).await;
        assert_eq!(same, address);
        assert_eq!(crowd.workers().await, [successor.id(); 20]);
        cluster.end().await;
    }
}
