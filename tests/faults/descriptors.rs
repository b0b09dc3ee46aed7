//! Processes that can open nothing more.

use std::time::{Duration, Instant};

use forklore::child_process::{Command, Signal};
use forklore::cluster::schedule::Policy;
use harness::until;
use harness::watched::round_robin;
use serde_json::json;

use crate::clients::{Clients, ask, number};
use crate::kit::{WORKER, faulty, rust, stop};
use crate::remote::Remote;

fn few(what: &str) -> Command {
    Command::new("sh").args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]).args(faulty(what))
}

const PROGRAMS: [fn(&str) -> Command; 2] = [rust, few];

pub(crate) async fn a_worker_without_any_is_passed_over_until_it_has_some() {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (workers, address) = cluster.servers(2, || program("answer")).await;
        let (full, other) = (&workers[0], &workers[1]);
        cluster.tell(full, "fill", "full").await;
        let before = full.given();
        for _ in 0..10 {
            assert_eq!(number(&ask(address).await), other.id());
        }
        assert_eq!(full.taken(), 0);
        assert!(full.given() > before, "it was asked");
        cluster.tell(full, "drain", "empty").await;
        for _ in 0..10 {
            number(&ask(address).await);
        }
        // It serves again.
        until(|| full.taken() > 0).await;
        cluster.end().await;
    }
}

/// How many connections nobody can take.
const CROWD: usize = 40;

pub(crate) async fn no_worker_has_any_and_the_connections_wait() {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (workers, address) = cluster.servers(2, || program("answer")).await;
        for worker in &workers {
            cluster.tell(worker, "fill", "full").await;
        }
        let start = Instant::now();
        let crowd = Clients::of(CROWD, address).await;
        let given = || workers.iter().map(|worker| worker.given()).sum::<u64>();
        // Each worker is offered each connection once, and after that each is offered two for each retry delay.
        let offers = 2 * CROWD as u64;
        until(|| given() >= offers + 24).await;
        let (retries, delays) = (given() - offers, start.elapsed().as_millis() as u64 / 50 + 2);
        assert!(retries <= 4 * delays, "{retries} retries in {delays} retry delays");
        assert_eq!(crowd.answered(), 0);
        cluster.tell(&workers[1], "drain", "empty").await;
        assert_eq!(crowd.workers().await, [workers[1].id(); CROWD]);
        assert_eq!(workers[0].taken(), 0);
        cluster.end().await;
    }
}

/// One has refused it, the other one dies: the first is asked again.
pub(crate) async fn a_refused_connection_is_offered_again_when_the_other_worker_dies() {
    let cluster = round_robin();
    let (full, address) = cluster.server(rust("answer")).await;
    cluster.tell(&full, "fill", "full").await;
    let (dying, _) = cluster.server(rust("answer")).await;
    stop(&dying).await;
    let crowd = Clients::of(1, address).await;
    until(|| dying.unanswered() == 1).await;
    assert_eq!(full.given(), 1);
    cluster.kill(&dying).await;
    cluster.tell(&full, "drain", "empty").await;
    assert_eq!(crowd.workers().await, [full.id()]);
    cluster.end().await;
}

pub(crate) async fn the_primary_has_none_and_goes_on_when_it_has() {
    let mut primary = Remote::start(Policy::RoundRobin).await;
    let (worker, address) = primary.server(&[WORKER, "answer", "127.0.0.1:0"]).await;
    primary.fill(0).await;
    let (start, before) = (Instant::now(), primary.ticks());
    let crowd = Clients::of(10, address).await;
    let failed = primary.next("acceptFailed").await;
    assert_eq!((&failed["acceptFailed"], &failed["code"]), (&json!(address.to_string()), &json!("EMFILE")));
    // Long enough to see that it does not try again and again.
    until(|| start.elapsed() > Duration::from_millis(400)).await;
    let (used, passed) = (primary.ticks() - before, start.elapsed().as_millis() as u64 / 10);
    assert!(used <= passed / 4, "{used} of {passed} hundredths of a second");
    assert_eq!(crowd.answered(), 0);
    primary.tell(&json!("drain")).await;
    assert_eq!(crowd.workers().await, [worker.id; 10]);
    assert_eq!(primary.rest().await, [""; 0], "it was said once");
}

/// Each connection that is taken makes room for the next one.
pub(crate) async fn the_primary_has_one_and_serves_them_one_by_one() {
    let mut primary = Remote::start(Policy::RoundRobin).await;
    let (worker, address) = primary.server(&[WORKER, "answer", "127.0.0.1:0"]).await;
    primary.fill(1).await;
    // All of them wait before the first is accepted: when none waits, the next failure is another one.
    primary.child.kill(Signal::SIGSTOP).expect("it can be stopped");
    let crowd = Clients::of(100, address).await;
    primary.child.kill(Signal::SIGCONT).expect("it goes on");
    assert_eq!(crowd.workers().await, [worker.id; 100]);
    assert_eq!(primary.rest().await, ["acceptFailed"], "it was said once");
}
