//! Our child under a Node parent.

use harness::TestResult;
use serde_json::json;

use crate::kit::node_parent;

pub(crate) async fn parent_values() -> TestResult {
    assert_eq!(node_parent("values").await, json!([true, 0, null]));
    Ok(())
}

pub(crate) async fn parent_many() -> TestResult {
    assert_eq!(node_parent("many").await, json!([100_000, 0]));
    Ok(())
}

pub(crate) async fn parent_handles() -> TestResult {
    assert_eq!(node_parent("handles").await, json!([1_000, 0]));
    Ok(())
}

pub(crate) async fn parent_kinds() -> TestResult {
    assert_eq!(node_parent("kinds").await, json!([["server", "Server", true], ["udp", "Socket", true], 0]));
    Ok(())
}

pub(crate) async fn parent_booleans() -> TestResult {
    assert_eq!(node_parent("booleans").await, json!([true, true, false, false, 0]));
    Ok(())
}

pub(crate) async fn parent_connections() -> TestResult {
    assert_eq!(node_parent("connections").await, json!([2, "closed", 0]));
    Ok(())
}

pub(crate) async fn parent_accept() -> TestResult {
    let text = "from the child";
    assert_eq!(node_parent("accept").await, json!(["code 0", text, text, text]));
    Ok(())
}

pub(crate) async fn parent_quit() -> TestResult {
    assert_eq!(node_parent("quit").await, json!([10_000, 0]));
    Ok(())
}

/// Node 24 and 26 emit `exit` before `disconnect` if they learn of both in one turn.
pub(crate) async fn parent_busy() -> TestResult {
    assert_eq!(node_parent("busy").await, json!({ "message,disconnect,exit,close": 50 }));
    Ok(())
}

pub(crate) async fn parent_advanced() -> TestResult {
    let said = node_parent("advanced").await;
    assert!(said.as_str().is_some_and(|said| said.contains("\"advanced\", and only \"json\"")), "{said}");
    Ok(())
}

pub(crate) async fn parent_elsewhere() -> TestResult {
    assert_eq!(node_parent("elsewhere").await, "there is a channel, and None\n");
    Ok(())
}
