//! One listening socket, three processes: the parent sends it to two children, and all of them accept.
//!
//! The parent is here, a child in `child.rs`, and what both do with the socket in `socket.rs`.

mod child;
mod socket;

use std::collections::BTreeSet;
use std::error::Error;
use std::os::fd::RawFd;
use std::process::ExitCode;

use forklore::child_process::{Child, Command, Stdio};
use forklore::ipc::{Channel, Handle};
use serde::de::DeserializeOwned;
use socket::{Serving, inode_of};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use transcript::{ArrowKind, Transcript, yes};

/// How many clients connect at a time, and how many connections there may be in all until everybody has answered.
const AT_ONCE: usize = 30;
const LIMIT: usize = 30_000;

const CHILDREN: [&str; 2] = ["child 1", "child 2"];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("child") => transcript::run_child(child::main),
        _ => transcript::run(&["parent", "child 1", "child 2"], parent),
    }
}

async fn parent(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("The parent listens");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let own = inode_of(&listener)?;
    t.say(format!("port {port}: for me it is fd {}, inode {}", own.fd, own.inode));

    t.step("It sends its server to two children");
    let mut children = Vec::new();
    // ANCHOR: send
    let mut sockets = BTreeSet::from([own]);
    for name in CHILDREN {
        let (child, channel) = start(&t, name)?;
        t.arrow(ArrowKind::Handle, name, "server");
        // The handle is a duplicate, which is closed when the child has acknowledged it; our own stays.
        channel.send_handle("accept", Handle::of(&listener)?).await?;
        sockets.insert(answer(&channel).await?);
        children.push((child, channel));
    }
    // ANCHOR_END: send

    t.step("All three accept, and race for each connection");
    let names = BTreeSet::from(["parent", CHILDREN[0], CHILDREN[1]]);
    let mine = Serving::start(listener, "parent");
    let answers = connect_until_all_answered(port, &names).await?;
    t.say(format!("{AT_ONCE} clients at a time, until all had answered: connected {}", answers.len()));
    let mine = mine.stop().await?;
    t.say(format!("answered {mine}"));
    let mut told = mine;
    for (_, channel) in &children {
        channel.send("how many?").await?;
        told += answer::<usize>(channel).await?;
    }
    let known = answers.iter().all(|answer| names.contains(answer.as_str()));

    for (mut child, channel) in children {
        channel.disconnect().await;
        child.close().await?;
    }
    let who: BTreeSet<String> = answers.iter().cloned().collect();
    t.fact("who answered", who.into_iter().collect::<Vec<_>>().join(", "));
    t.fact("every connection was answered exactly once", yes(known && told == answers.len()));
    let inodes: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    let numbers: BTreeSet<RawFd> = sockets.iter().map(|socket| socket.fd).collect();
    t.fact("one socket inode in all three", yes(inodes.len() == 1));
    t.fact("one descriptor number in all three", yes(numbers.len() == 1));
    Ok(())
}

fn start(t: &Transcript, name: &str) -> Result<(Child, Channel), Box<dyn Error>> {
    let command = Command::new(std::env::current_exe()?).arg("child").arg(name).kill_on_drop();
    Ok(t.seat(name, command)?.stdio([Stdio::Ignore, Stdio::Ignore]).fork()?)
}

async fn answer<T: DeserializeOwned>(channel: &Channel) -> Result<T, Box<dyn Error>> {
    let message = channel.recv().await?.ok_or("the child ended without an answer")?;
    Ok(message.decode()?)
}

/// Connects until everybody in `names` has answered. The answers, one for each connection.
async fn connect_until_all_answered(port: u16, names: &BTreeSet<&str>) -> Result<Vec<String>, Box<dyn Error>> {
    let mut answers: Vec<String> = Vec::new();
    while !names.iter().all(|name| answers.iter().any(|answer| answer == name)) {
        if answers.len() >= LIMIT {
            return Err(format!("in {LIMIT} connections somebody of {names:?} never answered").into());
        }
        // All are asked for before any is waited for, so that there is something to race for.
        let clients: Vec<_> = (0..AT_ONCE).map(|_| tokio::spawn(ask(port))).collect();
        for client in clients {
            answers.push(client.await??);
        }
    }
    Ok(answers)
}

/// The whole answer of whoever gets the connection.
async fn ask(port: u16) -> std::io::Result<String> {
    let mut answer = String::new();
    TcpStream::connect(("127.0.0.1", port)).await?.read_to_string(&mut answer).await?;
    Ok(answer)
}
