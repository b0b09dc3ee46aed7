//! Whose connection it is: what a worker is passed, refuses, or shares.

use std::net::{Ipv4Addr, TcpListener};

use forklore::child_process::{Exit, Stdio, Writable};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{AddressType, Worker};
use harness::watched::{WHOLE_LIFE, Watched, round_robin, watched};
use harness::{TestResult, until};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::kit::{POLICIES, all_of, ask, get, node};

/// A worker that reads no message until its stdin says so, and a client whose connection it was handed.
async fn looking_away(cluster: &Watched) -> Result<(Worker, Writable, TcpStream), Box<dyn std::error::Error>> {
    let worker = cluster.start(node("server.js", "looksAway").stdin(Stdio::Pipe));
    let address = cluster.listening_at(&worker).await;
    cluster.tell(&worker, "look away", "looking away").await;
    let stdin = worker.with_child(|child| child.stdin.take()).ok_or("no pipe")?;
    let client = TcpStream::connect(address).await?;
    until(|| worker.unanswered() == 1).await;
    Ok((worker, stdin, client))
}

pub(crate) async fn a_connection_for_a_closed_server_goes_to_another_worker() -> TestResult {
    let cluster = round_robin();
    let (first, mut stdin, client) = looking_away(&cluster).await?;
    let (second, _) = cluster.server(node("server.js", "net")).await;
    // Now the first one closes its server, and then finds the connection.
    stdin.write_all(b"!").await?;
    assert_eq!(all_of(client).await, second.id().to_string());
    cluster.end().await;
    assert_eq!((first.given(), first.taken(), first.unanswered()), (1, 0, 0));
    assert_eq!((second.given(), second.taken()), (1, 1));
    Ok(())
}

pub(crate) async fn a_refused_connection_waits_for_a_server() -> TestResult {
    let cluster = round_robin();
    let (worker, mut stdin, client) = looking_away(&cluster).await?;
    stdin.write_all(b"!").await?;
    cluster.waiting(1).await;
    assert_eq!((worker.taken(), worker.unanswered()), (0, 0));
    let (successor, _) = cluster.server(node("server.js", "net")).await;
    assert_eq!(all_of(client).await, successor.id().to_string());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn an_unread_connection_of_a_dead_worker_goes_to_another_worker() -> TestResult {
    let cluster = round_robin();
    let (dying, _stdin, client) = looking_away(&cluster).await?;
    let (other, _) = cluster.server(node("server.js", "net")).await;
    cluster.kill(&dying).await;
    assert_eq!(all_of(client).await, other.id().to_string());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_connection_of_ours_is_served_by_a_workers_http_server() -> TestResult {
    let cluster = round_robin();
    let (worker, _) = cluster.server(node("server.js", "http")).await;
    let ours = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let response = tokio::spawn(get(ours.local_addr()?));
    let (socket, _) = tokio::task::spawn_blocking(move || ours.accept()).await??;
    worker.send_handle("serve this", socket).await.map_err(|not_sent| not_sent.error)?;
    assert_eq!(response.await?, worker.id().to_string());
    // The primary's own business was none of it.
    assert_eq!(worker.given(), 0);
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_that_exits_with_handles_on_the_way_loses_none() -> TestResult {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "exits"));
    let ours = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut sent = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(TcpStream::connect(ours.local_addr()?).await?);
        let (worker, socket) = (worker.clone(), ours.accept()?.0);
        sent.push(tokio::spawn(async move { worker.send_handle("take it", socket).await }));
    }
    assert_eq!(cluster.exit(&worker).await, Exit::Code(42));
    for sent in sent {
        // Whether it had come there or not: each has an answer, and is ours again.
        let handle = match sent.await? {
            Ok(handle) => handle,
            Err(not_sent) => not_sent.handle.ok_or("the handle is lost")?,
        };
        drop(handle.into_tcp_stream()?);
    }
    for client in clients {
        assert_eq!(all_of(client).await, "");
    }
    let (next, address) = cluster.server(node("server.js", "net")).await;
    assert_eq!(ask(address).await, next.id().to_string());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn one_of_two_closes_and_listens_again() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (first, address) = cluster.server(node("server.js", "net")).await;
        let (second, same) = cluster.server(node("server.js", "net")).await;
        assert_eq!(same, address);
        cluster.tell(&first, "close", "closed").await;
        until(|| cluster.listener().workers == 1).await;
        assert_eq!(ask(address).await, second.id().to_string());
        first.send("again").await?;
        assert_eq!(cluster.listening_at(&first).await, address);
        assert_eq!(cluster.message(&first).await, "again");
        // Alone, it still serves that port.
        cluster.tell(&second, "close", "closed").await;
        until(|| cluster.listener().workers == 1).await;
        assert_eq!(ask(address).await, first.id().to_string());
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn a_server_in_a_domain_listens() {
    let cluster = round_robin();
    let (worker, address) = cluster.server(node("server.js", "domain")).await;
    assert_eq!(ask(address).await, worker.id().to_string());
    assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
}

pub(crate) async fn workers_share_the_keys_of_tls_tickets() -> TestResult {
    let cluster = round_robin();
    let (workers, address) = cluster.servers(2, || node("tls.js", "worker")).await;
    let keys = [cluster.message(&workers[0]).await, cluster.message(&workers[1]).await];
    assert_eq!(keys[0], keys[1]);
    let client = node("tls.js", "client").arg(address.port().to_string());
    let (first, resumed, second, again): (String, bool, String, bool) =
        serde_json::from_slice(&forklore::child_process::exec_file(client).await?.stdout)?;
    // Two workers, and one session.
    assert_ne!(first, second);
    assert_eq!((resumed, again), (false, true));
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_unix_socket_is_served_and_removed() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?.join("socket");
        // It is the worker that knows where "socket" is.
        let options = json!({ "path": "socket", "readableAll": true, "writableAll": true }).to_string();
        let command = || node("server.js", "net").arg(&options).cwd(folder.path());
        let workers = [cluster.start(command()), cluster.start(command())];
        for worker in &workers {
            let address = cluster.listening(worker).await;
            assert_eq!((address.to_string(), address.address_type), (path.display().to_string(), AddressType::Unix));
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata()?.permissions());
        assert_eq!(mode & 0o666, 0o666, "{mode:o}");
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(all_of(tokio::net::UnixStream::connect(&path).await?).await);
            cluster.all_answered().await;
        }
        if policy == Policy::RoundRobin {
            assert_eq!(answers[..2], answers[2..], "in turn");
            assert_ne!(answers[0], answers[1]);
        }
        cluster.end().await;
        assert!(!path.exists());
    }
    Ok(())
}
