//! What a worker may use of its primary, and how the user limits it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forklore::child_process::{Command, Exit, Signal, Stdio};
use forklore::cluster::schedule::Policy;
use forklore::cluster::state::primary::{Closed, Effect, Input, PrimaryState};
use forklore::cluster::state::{FromWorker, Query};
use forklore::cluster::{Disconnection, Options};
use forklore::ipc::{Ending, Handle, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;

use crate::clients::{Crowd, ask, heard, number};
use crate::harness::root;
use crate::kit::{IMPOSTOR, Outcome, PROGRAMS, WORKER, rust, until};
use crate::malice::query_with;
use crate::remote::Remote;
use crate::watched::{Watched, round_robin, say, stop};

/// Linux's error numbers, negative as a worker is answered.
const EACCES: i64 = -13;
const EINVAL: i64 = -22;
const EMFILE: i64 = -24;

/// How many clients there are for a primary with 1,024 descriptors, which cannot accept them all.
const CLIENTS: usize = 1500;

/// When the workers are killed: more than the primary has descriptors for have connected.
const CONNECTED: usize = 1200;

pub(crate) async fn workers_are_replaced_when_descriptors_run_out() -> Outcome {
    let mut primary = Remote::limited(1024, 1024, &json!({ "refork": true })).await;
    let script = root().join("tests/node/faulty.js");
    let (mut workers, mut address) = (Vec::new(), None);
    for _ in 0..4 {
        let (worker, here) = primary.server(&["node", script.to_str().expect("text"), "answer"]).await;
        workers.push(worker);
        address = Some(here);
    }
    let address: SocketAddr = address.expect("a worker");
    let pid = |pid: u32| nix::unistd::Pid::from_raw(pid.try_into().expect("a process id"));
    for worker in &workers {
        nix::sys::signal::kill(pid(worker.pid), nix::sys::signal::Signal::SIGSTOP)?;
    }
    let (connected, mut clients) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..CLIENTS {
        let connected = connected.clone();
        clients.spawn(async move {
            let stream = TcpStream::connect(address).await.expect("a connection");
            connected.fetch_add(1, Ordering::Relaxed);
            heard(stream).await
        });
    }
    until(|| connected.load(Ordering::Relaxed) >= CONNECTED).await;
    for worker in &workers {
        nix::sys::signal::kill(pid(worker.pid), nix::sys::signal::Signal::SIGKILL)?;
    }
    for worker in workers {
        primary.sees("exit", worker).await;
        primary.next("fork").await;
    }
    let answers = clients.join_all().await;
    let answered = answers.iter().filter(|(text, _)| !text.is_empty()).map(|(text, _)| number(text)).count();
    // A fork may close as many of the oldest as spare descriptors are missing after it.
    assert!(answered >= CLIENTS - 4 * 16, "{answered} were answered");
    Ok(())
}

/// The workers have the limit that the primary was started with, and the primary has the highest that it may have.
pub(crate) async fn the_primary_raises_its_limit_and_not_the_workers() -> Outcome {
    for (wishes, soft) in [(json!({}), "3000"), (json!({ "keepLimit": true }), "1000")] {
        let mut primary = Remote::limited(1000, 3000, &wishes).await;
        let script = r#"echo "[\"$(ulimit -Sn)\",\"$(ulimit -Hn)\"]" >&3; exec cat <&3 >&2"#;
        let worker = primary.fork("fork", &["sh", "-c", script]).await;
        assert_eq!(primary.message(worker).await, json!(["1000", "3000"]));
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", primary.child.pid()))?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a limit");
        assert_eq!(line.split_whitespace().next(), Some(soft));
    }
    Ok(())
}

/// A worker that asks for every descriptor of its primary gets the announced one, under every policy.
pub(crate) async fn only_announced_descriptors_are_given() -> Outcome {
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

pub(crate) async fn a_refused_descriptor_names_the_option() -> Outcome {
    let cluster = round_robin();
    let worker = cluster.start(Command::new(WORKER).args(["answer", "fd:0"]));
    let error = cluster.message(&worker).await;
    let error = error.as_str().expect("text");
    assert!(error.contains("Options::allow_descriptor") && error.contains("(EACCES)"), "{error}");
    cluster.descriptor_refused(&worker).await;
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_has_so_many_listeners() -> Outcome {
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

pub(crate) async fn an_idle_listener_is_closed() -> Outcome {
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
    Ok(())
}

pub(crate) async fn the_user_closes_a_listener() -> Outcome {
    let cluster = round_robin();
    let (stuck, address) = cluster.server(rust("stuck")).await;
    let crowd = Crowd::of(3, address).await;
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
    Ok(())
}

pub(crate) async fn what_waits_too_long_is_closed() -> Outcome {
    let cluster = Watched::new(Options::default().waiting_time(Duration::from_millis(200)));
    let (stuck, address) = cluster.server(rust("stuck")).await;
    let crowd = Crowd::of(5, address).await;
    // The worker holds the first, which does not wait.
    crowd.has_answers(4).await;
    assert_eq!((stuck.unanswered(), cluster.listener().waiting), (1, 0));
    cluster.kill(&stuck).await;
    assert_eq!(crowd.answers().await, [""; 5]);
    cluster.end().await;
    Ok(())
}

/// When descriptors run out is hard to arrange from outside, so this asks the state machine.
pub(crate) async fn the_broken_are_closed_and_then_the_oldest() -> Outcome {
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
        Effect::FindBroken { connections } => Some(connections),
        _ => None,
    });
    assert_eq!(asked.expect("it looks for the broken ones"), [2, 3, 4, 5, 6]);
    state.on(Input::Broken { connections: vec![5] }, now, &mut effects);
    let closed = effects.iter().filter_map(|effect| match effect {
        Effect::Close { connection, why } => Some((*connection, *why)),
        _ => None,
    });
    let closed: Vec<_> = closed.collect();
    assert_eq!(closed, [(5, Closed::ClientGone), (2, Closed::Scarce), (3, Closed::Scarce)]);
    Ok(())
}

/// A worker that is a shell: its channel is its third descriptor.
fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script]).stdin(Stdio::Pipe)
}

/// Starts it, and ends it when its channel has ended. How the channel has ended.
async fn ending_of(cluster: &Watched, command: Command) -> Disconnection {
    let worker = cluster.start(command);
    let how = cluster.disconnected(&worker).await;
    let same = worker.disconnection().expect("it has ended");
    assert_eq!((how.ending, format!("{:?}", how.error)), (same.ending, format!("{:?}", same.error)));
    drop(worker.with_child(|child| child.stdin.take()));
    cluster.exit(&worker).await;
    how
}

/// The sentence of an error that ended a channel.
fn sentence(how: &Disconnection) -> String {
    assert_eq!(how.ending, Ending::Failed);
    how.error.as_ref().expect("an error").to_string()
}

pub(crate) async fn the_reason_of_an_end_is_told() -> Outcome {
    let cluster = Watched::new(Options::default().message_limit(1000));
    let said = [
        ("echo no JSON >&3; exec cat", "no JSON"),
        (r#"printf "%02000d\n" 7 >&3; exec cat"#, "a message of more than 1000 bytes"),
        (r#"printf "\0\0\0\1\377\017\n" >&3; exec cat"#, "\"advanced\""),
    ];
    for (script, reason) in said {
        let sentence = sentence(&ending_of(&cluster, shell(script)).await);
        assert!(sentence.contains(reason), "{sentence}");
    }
    // In the middle of a message, and between two.
    for (script, ending) in
        [("printf half >&3; exec 3>&-; exec cat", Ending::CutShort), ("exec 3>&-; exec cat", Ending::PeerClosed)]
    {
        let how = ending_of(&cluster, shell(script)).await;
        assert_eq!((how.ending, how.error.is_none()), (ending, true));
    }
    let killed = cluster.start(shell("exec cat"));
    assert!(killed.disconnection().is_none());
    assert!(killed.kill(Signal::SIGKILL)?);
    let how = cluster.disconnected(&killed).await;
    assert_eq!((how.ending, how.error.is_none()), (Ending::PeerClosed, true));
    assert_eq!(cluster.exit(&killed).await, Exit::Signal(Signal::SIGKILL));
    let (leaving, _) = cluster.server(rust("answer")).await;
    leaving.disconnect();
    let how = cluster.disconnected(&leaving).await;
    assert_eq!((how.ending, how.error.is_none()), (Ending::PeerClosed, true));
    cluster.end().await;
    Ok(())
}

/// A worker's own settings hold unless the options say otherwise.
pub(crate) async fn settings_of_a_channel_are_merged() -> Outcome {
    let long =
        || shell(r#"printf "%02000d\n" 7 >&3; exec cat"#).channel_settings(Settings::default().message_limit(500));
    let limit = |how: Disconnection| sentence(&how).split_whitespace().find_map(|word| word.parse::<u32>().ok());
    let cluster = round_robin();
    assert_eq!(limit(ending_of(&cluster, long()).await), Some(500));
    cluster.end().await;
    let cluster = Watched::new(Options::default().message_limit(1500));
    assert_eq!(limit(ending_of(&cluster, long()).await), Some(1500));
    cluster.end().await;
    Ok(())
}

/// Four handles are on their way although the cluster's own window is one.
pub(crate) async fn a_window_of_a_channel_is_kept() -> Outcome {
    let cluster = Watched::new(Options::default().window(1));
    let command = Command::new("sh").args(["-c", "exec cat <&3"]).stdout(Stdio::Pipe);
    let worker = cluster.start(command.channel_settings(Settings::default().window(4)));
    let mut sending = JoinSet::new();
    for _ in 0..4 {
        let (worker, socket) = (worker.clone(), UdpSocket::bind("127.0.0.1:0").await?.into_std()?);
        // None is acknowledged: `cat` only copies.
        sending.spawn(async move { worker.send_handle("take this", Handle::NativeDatagram(socket.into())).await });
    }
    let output = worker.with_child(|child| child.stdout.take()).expect("a pipe");
    let mut lines = BufReader::new(output).lines();
    for _ in 0..4 {
        assert!(lines.next_line().await?.expect("a line").contains("NODE_HANDLE"));
    }
    cluster.kill(&worker).await;
    while let Some(sent) = sending.join_next().await {
        assert!(sent?.is_err());
    }
    cluster.end().await;
    Ok(())
}

/// A stopped worker can do nothing for the end of its channel.
pub(crate) async fn a_channel_is_closed_at_once() -> Outcome {
    let cluster = round_robin();
    let (stopped, address) = cluster.server(rust("answer")).await;
    stop(&stopped).await;
    let crowd = Crowd::of(5, address).await;
    until(|| stopped.unanswered() == 1).await;
    stopped.close_channel();
    assert_eq!(cluster.disconnected(&stopped).await.ending, Ending::PeerClosed);
    assert!(!stopped.is_connected() && !stopped.is_dead());
    // Its connection has come back, and is the first of those that wait.
    cluster.waiting(5).await;
    let (other, _) = cluster.server(rust("answer")).await;
    assert_eq!(crowd.workers().await, [other.id(); 5]);
    cluster.kill(&stopped).await;
    cluster.end().await;
    Ok(())
}

/// A worker that runs learns it from the end of its channel, and exits.
pub(crate) async fn a_worker_exits_when_its_channel_is_closed() -> Outcome {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (worker, _) = cluster.server(program("answer")).await;
        worker.close_channel();
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        cluster.end().await;
    }
    Ok(())
}
