//! Who gets which connection, with real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

use forklore::cluster::schedule::Policy;
use harness::watched::watched;
use harness::{TestResult, until};
use tokio::net::{TcpSocket, TcpStream};

use crate::clients::{all_of, ask, number};
use crate::kit::{rust, stop};

/// Asks from another one of this machine's own addresses.
async fn ask_from(client: u8, address: SocketAddr) -> u32 {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, client), 0).into()).expect("an address of ours");
    let stream = socket.connect(address).await.expect("a connection");
    number(&all_of(stream).await)
}

pub(crate) async fn sticky_keeps_each_client_at_its_worker() {
    let cluster = watched(Policy::Sticky);
    let (workers, address) = cluster.servers(4, || rust("answer")).await;
    let mut homes = BTreeMap::new();
    for round in 0..4 {
        for client in 2..42 {
            let worker = ask_from(client, address).await;
            assert_eq!(*homes.entry(client).or_insert(worker), worker, "client {client}, round {round}");
        }
    }
    assert_eq!(homes.values().collect::<BTreeSet<_>>().len(), 4, "{homes:?}");
    cluster.kill(&workers[0]).await;
    for (client, home) in &homes {
        let worker = ask_from(*client, address).await;
        assert_eq!(worker == *home, *home != workers[0].id(), "client {client} of {home} is at {worker}");
    }
    cluster.end().await;
}

/// One that is late keeps its own clients waiting, and when it dies they go to the others.
pub(crate) async fn sticky_waits_for_a_stuck_worker_until_it_is_dead() -> TestResult {
    let cluster = watched(Policy::Sticky);
    let (workers, address) = cluster.servers(3, || rust("answer")).await;
    let mut homes = BTreeMap::new();
    for client in 2..32 {
        homes.insert(client, ask_from(client, address).await);
    }
    stop(&workers[0]).await;
    let mut clients = tokio::task::JoinSet::new();
    for (client, home) in homes.clone() {
        clients.spawn(async move { (home, ask_from(client, address).await) });
    }
    let its = homes.values().filter(|home| **home == workers[0].id()).count();
    assert!(its > 0);
    for _ in its..30 {
        let (home, worker) = clients.join_next().await.ok_or("nobody")??;
        assert_eq!(home, worker);
    }
    until(|| workers[0].unanswered() + cluster.listener().waiting == its).await;
    cluster.kill(&workers[0]).await;
    for (home, worker) in clients.join_all().await {
        assert!(home == workers[0].id() && worker != home);
    }
    cluster.end().await;
    Ok(())
}

pub(crate) async fn weights_are_respected() {
    let cluster = watched(Policy::Weighted);
    let (workers, address) = cluster.servers(3, || rust("answer")).await;
    for (worker, weight) in workers.iter().zip([1, 2, 5]) {
        worker.set_weight(weight);
    }
    let before: Vec<u64> = workers.iter().map(|worker| worker.given()).collect();
    for _ in 0..400 {
        number(&ask(address).await);
        cluster.all_answered().await;
    }
    let given: Vec<u64> = workers.iter().zip(before).map(|(worker, before)| worker.given() - before).collect();
    assert_eq!(given, [50, 100, 250]);
    cluster.end().await;
}

pub(crate) async fn a_worker_that_keeps_its_connections_gets_fewer() -> TestResult {
    let cluster = watched(Policy::LeastConnections);
    let (slow, address) = cluster.server(rust("hold")).await;
    let (prompt, _) = cluster.servers(2, || rust("answer")).await;
    let mut held = Vec::new();
    let mut answered = 0;
    while answered < 100 {
        let before = slow.given();
        let stream = TcpStream::connect(address).await?;
        until(|| prompt.iter().map(|worker| worker.given()).sum::<u64>() + slow.given() > answered + before).await;
        if slow.given() > before {
            held.push(stream);
        } else {
            number(&all_of(stream).await);
            answered += 1;
        }
    }
    // In turn it would have got one of three. Whether a connection is closed is heard a little later.
    assert!((1..=10).contains(&held.len()), "{}", held.len());
    until(|| prompt.iter().all(|worker| worker.taken() >= 30)).await;
    drop(held);
    // Its connections are still its own.
    cluster.kill(&slow).await;
    cluster.end().await;
    Ok(())
}
