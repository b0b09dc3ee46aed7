//! Workers that are killed, at each step between their start and their answer.

use std::net::Ipv4Addr;

use forklore::child_process::{Command, Exit, Signal, Stdio};
use forklore::cluster::State;
use forklore::cluster::schedule::Policy;
use harness::watched::{round_robin, watched};
use harness::{TestResult, until};
use tokio::net::TcpStream;

use crate::clients::{Clients, ask, exchange, heard, number};
use crate::kit::{IMPOSTOR, PROGRAMS, WORKER, node, rust, say, stop};
use crate::malice;

pub(crate) async fn before_it_is_online() {
    let cluster = round_robin();
    let (other, address) = cluster.server(rust("answer")).await;
    // One that never says a word, and one that had no time to.
    let silent = cluster.start(Command::new("sleep").arg("infinity"));
    let young = cluster.start(rust("answer"));
    assert_eq!((silent.state(), young.state()), (State::None, State::None));
    cluster.kill(&young).await;
    cluster.kill(&silent).await;
    for worker in [&silent, &young] {
        cluster.disconnected(worker).await;
        assert_eq!((worker.state(), worker.given()), (State::Dead, 0));
    }
    assert_eq!(number(&ask(address).await), other.id());
    cluster.end().await;
}

pub(crate) async fn after_online_and_before_it_listens() {
    let cluster = round_robin();
    let (other, address) = cluster.server(rust("answer")).await;
    let idle = cluster.start(Command::new(WORKER).arg("answer"));
    cluster.online(&idle).await;
    cluster.kill(&idle).await;
    assert_eq!(number(&ask(address).await), other.id());
    assert_eq!(idle.given(), 0);
    cluster.end().await;
}

/// It has asked to listen, and is handed connections from then on, whether or not it ever says that it listens.
pub(crate) async fn before_it_says_that_it_listens() -> TestResult {
    let cluster = round_robin();
    let impostor = cluster.start(Command::new(IMPOSTOR));
    let reply = say(&cluster, &impostor, &malice::query(0)).await;
    let address = (Ipv4Addr::LOCALHOST, u16::try_from(reply["sockname"]["port"].as_u64().ok_or("no port")?)?).into();
    let crowd = Clients::of(3, address).await;
    until(|| impostor.unanswered() == 1).await;
    assert_eq!(cluster.message(&impostor).await["heard"]["act"], "newconn");
    let (other, same) = cluster.server(rust("answer")).await;
    assert_eq!(same, address);
    crowd.has_answers(2).await;
    cluster.kill(&impostor).await;
    assert_eq!(crowd.workers().await, [other.id(); 3]);
    cluster.end().await;
    Ok(())
}

pub(crate) async fn before_it_reads_what_it_was_handed() {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (stopped, address) = cluster.server(program("answer")).await;
        stop(&stopped).await;
        let crowd = Clients::of(3, address).await;
        cluster.waiting(2).await;
        assert_eq!((stopped.given(), stopped.unanswered()), (1, 1));
        let (other, _) = cluster.server(program("answer")).await;
        crowd.has_answers(2).await;
        // It may go on and answer at any time, as far as anybody knows: its connection is nobody else's.
        assert_eq!((stopped.unanswered(), other.given()), (1, 2));
        cluster.kill(&stopped).await;
        assert_eq!(crowd.workers().await, [other.id(); 3]);
        until(|| other.taken() == 3).await;
        assert_eq!(stopped.taken(), 0);
        cluster.end().await;
    }
}

pub(crate) async fn after_it_has_taken_the_connection() -> TestResult {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (holding, address) = cluster.server(program("hold")).await;
        let client = TcpStream::connect(address).await?;
        until(|| holding.taken() == 1).await;
        let (other, _) = cluster.server(program("answer")).await;
        cluster.kill(&holding).await;
        assert_eq!(heard(client).await.0, "");
        assert_eq!(number(&ask(address).await), other.id());
        assert_eq!((holding.given(), other.given()), (1, 1));
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn with_its_connections_open_among_200() {
    for taken in [1, 10, 20, 30] {
        with_so_many_taken(rust, taken).await;
    }
    with_so_many_taken(node, 20).await;
}

async fn with_so_many_taken(program: fn(&str) -> Command, taken: u64) {
    let cluster = round_robin();
    let (workers, address) = cluster.servers(3, || program("echo")).await;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..200 {
        clients.spawn(async move {
            let token = format!("client {client}");
            let (text, end) = exchange(address, token.clone()).await;
            let whole = workers_number(&text, &token);
            // Whatever end it is: one who was served says its number first, and only once.
            assert!(whole.is_some() || text.lines().count() <= 1, "{text:?}");
            assert!(end.is_ok() || whole.is_none());
            whole
        });
    }
    // Less than its share; if it was slow the others may have taken all.
    until(|| workers[0].taken() >= taken || workers.iter().map(|worker| worker.taken()).sum::<u64>() == 200).await;

    cluster.kill(&workers[0]).await;
    let served = clients.join_all().await;
    let whole = served.iter().flatten().count();
    let lost = 200 - whole as u64;
    assert!(lost <= workers[0].taken(), "{lost} without an answer, and {} taken", workers[0].taken());
    // An answer can be here before the primary has read that its connection was taken.
    let taken_in_all = || workers.iter().map(|worker| worker.taken()).sum::<u64>();
    until(|| taken_in_all() == 200).await;
    let by_others = served.iter().flatten().filter(|id| **id != workers[0].id()).count() as u64;
    assert_eq!(by_others, workers[1].taken() + workers[2].taken());
    // Each was taken once.
    assert_eq!(taken_in_all(), 200);
    cluster.end().await;
}

/// Who has answered `token`, if the answer is whole.
fn workers_number(text: &str, token: &str) -> Option<u32> {
    text.strip_suffix(token)?.strip_suffix('\n')?.parse().ok()
}

pub(crate) async fn all_at_once() -> TestResult {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (workers, address) = cluster.servers(3, || program("answer")).await;
        for worker in &workers {
            stop(worker).await;
        }
        let before = Clients::of(10, address).await;
        cluster.waiting(7).await;
        for worker in &workers {
            assert!(worker.kill(Signal::SIGKILL)?);
        }
        for worker in &workers {
            assert_eq!(cluster.exit(worker).await, Exit::Signal(Signal::SIGKILL));
        }
        // Nobody is there, and it is open all the same.
        assert_eq!((cluster.listener().workers, cluster.primary.workers().len()), (0, 0));
        let after = Clients::of(10, address).await;
        cluster.waiting(20).await;
        let (new, same) = cluster.servers(2, || program("answer")).await;
        assert_eq!(same, address);
        let mut answers = before.workers().await;
        answers.extend(after.workers().await);
        assert!(answers.iter().all(|id| new.iter().any(|worker| worker.id() == *id)), "{answers:?}");
        let taken_in_all = || new.iter().map(|worker| worker.taken()).sum::<u64>();
        until(|| taken_in_all() >= 20).await;
        assert_eq!(taken_in_all(), 20);
        cluster.end().await;
    }
    Ok(())
}

/// The socket is the primary's, too, and with it what waits in the kernel.
pub(crate) async fn all_at_once_when_shared() {
    for program in PROGRAMS {
        let cluster = watched(Policy::Shared);
        let (workers, address) = cluster.servers(2, || program("answer")).await;
        for worker in &workers {
            stop(worker).await;
        }
        let before = Clients::of(10, address).await;
        for worker in &workers {
            cluster.kill(worker).await;
        }
        let after = Clients::of(10, address).await;
        assert_eq!((before.answered(), after.answered()), (0, 0));
        let (new, same) = cluster.server(program("answer")).await;
        assert_eq!(same, address);
        assert_eq!((before.workers().await, after.workers().await), (vec![new.id(); 10], vec![new.id(); 10]));
        cluster.end().await;
    }
}

pub(crate) async fn with_a_grandchild_that_holds_its_channel() -> TestResult {
    let cluster = round_robin();
    // The shell's child has all that the shell has, the channel, too, and lives until its input ends.
    let script = r#"exec 4<&0; cat <&4 >/dev/null & exec "$0" "$@" 4<&-"#;
    let command = Command::new("sh").args(["-c", script, WORKER, "answer", "127.0.0.1:0"]).stdin(Stdio::Pipe);
    let (dying, address) = cluster.server(command).await;
    let stdin = dying.with_child(|child| child.stdin.take()).ok_or("no pipe")?;
    stop(&dying).await;
    let crowd = Clients::of(1, address).await;
    until(|| dying.unanswered() == 1).await;
    let (other, _) = cluster.server(rust("answer")).await;
    cluster.kill(&dying).await;
    assert_eq!(crowd.workers().await, [other.id()]);
    // It was there all the time.
    drop(stdin);
    cluster.end().await;
    Ok(())
}
