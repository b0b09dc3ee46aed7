//! The parts that the children of lab 03 play: which one is their argument.

use std::error::Error;
use std::os::fd::RawFd;
use std::process::ExitCode;

use forklore::ipc::{self, CHANNEL_FD, Channel};
use serde_json::{Value, json};
use transcript::{ArrowKind, Transcript};

pub(crate) fn play(part: &str) -> ExitCode {
    match part {
        "introduce" => transcript::run_child(introduce),
        "answer" => transcript::run_child(answer),
        "listen" => transcript::run_child(listen),
        "deaf" => transcript::run_child(deaf),
        "whisper" => transcript::run_child(whisper),
        _ => {
            eprintln!("{part:?} is no part of lab 03");
            ExitCode::from(2)
        }
    }
}

/// What a descriptor of this process is: `socket, inode 123`.
pub(crate) fn what_is(fd: RawFd) -> std::io::Result<String> {
    let link = std::fs::read_link(format!("/proc/self/fd/{fd}"))?;
    Ok(link.to_string_lossy().replace(":[", ", inode ").replace(']', ""))
}

async fn introduce(t: Transcript) -> Result<(), Box<dyn Error>> {
    let number = std::env::var(CHANNEL_FD)?;
    let is = what_is(number.parse()?)?;
    let parent = ipc::parent()?;
    let now = std::env::var(CHANNEL_FD).unwrap_or("gone".to_owned());
    t.say(format!("I was started with {CHANNEL_FD}={number}; now it is {now}"));
    t.say(format!("/proc/self/fd/{number}: {is}"));
    parent.send(&json!({ "fd": number, "is": is })).await?;
    Ok(())
}

/// Says in the transcript what it sends.
async fn send(t: &Transcript, parent: &Channel, message: Value) -> Result<(), Box<dyn Error>> {
    t.arrow(ArrowKind::Message, "parent", &message);
    Ok(parent.send(&message).await?)
}

async fn answer(t: Transcript) -> Result<(), Box<dyn Error>> {
    let parent = ipc::parent()?;
    while let Some(message) = parent.recv().await? {
        send(&t, &parent, json!({ "heard": message.decode::<Value>()? })).await?;
    }
    Ok(())
}

// ANCHOR: listen
async fn listen(t: Transcript) -> Result<(), Box<dyn Error>> {
    let parent = ipc::parent()?;
    t.say("my work is done; I listen for messages");
    parent.send("done").await?;
    // This loop is what keeps us: in Node it is the listener for 'message'.
    while let Some(message) = parent.recv().await? {
        send(&t, &parent, json!(message.decode::<String>()?.replace("ping", "pong"))).await?;
    }
    t.say("disconnected: nothing is left to wait for");
    Ok(())
}

async fn deaf(t: Transcript) -> Result<(), Box<dyn Error>> {
    let _parent = ipc::parent()?;
    t.say("my work is done; I listen for nothing");
    Ok(())
}
// ANCHOR_END: listen

async fn whisper(t: Transcript) -> Result<(), Box<dyn Error>> {
    let parent = ipc::parent()?;
    send(&t, &parent, json!({ "cmd": "NODE_SECRET" })).await?;
    send(&t, &parent, json!({ "cmd": "plain" })).await
}
