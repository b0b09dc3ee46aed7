//! Our child under a Node parent.

use harness::{Case, named};
use serde_json::{Value, json};

use crate::kit::node_parent;

pub(crate) fn cases() -> Vec<Case> {
    let text = "from the child";
    let seen = [
        ("gets its values back", "values", json!([true, 0, null])),
        ("exchanges 100,000 messages", "many", json!([100_000, 0])),
        ("exchanges 1,000 handles", "handles", json!([1_000, 0])),
        ("exchanges handles of each kind", "kinds", json!([["server", "Server", true], ["udp", "Socket", true], 0])),
        ("learns from send whether its queue is long", "booleans", json!([true, true, false, false, 0])),
        ("counts the connections of our child", "connections", json!([2, "closed", 0])),
        ("passes its server to our child", "accept", json!(["code 0", text, text, text])),
        ("gets everything that our child sent before it exited", "quit", json!([10_000, 0])),
        // Node 24 and 26 emit `exit` before `disconnect` if they learn of both in one turn.
        ("learns of the end before the exit", "busy", json!({ "message,disconnect,exit,close": 50 })),
        ("puts the channel at another descriptor", "elsewhere", json!("there is a channel, and None\n")),
    ];
    let case = |(name, what, seen): (_, _, Value)| {
        named(&format!("parent: {name}"), move || {
            let expected = seen.clone();
            async move { assert_eq!(node_parent(what).await, expected) }
        })
    };
    seen.into_iter().map(case).collect()
}

pub(crate) async fn is_refused_when_it_wants_advanced() {
    let said = node_parent("advanced").await;
    assert!(said.as_str().is_some_and(|said| said.contains("\"advanced\", and only \"json\"")), "{said}");
}
