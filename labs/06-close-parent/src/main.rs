//! A parent that sends its listening socket to two children and closes its own: they answer, until the last one closes.
//!
//! The parent's view is here, the children's in `child.rs`, how any of the three answers a connection in `serve.rs`, and who asks in
//! `client.rs`.

mod child;
mod client;
mod serve;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use client::{ask, knock};
use forklore::ipc::Handle;
use kit::roles::Role;
use kit::{Result, roles};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use transcript::{ArrowKind, Transcript};

const NAMES: [&str; 3] = ["parent", "child 1", "child 2"];
const CONNECTIONS: usize = 20;

fn main() -> ExitCode {
    match roles::played() {
        Some(name) => transcript::run_child(|t| child::child(t, name)),
        None => transcript::run(&NAMES, parent),
    }
}

/// Sends a listener to both children, closes it here, and counts the answers by each of [`NAMES`].
async fn hand_over(t: &Transcript, children: &[Role], protocol: &str) -> Result<(SocketAddr, [usize; 3])> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    // ANCHOR: hand-over
    let mut handle = Handle::of(&listener)?;
    // We serve, too, as long as we have it.
    let mut own = JoinSet::new();
    own.spawn(serve::accept(listener, protocol.to_owned(), NAMES[0].to_owned()));
    t.say(format!("listening for {protocol} on port {}", address.port()));
    for child in children {
        t.arrow(ArrowKind::Handle, &child.speaker, "server");
        // It comes back when the child has said that it has it.
        handle = child.channel.send_handle(protocol, handle).await?;
        child.answer::<String>().await?;
    }
    drop(handle);
    own.shutdown().await;
    t.say(format!("closed mine; now {CONNECTIONS} connections"));
    // ANCHOR_END: hand-over

    let mut answers = Vec::new();
    for _ in 0..CONNECTIONS {
        answers.push(ask(address, protocol).await?);
    }
    let counts = NAMES.map(|name| answers.iter().filter(|answer| *answer == name).count());
    for (name, count) in NAMES.iter().zip(counts) {
        t.say(format!("{name} answered {count}"));
    }
    Ok((address, counts))
}

async fn parent(t: Transcript) -> Result {
    t.step("Over TCP: the children get the server, the parent closes it");
    let children = [roles::fork(&t, NAMES[1], NAMES[1])?, roles::fork(&t, NAMES[2], NAMES[2])?];
    let (tcp, over_tcp) = hand_over(&t, &children, "TCP").await?;

    t.step("The same over HTTP");
    let (http, over_http) = hand_over(&t, &children, "HTTP").await?;

    t.step("The children close, too");
    children[0].ask::<String>("close").await?;
    t.say(format!("a connection while one child still listens: {} answers", knock(tcp, "TCP").await?));
    children[1].ask::<String>("close").await?;
    let mut ends = vec![knock(tcp, "TCP").await?, knock(http, "HTTP").await?];
    t.say(format!("when the last one has closed: {}", ends.join(" and ")));

    for child in children {
        child.end().await?;
    }
    for (protocol, [parent, first, second]) in [("TCP", over_tcp), ("HTTP", over_http)] {
        t.fact(format!("answered by the parent over {protocol}"), format!("{parent} of {CONNECTIONS}"));
        t.fact(format!("answered by the children over {protocol}"), format!("{} of {CONNECTIONS}", first + second));
    }
    ends.dedup();
    t.fact("when the last holder had closed", ends.join(", "));
    Ok(())
}
