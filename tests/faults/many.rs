//! Many connections, after which every process has as many descriptors as before.

use std::io::Read;
use std::net::SocketAddr;

use forklore::cluster::schedule::Policy;
use harness::{Case, TestResult, named, until};
use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};

use crate::clients::number;
use crate::kit::{WORKER, faulty};
use crate::remote::Remote;

/// How many connections, by clients of which each comes again and again.
const CONNECTIONS: usize = 10_000;
const CLIENTS: usize = 25;

pub(crate) fn cases_with_rust() -> Vec<Case> {
    let program = || [WORKER, "answer", "127.0.0.1:0"].map(str::to_owned).to_vec();
    [Policy::RoundRobin, Policy::Shared, Policy::LeastConnections]
        .map(|policy| named(&format!("many: {policy}, Rust"), move || many(policy, program())))
        .to_vec()
}

pub(crate) fn cases_with_node() -> Vec<Case> {
    [Policy::RoundRobin, Policy::Shared]
        .map(|policy| named(&format!("many: {policy}, Node"), move || many(policy, faulty("answer").to_vec())))
        .to_vec()
}

/// A client, which comes again and again.
fn come(address: SocketAddr) -> std::io::Result<()> {
    let mut answer = String::new();
    for _ in 0..CONNECTIONS / CLIENTS {
        answer.clear();
        let mut connection = std::net::TcpStream::connect(address)?;
        connection.read_to_string(&mut answer)?;
        // Closed by a reset, as the others are.
        setsockopt(&connection, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 })?;
        number(&answer);
    }
    Ok(())
}

async fn many(policy: Policy, program: Vec<String>) -> TestResult {
    let mut primary = Remote::start(policy).await;
    let words: Vec<&str> = program.iter().map(String::as_str).collect();
    let (first, address) = primary.server(&words).await;
    let (second, same) = primary.server(&words).await;
    assert_eq!(same, address);
    let pids = [primary.child.pid(), first.pid, second.pid];
    let open = || pids.map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it is there").count());
    let before = open();
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::task::spawn_blocking(move || come(address))).collect();
    for client in clients {
        client.await??;
    }
    // The last ones are closed a little after they are answered.
    until(|| open() == before).await;
    assert_eq!(primary.rest().await, [""; 0]);
    Ok(())
}
