//! A worker that says what it is told: `{"say":WHAT}` of its primary's user has it send WHAT to the primary. What the
//! primary itself says is passed on to that user, as `{"heard":…}`; handles that come with it are kept.

use forklore::ipc::{self, Settings};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Unchanged, to the last digit of a number.
#[derive(Deserialize)]
struct Instruction {
    say: Box<RawValue>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> forklore::Result<()> {
    let channel = ipc::parent_with(Settings::default().internal_messages())?;
    channel.send(&json!({ "cmd": "NODE_CLUSTER", "act": "online", "seq": 0 })).await?;
    let mut kept = Vec::new();
    loop {
        tokio::select! {
            told = channel.recv() => match told? {
                Some(message) => channel.send(&message.decode::<Instruction>()?.say).await?,
                None => return Ok(()),
            },
            heard = channel.recv_internal() => match heard? {
                Some(message) => {
                    channel.send(&json!({ "heard": message.decode::<Value>()? })).await?;
                    kept.extend(message.handle);
                }
                None => return Ok(()),
            },
        }
    }
}
