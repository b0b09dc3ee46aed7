//! What a primary sees of its workers, and what they see of it.

use forklore::child_process::{Exit, Stdio};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{Options, State};
use harness::TestResult;
use harness::watched::{IDLE_LIFE, WHOLE_LIFE, round_robin};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{ask, get, node};

pub(crate) async fn a_worker_lives_from_fork_to_exit() {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "who").env("NODE_UNIQUE_ID", "77"));
    assert_eq!((worker.state(), worker.is_dead(), worker.is_connected()), (State::None, false, true));
    cluster.online(&worker).await;
    let who = cluster.message(&worker).await;
    assert_eq!(who["id"], worker.id());
    assert_eq!((&who["worker"], &who["identified"], &who["connected"]), (&json!(true), &json!(false), &json!(true)));
    cluster.listening(&worker).await;
    assert_eq!(worker.state(), State::Listening);
    assert_eq!(cluster.primary.workers(), std::slice::from_ref(&worker));
    let life = cluster.end().await;
    assert_eq!((worker.state(), worker.is_dead(), worker.is_connected()), (State::Dead, true, false));
    assert_eq!(life.of(&worker), WHOLE_LIFE);
}

pub(crate) async fn a_state_follows_the_events() {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "idle"));
    assert_eq!(worker.state(), State::None);
    cluster.online(&worker).await;
    assert_eq!((worker.state(), worker.is_dead()), (State::Online, false));
    worker.disconnect();
    cluster.disconnected(&worker).await;
    assert!(worker.state() >= State::Disconnected && !worker.is_connected());
    assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
    assert_eq!((worker.state(), worker.is_dead()), (State::Dead, true));
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
}

pub(crate) async fn a_worker_runs_where_it_is_told() -> TestResult {
    let cluster = round_robin();
    let folder = tempfile::tempdir()?;
    let worker = cluster.start(node("worker.js", "who").cwd(folder.path()));
    let cwd = cluster.message(&worker).await["cwd"].as_str().map(std::path::PathBuf::from);
    assert_eq!(cwd, Some(folder.path().canonicalize()?));
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_gets_the_environment_that_it_is_given() -> TestResult {
    let cluster = round_robin();
    let inherited = std::env::var("PATH")?;
    let overridden = format!("{inherited}:/nowhere");
    for (command, path) in
        [(node("worker.js", "who"), &inherited), (node("worker.js", "who").env("PATH", &overridden), &overridden)]
    {
        let worker = cluster.start(command);
        assert_eq!(cluster.message(&worker).await["path"], **path);
    }
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_can_have_a_pipe_besides_the_channel() -> TestResult {
    let cluster = round_robin();
    let stdio = [Stdio::Inherit, Stdio::Inherit, Stdio::Inherit, Stdio::Ipc, Stdio::Pipe];
    let worker = cluster.start(node("worker.js", "pipe").stdio(stdio));
    let mut pipe = worker.with_child(|child| child.take_pipe(4)).ok_or("no pipe")?;
    assert_eq!(cluster.message(&worker).await, "ready");
    pipe.write_all(b"hello").await?;
    let mut text = String::new();
    pipe.read_to_string(&mut text).await?;
    assert_eq!(text, "hello, there and back");
    drop(pipe);
    cluster.end().await;
    Ok(())
}

pub(crate) async fn an_answer_to_no_question_is_ignored() -> TestResult {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "nonsense"));
    assert_eq!(cluster.message(&worker).await, "and now sense");
    for more in [json!({ "cmd": "NODE_CLUSTER", "ack": 99_999 }), json!({ "cmd": "NODE_CLUSTER", "act": "dance" })] {
        worker.send(&more).await?;
    }
    worker.send("still there?").await?;
    assert_eq!(cluster.message(&worker).await, "still there?");
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    Ok(())
}

pub(crate) async fn messages_go_both_ways_while_it_serves() -> TestResult {
    let cluster = round_robin();
    let (worker, address) = cluster.server(node("worker.js", "echo")).await;
    for value in [json!("hello"), json!({ "a": [null, 1.5, "ö\n"] }), json!(0)] {
        worker.send(&value).await?;
        assert_eq!(ask(address).await, worker.id().to_string());
        assert_eq!(cluster.message(&worker).await, value);
    }
    cluster.end().await;
    Ok(())
}

pub(crate) async fn the_first_message_is_seen_by_process_and_by_worker() -> TestResult {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "twice"));
    // Before it runs.
    worker.send("the first one").await?;
    let seen = json!({ "process": "the first one", "worker": "the first one" });
    assert_eq!(cluster.message(&worker).await, seen);
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_message_reaches_the_worker() -> TestResult {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "twice"));
    cluster.online(&worker).await;
    let value = json!({ "cmd": "no business of the cluster's", "n": [1, 2] });
    worker.send(&value).await?;
    assert_eq!(cluster.message(&worker).await["worker"], value);
    cluster.end().await;
    Ok(())
}

pub(crate) async fn two_groups_share_nothing_but_their_primary() -> TestResult {
    let cluster = round_robin();
    let (first, web) = cluster.server(node("server.js", "http")).await;
    let others = cluster.primary.group(Options::default().policy(Policy::LeastConnections));
    let second = others.fork(node("server.js", "net"))?;
    let plain = cluster.listening_at(&second).await;
    // They have asked for the same, any port of the same address.
    assert_ne!(web, plain);
    assert_eq!(cluster.primary.listeners().iter().map(|one| one.workers).collect::<Vec<_>>(), [1, 1]);
    for _ in 0..5 {
        assert_eq!(get(web).await, first.id().to_string());
        assert_eq!(ask(plain).await, second.id().to_string());
    }
    assert_eq!((first.given(), second.given()), (5, 5));
    assert_eq!((others.policy(), cluster.primary.workers().len()), (Policy::LeastConnections, 2));
    let life = cluster.end().await;
    assert_eq!((life.of(&first), life.of(&second)), (WHOLE_LIFE.to_vec(), WHOLE_LIFE.to_vec()));
    Ok(())
}
