//! The parts that the children of lab 03 play.

use forklore::ipc::{self, CHANNEL_FD, Channel};
use kit::{Result, proc};
use serde_json::{Value, json};
use transcript::{ArrowKind, Transcript};

pub(crate) async fn introduce(t: Transcript) -> Result {
    let number = std::env::var(CHANNEL_FD)?;
    let is = proc::descriptor(number.parse()?)?;
    let parent = ipc::parent()?;
    let now = std::env::var(CHANNEL_FD).unwrap_or("gone".to_owned());
    t.say(format!("I was started with {CHANNEL_FD}={number}; now it is {now}"));
    t.say(format!("/proc/self/fd/{number}: {is}"));
    Ok(parent.send(&(number, is)).await?)
}

/// Says in the transcript what it sends.
async fn send(t: &Transcript, parent: &Channel, message: Value) -> Result {
    t.arrow(ArrowKind::Message, "parent", &message);
    Ok(parent.send(&message).await?)
}

pub(crate) async fn answer(t: Transcript) -> Result {
    let parent = ipc::parent()?;
    while let Some(heard) = parent.recv_as::<Value>().await? {
        send(&t, &parent, json!({ "heard": heard })).await?;
    }
    Ok(())
}

// ANCHOR: listen
pub(crate) async fn listen(t: Transcript) -> Result {
    let parent = ipc::parent()?;
    t.say("my work is done; I listen for messages");
    parent.send("done").await?;
    // This loop is what keeps us: in Node it is the listener for 'message'.
    while let Some(word) = parent.recv_as::<String>().await? {
        send(&t, &parent, json!(word.replace("ping", "pong"))).await?;
    }
    t.say("disconnected: nothing is left to wait for");
    Ok(())
}

pub(crate) async fn idle(t: Transcript) -> Result {
    let _parent = ipc::parent()?;
    t.say("my work is done; I listen for nothing");
    Ok(())
}
// ANCHOR_END: listen

pub(crate) async fn whisper(t: Transcript) -> Result {
    let parent = ipc::parent()?;
    send(&t, &parent, json!({ "cmd": "NODE_SECRET" })).await?;
    send(&t, &parent, json!({ "cmd": "plain" })).await
}
