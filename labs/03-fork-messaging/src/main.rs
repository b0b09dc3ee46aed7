//! fork is spawn with a channel: a socket, one JSON value a line on it, and what that does to the child's life.
//!
//! The parent is here, the parts that its children play are in `child.rs`, and a child that is a shell is in `shell.rs`.

mod child;
mod shell;

use std::process::ExitCode;

use kit::{Result, proc, roles};
use serde_json::{Value, json};
use transcript::{ArrowKind, Transcript, yes};

fn main() -> ExitCode {
    match roles::played().as_deref() {
        Some("introduce") => transcript::run_child(child::introduce),
        Some("answer") => transcript::run_child(child::answer),
        Some("listen") => transcript::run_child(child::listen),
        Some("idle") => transcript::run_child(child::idle),
        Some("whisper") => transcript::run_child(child::whisper),
        _ => transcript::run(&["parent", "child", "shell"], parent),
    }
}

async fn parent(t: Transcript) -> Result {
    t.step("The channel: a descriptor at both ends, its number in the environment");
    let mut child = roles::fork(&t, "child", "introduce")?;
    let fd = child.channel.fd().ok_or("the channel has ended already")?;
    let own = proc::descriptor(fd)?;
    let (number, theirs): (String, String) = child.answer().await?;
    child.process.close().await?;
    t.say(format!("my end is fd {fd}: {own}"));
    let sockets = [own, theirs].iter().all(|end| end.starts_with("socket, "));

    t.step("Messages there and back: whatever JSON can say");
    let mut child = roles::fork(&t, "child", "answer")?;
    let sent = [json!({ "word": "hello" }), json!({ "list": [1, null, 2.5] })];
    let mut answered = 0;
    for message in &sent {
        t.arrow(ArrowKind::Message, "child", message);
        child.channel.send(message).await?;
        answered += usize::from(child.answer::<Value>().await?["heard"] == *message);
    }
    child.channel.disconnect().await;
    child.process.close().await?;

    t.step("What is on the wire: a shell reads it, and answers by printf");
    let (printed, word) = shell::shell(&t).await?;

    t.step("Who listens stays, until the channel is disconnected");
    let mut child = roles::fork(&t, "child", "listen")?;
    child.answer::<String>().await?;
    t.arrow(ArrowKind::Message, "child", json!("ping"));
    let pong: String = child.ask("ping").await?;
    t.say("it is still there; disconnect()");
    child.channel.disconnect().await;
    let listened = child.process.close().await?;
    t.voice("child").arrow(ArrowKind::Exit, "parent", listened);

    t.step("Who does not listen ends, connected or not");
    let child = roles::fork(&t, "child", "idle")?;
    let idle = child.process.exit().await?;
    t.voice("child").arrow(ArrowKind::Exit, "parent", idle);
    t.say("and I had not disconnected");
    drop(child);

    t.step("Messages whose cmd begins with NODE_ are for Node itself");
    let mut child = roles::fork(&t, "child", "whisper")?;
    let mut seen = Vec::new();
    while let Some(message) = child.channel.recv_as::<Value>().await? {
        seen.push(message["cmd"].as_str().unwrap_or("no cmd").to_owned());
    }
    child.process.close().await?;
    t.say(format!("recv() gave: {}", seen.join(", ")));

    t.fact("the child's NODE_CHANNEL_FD", number);
    t.fact("the channel is", if sockets { "a socket" } else { "something else" });
    t.fact("messages there and back", format!("{answered} of {}", sent.len()));
    t.fact("the bytes of a message", printed);
    t.fact("a shell that writes such bytes is understood", yes(word == "hi"));
    t.fact("a child that listens was there after its work", yes(pong == "pong"));
    t.fact("after disconnect it ended with", listened);
    t.fact("a child that does not listen ended with", idle);
    t.fact("of NODE_SECRET and plain the user saw", seen.join(", "));
    Ok(())
}
