//! A parent that sends its listening socket to two children and closes its own: they answer, until the last one closes.
//!
//! The parent's view is here, the children's in `child.rs`, how any of the three answers a connection in `serve.rs`, and who asks in
//! `client.rs`.

mod child;
mod client;
mod serve;

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use forklore::child_process::{Child, Command, Stdio};
use forklore::ipc::{Channel, Handle};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use transcript::{ArrowKind, Transcript};

const PARENT: &str = "parent";
const CHILDREN: [&str; 2] = ["child 1", "child 2"];
const CONNECTIONS: usize = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [role, voice] if role == "child" => transcript::run_child(|t| child::child(t, voice.clone())),
        _ => transcript::run(&[PARENT, CHILDREN[0], CHILDREN[1]], parent),
    }
}

async fn parent(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("Over TCP: the children get the server, the parent closes it");
    let children = [Forked::start(&t, CHILDREN[0])?, Forked::start(&t, CHILDREN[1])?];
    let tcp = hand_over(&t, &children, "TCP").await?;

    t.step("The same over HTTP");
    let http = hand_over(&t, &children, "HTTP").await?;

    t.step("The children close, too");
    children[0].tell("close").await?;
    t.say(format!("a connection while one child still listens: {} answers", knock(tcp.address).await?));
    children[1].tell("close").await?;
    let mut ends = vec![knock(tcp.address).await?, knock(http.address).await?];
    t.say(format!("when the last one has closed: {}", ends.join(" and ")));

    for Forked { mut process, channel, .. } in children {
        channel.disconnect().await;
        process.close().await?;
    }
    for (protocol, answered) in [("TCP", tcp), ("HTTP", http)] {
        t.fact(format!("answered by the parent over {protocol}"), format!("{} of {CONNECTIONS}", answered.by_parent));
        t.fact(
            format!("answered by the children over {protocol}"),
            format!("{} of {CONNECTIONS}", answered.by_children),
        );
    }
    ends.dedup();
    t.fact("when the last holder had closed", ends.join(", "));
    Ok(())
}

/// A child and our end of its channel.
struct Forked {
    voice: &'static str,
    process: Child,
    channel: Channel,
}

impl Forked {
    fn start(t: &Transcript, voice: &'static str) -> Result<Forked, Box<dyn Error>> {
        let command = Command::new(std::env::current_exe()?).args(["child", voice]);
        let command = command.stdin(Stdio::Ignore).stdout(Stdio::Ignore).kill_on_drop();
        let (process, channel) = t.seat(voice, command)?.fork()?;
        Ok(Forked { voice, process, channel })
    }

    async fn tell(&self, message: &str) -> Result<(), Box<dyn Error>> {
        self.channel.send(message).await?;
        self.done().await
    }

    async fn done(&self) -> Result<(), Box<dyn Error>> {
        let message = self.channel.recv().await?;
        message.map(drop).ok_or_else(|| format!("{} ended", self.voice).into())
    }
}

/// Where the children listen now, and how many answers were whose.
struct Answered {
    address: SocketAddr,
    by_parent: usize,
    by_children: usize,
}

/// Sends the server to both children, closes it here, and counts who answers.
async fn hand_over(t: &Transcript, children: &[Forked], protocol: &'static str) -> Result<Answered, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    // ANCHOR: hand-over
    let mut handle = Handle::of(&listener)?;
    // We serve, too, as long as we have it.
    let mut own = JoinSet::new();
    own.spawn(serve::accept(listener, protocol.to_owned(), PARENT.to_owned()));
    t.say(format!("listening for {protocol} on port {}", address.port()));
    for child in children {
        t.arrow(ArrowKind::Handle, child.voice, "server");
        // It comes back when the child has said that it has it.
        handle = child.channel.send_handle(protocol, handle).await?;
        child.done().await?;
    }
    drop(handle);
    own.shutdown().await;
    t.say(format!("closed mine; now {CONNECTIONS} connections"));
    // ANCHOR_END: hand-over

    let mut answers = Vec::new();
    for _ in 0..CONNECTIONS {
        answers.push(client::ask(address, protocol).await?);
    }
    let by = |voice: &str| answers.iter().filter(|answer| *answer == voice).count();
    for voice in [PARENT, CHILDREN[0], CHILDREN[1]] {
        t.say(format!("{voice} answered {}", by(voice)));
    }
    Ok(Answered { address, by_parent: by(PARENT), by_children: CHILDREN.map(by).iter().sum() })
}

/// Who answers, or that nobody listens.
// ANCHOR: knock
async fn knock(address: SocketAddr) -> io::Result<String> {
    match client::ask(address, "TCP").await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok("ECONNREFUSED".to_owned()),
        answer => answer,
    }
}
// ANCHOR_END: knock
