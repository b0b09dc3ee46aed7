//! A worker that sends its primary messages as fast as it can: each is read, and none changes anything.

use std::error::Error;

use forklore::ipc;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let channel = ipc::parent()?;
    let message = json!({ "cmd": "NODE_CLUSTER", "act": "close", "key": "no such listener", "seq": 1 });
    // Until the primary closes the channel.
    while channel.send(&message).await.is_ok() {}
    Ok(())
}
