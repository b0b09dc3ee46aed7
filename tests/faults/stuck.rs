//! Workers that do nothing any more.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use forklore::child_process::{Command, Exit, Signal};
use forklore::cluster::{Options, Worker};
use harness::watched::{Watched, round_robin};
use harness::{TestResult, until};

use crate::clients::{Clients, ask, number};
use crate::kit::{PROGRAMS, rust};

/// As many connections as a worker may hold, if nothing else is said.
const WINDOW: usize = 16;

/// Four workers that were all trusted, and the first of them stuck.
async fn one_of_four(program: fn(&str) -> Command, options: Options) -> (Watched, Vec<Worker>, SocketAddr) {
    let cluster = Watched::new(options);
    let (workers, address) = cluster.servers(4, || program("answer")).await;
    for _ in 0..4 * 2 * WINDOW {
        number(&ask(address).await);
    }
    cluster.all_answered().await;
    cluster.tell(&workers[0], "spin", "spinning").await;
    (cluster, workers, address)
}

pub(crate) async fn it_holds_no_more_than_its_window() {
    for program in PROGRAMS {
        let (cluster, workers, address) = one_of_four(program, Options::default()).await;
        let (stuck, others) = (&workers[0], &workers[1..]);
        let before = stuck.taken();
        let crowd = Clients::of(100, address).await;
        until(|| crowd.answered() + stuck.unanswered() == 100).await;
        let held = stuck.unanswered();
        assert!((1..=WINDOW).contains(&held), "{held}");
        // More come, and none of them is its.
        for _ in 0..20 {
            assert_ne!(number(&ask(address).await), stuck.id());
        }
        assert_eq!((stuck.unanswered(), crowd.answered(), stuck.taken()), (held, 100 - held, before));
        cluster.kill(stuck).await;
        let answers = crowd.workers().await;
        assert!(answers.iter().all(|id| others.iter().any(|other| other.id() == *id)), "{answers:?}");
        cluster.end().await;
    }
}

/// What counts as late, and some more.
const LATE: Duration = Duration::from_millis(30);

pub(crate) async fn it_is_late_and_gets_no_more_connections() {
    for program in PROGRAMS {
        let (cluster, workers, address) = one_of_four(program, Options::default()).await;
        let (stuck, start) = (&workers[0], Instant::now());
        let crowd = Clients::of(4, address).await;
        until(|| stuck.unanswered() > 0 && start.elapsed() > LATE).await;
        let held = stuck.unanswered();
        // It has room for more, and is not trusted any more.
        for _ in 0..20 {
            assert_ne!(number(&ask(address).await), stuck.id());
        }
        assert_eq!(stuck.unanswered(), held);
        cluster.kill(stuck).await;
        assert_eq!(crowd.workers().await.len(), 4);
        cluster.end().await;
    }
}

pub(crate) async fn it_is_killed_if_there_is_a_limit() {
    for program in PROGRAMS {
        let limit = Options::default().answer_limit(Duration::from_secs(1));
        let (cluster, workers, address) = one_of_four(program, limit).await;
        let stuck = &workers[0];
        let crowd = Clients::of(20, address).await;
        cluster.silent(stuck).await;
        assert_eq!(cluster.exit(stuck).await, Exit::Signal(Signal::SIGKILL));
        assert!(!crowd.workers().await.contains(&stuck.id()));
        cluster.end().await;
    }
}

/// It runs, and reads: only that it accepts nothing.
pub(crate) async fn it_accepts_nothing_and_is_told_to_disconnect() {
    let cluster = round_robin();
    let (stuck, address) = cluster.server(rust("stuck")).await;
    let crowd = Clients::of(5, address).await;
    cluster.waiting(4).await;
    assert_eq!((stuck.given(), stuck.unanswered()), (1, 1));
    let (other, _) = cluster.server(rust("answer")).await;
    crowd.has_answers(4).await;
    stuck.disconnect();
    assert_eq!(crowd.workers().await, [other.id(); 5]);
    assert_eq!(cluster.exit(&stuck).await, Exit::Code(0));
    cluster.end().await;
}

pub(crate) async fn connections_wait_in_the_primary_and_the_kernel_for_a_new_worker() -> TestResult {
    let cluster = Watched::new(Options::default().waiting(8));
    let (stuck, address) = cluster.server(rust("stuck")).await;
    assert!(stuck.kill(Signal::SIGKILL)?);
    assert_eq!(cluster.exit(&stuck).await, Exit::Signal(Signal::SIGKILL));
    // Eight wait here, the others in the kernel: they have all connected.
    let crowd = Clients::of(60, address).await;
    cluster.waiting(8).await;
    let counting = cluster.start(rust("count"));
    let answers = crowd.answers().await;
    let wanted: Vec<String> = (1..=60).map(|place| format!("{} {place}\n", counting.id())).collect();
    assert_eq!(answers, wanted, "in the order in which they came");
    assert_eq!(cluster.listener().waiting, 0);
    assert_eq!(cluster.listening_at(&counting).await, address);
    cluster.end().await;
    Ok(())
}
