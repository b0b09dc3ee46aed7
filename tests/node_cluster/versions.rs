//! The differences between versions of Node that the book lists.

use forklore::child_process::{Command, exec_file};
use harness::{TestResult, nodes, root};
use serde_json::{Value, json};

/// What two workers and a forked child see under a primary of this version.
async fn seen(policy: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let command = Command::new(nodes::node()).arg(root().join("tests/node/versions.js"));
    let said = exec_file(command.env("NODE_CLUSTER_SCHED_POLICY", policy)).await?;
    Ok(serde_json::from_slice(&said.stdout)?)
}

pub(crate) async fn what_differs_is_what_the_book_lists() -> TestResult {
    let node = nodes::current().numbers();
    let key = if node < vec![22] { "HOST:PORT:4:undefined:0" } else { "HOST:PORT:4:undefined" };
    let again = if node < vec![22] { "EADDRINUSE" } else { "it listens" };
    let order = match node < vec![24] {
        true => ["message", "disconnect", "exit", "close"],
        false => ["message", "exit", "close", "disconnect"],
    };
    let keys = [key, "HOST:0:4:undefined:0"];
    let expected = json!({ "keys": keys, "twice": "EADDRINUSE", "again": again, "order": order });
    assert_eq!(seen("rr").await?, expected);
    let expected = match node < vec![22] {
        true => expected,
        false => json!({ "keys": keys, "died": true, "order": order }),
    };
    assert_eq!(seen("none").await?, expected);
    Ok(())
}
