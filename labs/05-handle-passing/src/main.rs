//! One listening socket, three processes: the parent sends it to two children, and all of them accept.
//!
//! The parent is here, a child in `child.rs`.

mod child;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use child::serve;
use forklore::ipc::Handle;
use kit::{clients, proc, roles};
use tokio::net::TcpListener;
use transcript::{ArrowKind, Transcript, yes};

const NAMES: [&str; 3] = ["parent", "child 1", "child 2"];
/// How many clients connect at a time.
const AT_ONCE: usize = 30;

fn main() -> ExitCode {
    match roles::played() {
        Some(name) => transcript::run_child(|t| child::child(t, name)),
        None => transcript::run(&NAMES, parent),
    }
}

async fn parent(t: Transcript) -> kit::Result {
    t.step("The parent listens");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (fd, inode) = (listener.as_raw_fd(), proc::inode(&listener)?);
    t.say(format!("port {}: for me it is fd {fd}, inode {inode}", address.port()));

    t.step("It sends its server to two children");
    let (mut numbers, mut inodes) = (BTreeSet::from([fd]), BTreeSet::from([inode]));
    let mut children = Vec::new();
    // ANCHOR: send
    for name in &NAMES[1..] {
        let child = roles::fork(&t, name, name)?;
        t.arrow(ArrowKind::Handle, name, "server");
        // The handle is a duplicate, which is closed when the child has acknowledged it; our own stays.
        child.channel.send_handle("accept", Handle::of(&listener)?).await?;
        let (fd, inode) = child.answer().await?;
        numbers.insert(fd);
        inodes.insert(inode);
        children.push(child);
    }
    // ANCHOR_END: send

    t.step("All three accept, and race for each connection");
    let answered = Cell::new(0);
    let answers = tokio::select! {
        failed = serve(&listener, NAMES[0], &answered) => match failed? {},
        answers = clients::until_all_answered(address, &NAMES, AT_ONCE) => clients::count(answers?),
    };
    let connected: usize = answers.values().sum();
    t.say(format!("{AT_ONCE} clients at a time, until all had answered: connected {connected}"));
    t.say(format!("answered {}", answered.get()));
    let mut counted = answered.get();
    for child in children {
        counted += child.ask::<usize>("how many?").await?;
        child.end().await?;
    }

    t.fact("who answered", Vec::from_iter(answers.keys().cloned()).join(", "));
    t.fact("every connection was answered exactly once", yes(answers.len() == NAMES.len() && counted == connected));
    t.fact("one socket inode in all three", yes(inodes.len() == 1));
    t.fact("one descriptor number in all three", yes(numbers.len() == 1));
    Ok(())
}
