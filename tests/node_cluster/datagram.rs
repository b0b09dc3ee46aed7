//! UDP: one socket, which all have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

use forklore::cluster::Options;
use harness::TestResult;
use harness::watched::{IDLE_LIFE, Watched, round_robin, watched};
use serde_json::json;

use crate::kit::{POLICIES, node, node_with};

pub(crate) async fn forty_datagrams_arrive_at_one_of_four() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (_, address) = cluster.servers(4, || node("datagram.js", "receives")).await;
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut sent = BTreeSet::new();
        let mut arrived = BTreeSet::new();
        for number in 0..40 {
            client.send_to(number.to_string().as_bytes(), address)?;
            sent.insert(number.to_string());
        }
        while arrived.len() < 40 {
            let number = cluster.any_message().await;
            assert!(arrived.insert(number.as_str().ok_or("no text")?.to_owned()), "{number} came twice");
        }
        assert_eq!(arrived, sent);
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn all_send_from_the_shared_socket() -> TestResult {
    let cluster = round_robin();
    let (workers, address) = cluster.servers(4, || node("datagram.js", "sends")).await;
    let server = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    for worker in &workers {
        worker.send(&server.local_addr()?.port()).await?;
    }
    let mut times = BTreeMap::new();
    for _ in 0..40 {
        let mut buffer = [0; 16];
        let (length, from) = server.recv_from(&mut buffer).await?;
        assert_eq!(from, address);
        *times.entry(String::from_utf8(buffer[..length].to_vec())?).or_insert(0) += 1;
    }
    assert_eq!(times, (0..10).map(|number| (number.to_string(), 4)).collect());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_descriptor_of_the_primary_is_bound() -> TestResult {
    let ours = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let cluster = Watched::new(Options::default().allow_descriptor(ours.as_raw_fd()));
    let worker = cluster.start(node_with("datagram.js", "receives", &json!({ "fd": ours.as_raw_fd() })));
    assert_eq!(cluster.listening(&worker).await.fd, Some(ours.as_raw_fd().into()));
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(b"through your socket", ours.local_addr()?)?;
    assert_eq!(cluster.message(&worker).await, "through your socket");
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_can_bind_again_and_again() {
    let cluster = round_robin();
    let worker = cluster.start(node("datagram.js", "again"));
    assert_eq!(cluster.message(&worker).await, json!({ "apart": true }));
    let life = cluster.end().await;
    assert_eq!(life.of(&worker).iter().filter(|event| **event == "listening").count(), 17);
}

pub(crate) async fn ipv6_only_is_ipv6_only() {
    let cluster = round_robin();
    let worker = cluster.start(node("datagram.js", "apart"));
    assert_eq!(cluster.message(&worker).await, json!({ "same": true }));
    cluster.end().await;
}

pub(crate) async fn a_udp_port_in_use_is_refused() -> TestResult {
    let cluster = round_robin();
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let there = json!({ "address": "127.0.0.1", "port": taken.local_addr()?.port() });
    let worker = cluster.start(node_with("datagram.js", "receives", &there));
    assert_eq!(cluster.message(&worker).await, json!({ "code": "EADDRINUSE" }));
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    Ok(())
}
