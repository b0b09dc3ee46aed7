//! Where Node workers listen: TCP.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::time::Duration;

use forklore::child_process::{Exit, Signal};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{AddressType, Options};
use harness::watched::{IDLE_LIFE, Watched, round_robin, watched};
use harness::{TestResult, until};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use serde_json::json;
use tokio::net::TcpStream;

use crate::kit::{POLICIES, all_of, ask, get, node, node_with};

pub(crate) async fn listening_says_the_port_that_was_found() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let worker = cluster.start(node("server.js", "net"));
        let address = cluster.listening(&worker).await;
        assert_eq!((address.address.as_deref(), address.address_type), (Some("127.0.0.1"), AddressType::Tcp4));
        assert!(address.port > 0, "{address}");
        let listeners = cluster.primary.listeners();
        assert_eq!(listeners[0].local, Some((Ipv4Addr::LOCALHOST, address.port).into()));
        cluster.end().await;
    }
}

pub(crate) async fn listen_needs_nothing_but_a_callback() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let worker = cluster.start(node("server.js", "bare"));
        let address = cluster.listening(&worker).await;
        assert_eq!((&address.address, cluster.message(&worker).await), (&None, json!(address.port)));
        let by = |ip: std::net::IpAddr| ask((ip, address.port).into());
        assert_eq!(by(Ipv4Addr::LOCALHOST.into()).await, worker.id().to_string());
        cluster.end().await;
    }
}

pub(crate) async fn a_hundred_connections_are_25_for_each_of_four() {
    let cluster = round_robin();
    let (workers, address) = cluster.servers(4, || node("server.js", "http")).await;
    let mut answers = BTreeMap::new();
    for _ in 0..100 {
        *answers.entry(get(address).await).or_insert(0) += 1;
        cluster.all_answered().await;
    }
    let even = workers.iter().map(|worker| (worker.id().to_string(), 25)).collect();
    assert_eq!(answers, even);
    cluster.end().await;
    for worker in workers {
        assert_eq!((worker.given(), worker.taken(), worker.unanswered()), (25, 25, 0));
    }
}

pub(crate) async fn workers_accept_by_themselves_on_a_shared_socket() {
    let cluster = watched(Policy::Shared);
    let (workers, address) = cluster.servers(2, || node("server.js", "http")).await;
    let ids: Vec<String> = workers.iter().map(|worker| worker.id().to_string()).collect();
    for _ in 0..20 {
        assert!(ids.contains(&get(address).await));
    }
    // The primary has seen none of them.
    assert_eq!((workers[0].given(), workers[1].given()), (0, 0));
    // Now there is only one who can answer, on the same port.
    workers[0].disconnect();
    cluster.exit(&workers[0]).await;
    assert_eq!(get(address).await, ids[1]);
    cluster.end().await;
}

pub(crate) async fn every_policy_serves_with_node_workers() -> TestResult {
    for policy in Policy::ALL {
        let cluster = watched(policy);
        let (_, address) = cluster.servers(2, || node("server.js", "http")).await;
        let mut times = [0, 0];
        for _ in 0..10 {
            times[get(address).await.parse::<usize>()? - 1] += 1;
            cluster.all_answered().await;
        }
        match policy {
            Policy::RoundRobin | Policy::Weighted | Policy::LeastConnections => assert_eq!(times, [5, 5], "{policy}"),
            Policy::Sticky => assert!(times.contains(&10), "{policy}: {times:?}"),
            _ => {}
        }
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn two_servers_for_any_port_have_two_ports() -> TestResult {
    let cluster = round_robin();
    let workers = [cluster.start(node("server.js", "pair")), cluster.start(node("server.js", "pair"))];
    let ports = [cluster.message(&workers[0]).await, cluster.message(&workers[1]).await];
    assert_eq!(ports[0], ports[1], "the first of one is the first of the other");
    let ports: [u16; 2] = serde_json::from_value(ports[0].clone())?;
    assert_ne!(ports[0], ports[1]);
    for port in ports {
        let mut answers =
            [ask((Ipv4Addr::LOCALHOST, port).into()).await, ask((Ipv4Addr::LOCALHOST, port).into()).await];
        answers.sort();
        assert_eq!(answers, ["1", "2"], "each port is served by both");
    }
    let life = cluster.end().await;
    for worker in &workers {
        assert_eq!(life.of(worker), ["fork", "online", "listening", "listening", "disconnect", "exit"]);
    }
    Ok(())
}

pub(crate) async fn ipv6_without_ipv6_only_is_ipv4_too() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let everywhere = json!({ "host": "::", "port": 0, "ipv6Only": false });
        let workers = [0, 1].map(|_| cluster.start(node_with("server.js", "net", &everywhere)));
        let ports = [cluster.listening(&workers[0]).await.port, cluster.listening(&workers[1]).await.port];
        assert_eq!(ports[0], ports[1]);
        for address in [(Ipv4Addr::LOCALHOST, ports[0]).into(), (Ipv6Addr::LOCALHOST, ports[0]).into()] {
            assert!(["1", "2"].contains(&&*ask(address).await));
        }
        cluster.end().await;
    }
}

async fn ipv6_only(policy: Policy) -> TestResult {
    let only = json!({ "host": "::", "port": 0, "ipv6Only": true });
    // Another process may have a port for IPv4, but not each of these.
    for _ in 0..8 {
        let cluster = watched(policy);
        let worker = cluster.start(node_with("server.js", "net", &only));
        let port = cluster.listening(&worker).await.port;
        assert_eq!(ask((Ipv6Addr::LOCALHOST, port).into()).await, worker.id().to_string());
        let free = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
        cluster.end().await;
        if free.is_ok() {
            return Ok(());
        }
    }
    Err("IPv4 was never free".into())
}

pub(crate) async fn ipv6_only_leaves_ipv4_free() -> TestResult {
    for policy in POLICIES {
        ipv6_only(policy).await?;
    }
    Ok(())
}

pub(crate) async fn a_descriptor_of_the_primary_is_served() -> TestResult {
    for policy in POLICIES {
        let ours = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let cluster = Watched::new(Options::default().policy(policy).allow_descriptor(ours.as_raw_fd()));
        let worker = cluster.start(node_with("server.js", "net", &json!({ "fd": ours.as_raw_fd() })));
        let address = cluster.listening(&worker).await;
        assert_eq!(
            (address.fd, address.to_string()),
            (Some(ours.as_raw_fd().into()), format!("descriptor {}", ours.as_raw_fd()))
        );
        assert_eq!(cluster.listener().local, Some(ours.local_addr()?));
        assert_eq!(ask(ours.local_addr()?).await, worker.id().to_string());
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn an_exclusive_server_is_the_workers_own() -> TestResult {
    let cluster = round_robin();
    let mut own = json!({ "host": "127.0.0.1", "port": 0, "exclusive": true });
    let worker = cluster.start(node_with("server.js", "address", &own));
    let port = cluster.message(&worker).await["port"].clone();
    assert_eq!(cluster.primary.listeners(), []);
    let address = (Ipv4Addr::LOCALHOST, u16::try_from(port.as_u64().ok_or("no port")?)?).into();
    assert_eq!(ask(address).await, worker.id().to_string());
    // What one worker has for itself the next one does not get.
    own["port"] = port;
    let other = cluster.start(node_with("server.js", "address", &own));
    assert_eq!(cluster.message(&other).await["code"], "EADDRINUSE");
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    Ok(())
}

pub(crate) async fn a_listener_has_the_backlog_that_the_worker_wants() -> TestResult {
    let cluster = round_robin();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("socket");
    let worker = cluster.start(node_with("server.js", "net", &json!({ "path": path, "backlog": 3 })));
    cluster.listening(&worker).await;
    // Until we wait for something nobody accepts. A Unix socket says at once that its backlog is full.
    let mut clients = Vec::new();
    let refusal = loop {
        let client = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_NONBLOCK, None)?;
        match connect(client.as_raw_fd(), &UnixAddr::new(&path)?) {
            Ok(()) => clients.push(tokio::net::UnixStream::from_std(client.into())?),
            Err(refusal) => break refusal,
        }
    };
    // The kernel lets in one more than it is told.
    assert_eq!((refusal, clients.len()), (Errno::EAGAIN, 4));
    for client in clients {
        assert_eq!(all_of(client).await, worker.id().to_string());
    }
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_listener_waits_for_a_successor() -> TestResult {
    let cluster = round_robin();
    let (first, address) = cluster.server(node("server.js", "net")).await;
    assert!(first.kill(Signal::SIGKILL)?);
    assert_eq!(cluster.exit(&first).await, Exit::Signal(Signal::SIGKILL));
    assert_eq!(cluster.primary.workers(), []);
    let client = TcpStream::connect(address).await?;
    cluster.waiting(1).await;
    assert_eq!(cluster.listener().workers, 0);
    // It asks for any port, as the first one did, and gets what that one had.
    let (second, same) = cluster.server(node("server.js", "net")).await;
    assert_eq!(same, address);
    assert_eq!(all_of(client).await, second.id().to_string());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_closed_listener_lingers_for_a_successor_if_it_is_to() -> TestResult {
    let cluster = round_robin();
    let (first, address) = cluster.server(node("server.js", "net")).await;
    cluster.tell(&first, "close", "closed").await;
    until(|| cluster.listener().workers == 0).await;
    let (second, same) = cluster.server(node("server.js", "net")).await;
    assert_eq!(same, address);
    assert_eq!(ask(address).await, second.id().to_string());
    cluster.end().await;

    let cluster = Watched::new(Options::default().linger(Duration::ZERO));
    let (worker, address) = cluster.server(node("server.js", "net")).await;
    cluster.tell(&worker, "close", "closed").await;
    until(|| cluster.primary.listeners().is_empty()).await;
    // Until they execute, processes that are started meanwhile have all that we have, and so the port, too.
    until(|| TcpListener::bind(address).is_ok()).await;
    // And it can listen again.
    worker.send("again").await?;
    let address = cluster.listening_at(&worker).await;
    assert_eq!((cluster.message(&worker).await, ask(address).await), (json!("again"), worker.id().to_string()));
    cluster.end().await;
    Ok(())
}
