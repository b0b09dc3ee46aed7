//! Our child under a Node parent.

use serde_json::json;

use crate::kit::{Outcome, node_parent};

pub(crate) async fn parent_values() -> Outcome {
    assert_eq!(node_parent("values").await, json!([true, 0, null]));
    Ok(())
}

pub(crate) async fn parent_many() -> Outcome {
    assert_eq!(node_parent("many").await, json!([100_000, 0]));
    Ok(())
}

pub(crate) async fn parent_handles() -> Outcome {
    assert_eq!(node_parent("handles").await, json!([1_000, 0]));
    Ok(())
}

pub(crate) async fn parent_kinds() -> Outcome {
    assert_eq!(node_parent("kinds").await, json!([["server", "Server", true], ["udp", "Socket", true], 0]));
    Ok(())
}

pub(crate) async fn parent_booleans() -> Outcome {
    assert_eq!(node_parent("booleans").await, json!([true, true, false, false, 0]));
    Ok(())
}

pub(crate) async fn parent_connections() -> Outcome {
    assert_eq!(node_parent("connections").await, json!([2, "closed", 0]));
    Ok(())
}

pub(crate) async fn parent_accept() -> Outcome {
    let text = "from the child";
    assert_eq!(node_parent("accept").await, json!(["code 0", text, text, text]));
    Ok(())
}

pub(crate) async fn parent_quit() -> Outcome {
    assert_eq!(node_parent("quit").await, json!([10_000, 0]));
    Ok(())
}

/// Node 24 and 26 emit `exit` before `disconnect` if they learn of both in one turn.
pub(crate) async fn parent_busy() -> Outcome {
    assert_eq!(node_parent("busy").await, json!({ "message,disconnect,exit,close": 50 }));
    Ok(())
}

pub(crate) async fn parent_advanced() -> Outcome {
    let said = node_parent("advanced").await;
    assert!(said.as_str().is_some_and(|said| said.contains("\"advanced\", and only \"json\"")), "{said}");
    Ok(())
}

pub(crate) async fn parent_elsewhere() -> Outcome {
    assert_eq!(node_parent("elsewhere").await, "there is a channel, and None\n");
    Ok(())
}
