//! What a worker may use of its primary, and how the user limits it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use forklore::child_process::Command;
use forklore::cluster::Options;
use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::{Closed, Effect, Input, PrimaryState};
use forklore::cluster::state::{FromWorker, Query};
use harness::watched::{Watched, round_robin};
use harness::{TestResult, until};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clients::{Clients, ask, heard, number};
use crate::kit::{IMPOSTOR, WORKER, faulty, rust, say};
use crate::malice::query_with;
use crate::remote::Remote;

/// Linux's error numbers, negative as a worker is answered.
const EACCES: i64 = -13;
const EINVAL: i64 = -22;
const EMFILE: i64 = -24;

/// How many descriptors the primary may have: half of what a process has on any machine.
const DESCRIPTORS: u32 = 512;

/// How many clients there are, which the primary cannot accept all.
const CLIENTS: usize = 750;

/// How many of them connect at a time. More than the kernel has room for would be answered with SYN cookies, and a client
/// whose last acknowledgement of the handshake is dropped then believes in a connection that the kernel does not know.
const CONNECTING: usize = 64;

/// How many descriptors the primary has when it accepts no more: some are left for what is not a connection.
const FULL: usize = DESCRIPTORS as usize - 40;

pub(crate) async fn workers_are_replaced_when_descriptors_run_out() -> TestResult {
    // The clients are this process's.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let mut primary = Remote::limited(DESCRIPTORS, DESCRIPTORS, &json!({ "refork": true })).await;
    let faulty = faulty("answer");
    let (mut workers, mut address) = (Vec::new(), None);
    for _ in 0..4 {
        let (worker, here) = primary.server(&faulty.each_ref().map(String::as_str)).await;
        workers.push(worker);
        address = Some(here);
    }
    let address: SocketAddr = address.expect("a worker");
    let pid = |pid: u32| nix::unistd::Pid::from_raw(pid.try_into().expect("a process id"));
    for worker in &workers {
        nix::sys::signal::kill(pid(worker.pid), nix::sys::signal::Signal::SIGSTOP)?;
    }
    let (connecting, mut clients) = (Arc::new(Semaphore::new(CONNECTING)), JoinSet::new());
    for _ in 0..CLIENTS {
        let connecting = connecting.clone();
        clients.spawn(async move {
            let permit = connecting.acquire().await.expect("never closed");
            let stream = TcpStream::connect(address).await.expect("a connection");
            drop(permit);
            heard(stream).await
        });
    }
    until(|| primary.descriptors() >= FULL).await;
    for worker in &workers {
        nix::sys::signal::kill(pid(worker.pid), nix::sys::signal::Signal::SIGKILL)?;
    }
    for worker in workers {
        primary.sees("exit", worker).await;
        primary.next("fork").await;
    }
    let answers = clients.join_all().await;
    let whole = answers.iter().filter(|(text, _)| !text.is_empty());
    // Each is the number of a worker.
    let answered = whole.inspect(|(text, _)| assert!(number(text) > 0)).count();
    // A fork may close as many of the oldest as spare descriptors are missing after it.
    assert!(answered >= CLIENTS - 4 * 16, "{answered} were answered");
    Ok(())
}

/// The workers have the limit that the primary was started with, and the primary has the highest that it may have.
pub(crate) async fn the_primary_raises_its_limit_and_not_the_workers() -> TestResult {
    for (wishes, soft) in [(json!({}), "900"), (json!({ "keepLimit": true }), "300")] {
        let mut primary = Remote::limited(300, 900, &wishes).await;
        let script = r#"echo "[\"$(ulimit -Sn)\",\"$(ulimit -Hn)\"]" >&3; exec cat <&3 >&2"#;
        let worker = primary.fork("fork", &["sh", "-c", script]).await;
        assert_eq!(primary.message(worker).await, json!(["300", "900"]));
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", primary.child.pid()))?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a limit");
        assert_eq!(line.split_whitespace().next(), Some(soft));
    }
    Ok(())
}

/// A worker that asks for every descriptor of its primary gets the announced one, under every policy.
pub(crate) async fn only_announced_descriptors_are_given() -> TestResult {
    for policy in [Policy::RoundRobin, Policy::Shared] {
        let mut primary = Remote::wished(policy, &json!({ "announce": true })).await;
        let announced: [u64; 2] = serde_json::from_value(primary.next("announced").await["announced"].take())?;
        assert!(announced.iter().all(|fd| *fd < 40), "{announced:?}");
        let (_, address) = primary.server(&[WORKER, "answer", "127.0.0.1:0"]).await;
        let impostor = primary.fork("fork", &[IMPOSTOR]).await;
        let mut seq = 0;
        for (kind, own) in [(Value::Null, announced[0]), (json!("udp4"), announced[1])] {
            for fd in 0..40 {
                seq += 1;
                let asked = json!({ "address": null, "port": null, "addressType": kind, "fd": fd });
                let what = json!({ "say": query_with(seq, &asked) });
                primary.tell(&json!({ "tell": impostor.id, "what": what })).await;
                let reply = primary.message(impostor).await["heard"].take();
                assert_eq!(reply["ack"], seq);
                let errno = reply["errno"].as_i64().unwrap_or_default();
                match fd {
                    _ if fd == own => assert_eq!(errno, 0, "{policy}: {reply}"),
                    _ if announced.contains(&fd) => {
                        assert_eq!(errno, EINVAL, "{policy}: a socket of another kind: {reply}")
                    }
                    _ => assert_eq!(errno, EACCES, "{policy}: descriptor {fd}: {reply}"),
                }
            }
        }
        assert!(!ask(address).await.is_empty(), "the listener is still the primary's");
        let told = primary.rest().await;
        assert_eq!(told.iter().filter(|what| *what == "descriptorRefused").count(), 1, "{told:?}");
    }
    Ok(())
}

pub(crate) async fn a_refused_descriptor_names_the_option() {
    let cluster = round_robin();
    let worker = cluster.start(Command::new(WORKER).args(["answer", "fd:0"]));
    let error = cluster.message(&worker).await;
    let error = error.as_str().expect("text");
    assert!(error.contains("Options::allow_descriptor") && error.contains("(EACCES)"), "{error}");
    cluster.descriptor_refused(&worker).await;
    cluster.end().await;
}

pub(crate) async fn a_worker_has_so_many_listeners() -> TestResult {
    let cluster = Watched::new(Options::default().listeners(3));
    let impostor = cluster.start(Command::new(IMPOSTOR));
    let mut key = Value::Null;
    for seq in 1..=3 {
        let reply = say(&cluster, &impostor, &query_with(seq, &json!({ "index": seq }))).await;
        assert_eq!(reply["errno"].as_i64().unwrap_or_default(), 0, "{reply}");
        key = reply["key"].clone();
    }
    let fourth = query_with(4, &json!({ "index": 4 }));
    assert_eq!(say(&cluster, &impostor, &fourth).await["errno"], EMFILE);
    assert_eq!(cluster.primary.listeners().len(), 3);
    // Another worker has listeners of its own.
    let other = cluster.start(Command::new(IMPOSTOR));
    assert_eq!(say(&cluster, &other, &fourth).await["errno"].as_i64().unwrap_or_default(), 0);
    // One that is closed makes room.
    let close = json!({ "cmd": "NODE_CLUSTER", "act": "close", "key": key, "seq": 5 });
    impostor.send(&json!({ "say": close })).await?;
    assert_eq!(say(&cluster, &impostor, &fourth).await["errno"].as_i64().unwrap_or_default(), 0);
    cluster.kill(&impostor).await;
    cluster.kill(&other).await;
    cluster.end().await;
    Ok(())
}

pub(crate) async fn an_idle_listener_is_closed() {
    let cluster = Watched::new(Options::default().idle_listener_limit(Duration::from_millis(200)));
    let impostor = cluster.start(Command::new(IMPOSTOR));
    let mut ports = Vec::new();
    for seq in 1..=20 {
        let reply = say(&cluster, &impostor, &query_with(seq, &json!({ "index": seq }))).await;
        ports.push(reply["sockname"]["port"].as_u64().expect("a port"));
    }
    let (serving, address) = cluster.server(rust("answer")).await;
    assert_eq!(cluster.primary.listeners().len(), 21);
    cluster.kill(&impostor).await;
    for port in ports {
        assert_eq!(u64::from(cluster.listener_closed().await), port, "in the order in which they were opened");
    }
    assert_eq!(cluster.listener().workers, 1);
    assert_eq!(number(&ask(address).await), serving.id());
    cluster.end().await;
}

pub(crate) async fn the_user_closes_a_listener() {
    let cluster = round_robin();
    let (stuck, address) = cluster.server(rust("stuck")).await;
    let crowd = Clients::of(3, address).await;
    cluster.waiting(2).await;
    let listener = cluster.listener();
    assert!(cluster.primary.close_listener(listener.id));
    assert!(!cluster.primary.close_listener(listener.id), "once");
    assert_eq!(cluster.primary.listeners(), []);
    // Those that waited. The third is the worker's.
    crowd.has_answers(2).await;
    assert!(TcpStream::connect(address).await.is_err());
    cluster.kill(&stuck).await;
    assert_eq!(crowd.answers().await, [""; 3]);
    cluster.end().await;
}

pub(crate) async fn a_connection_that_waits_too_long_is_closed() {
    let cluster = Watched::new(Options::default().waiting_time(Duration::from_millis(200)));
    let (stuck, address) = cluster.server(rust("stuck")).await;
    let crowd = Clients::of(5, address).await;
    // The worker holds the first, which does not wait.
    crowd.has_answers(4).await;
    assert_eq!((stuck.unanswered(), cluster.listener().waiting), (1, 0));
    cluster.kill(&stuck).await;
    assert_eq!(crowd.answers().await, [""; 5]);
    cluster.end().await;
}

/// When descriptors run out is hard to arrange from outside, so this asks the state machine.
pub(crate) async fn broken_connections_are_closed_before_the_oldest() -> TestResult {
    let (mut state, mut effects) = (PrimaryState::default(), Vec::new());
    let group = state.add_group(Options::default());
    let worker = state.next_worker();
    let query = FromWorker::QueryServer(Box::new(Query { port: Some(0), ..Query::default() }));
    let accepted = |connection| Input::Accepted { listener: 1, connection, client: None, is_scarce: false };
    let inputs = [
        Input::Forked { worker, group },
        Input::Message { worker, seq: Some(1), message: query },
        Input::Opened { listener: 1, local: None },
    ];
    // The worker holds the first connection; the others wait.
    for (time, input) in inputs.into_iter().chain((1..=6).map(accepted)).enumerate() {
        state.on(input, Duration::from_millis(time.try_into()?), &mut effects);
    }
    effects.clear();
    let now = Duration::from_millis(100);
    state.on(Input::SparesMissing { count: 3 }, now, &mut effects);
    let asked = effects.drain(..).find_map(|effect| match effect {
        Effect::FindBroken { connections, missing: 3 } => Some(connections),
        _ => None,
    });
    assert_eq!(asked.expect("it looks for the broken ones"), [2, 3, 4, 5, 6]);
    state.on(Input::Broken { connections: vec![5], missing: 3 }, now, &mut effects);
    let closed = effects.iter().filter_map(|effect| match effect {
        Effect::Close { connection, why } => Some((*connection, *why)),
        _ => None,
    });
    let closed: Vec<_> = closed.collect();
    assert_eq!(closed, [(5, Closed::ClientGone), (2, Closed::Scarce), (3, Closed::Scarce)]);
    Ok(())
}
