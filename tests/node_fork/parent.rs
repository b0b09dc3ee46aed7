//! Our child under a Node parent.

use serde_json::json;

use crate::kit::node_parent;

pub(crate) async fn gets_its_values_back() {
    assert_eq!(node_parent("values").await, json!([true, 0, null]));
}

pub(crate) async fn exchanges_a_hundred_thousand_messages() {
    assert_eq!(node_parent("many").await, json!([100_000, 0]));
}

pub(crate) async fn exchanges_a_thousand_handles() {
    assert_eq!(node_parent("handles").await, json!([1_000, 0]));
}

pub(crate) async fn exchanges_handles_of_each_kind() {
    assert_eq!(node_parent("kinds").await, json!([["server", "Server", true], ["udp", "Socket", true], 0]));
}

pub(crate) async fn learns_from_send_whether_the_backlog_is_long() {
    assert_eq!(node_parent("booleans").await, json!([true, true, false, false, 0]));
}

pub(crate) async fn counts_the_connections_of_our_child() {
    assert_eq!(node_parent("connections").await, json!([2, "closed", 0]));
}

pub(crate) async fn passes_its_server_to_our_child() {
    let text = "from the child";
    assert_eq!(node_parent("accept").await, json!(["code 0", text, text, text]));
}

pub(crate) async fn gets_everything_that_our_child_sent_before_it_exited() {
    assert_eq!(node_parent("quit").await, json!([10_000, 0]));
}

/// Node 24 and 26 emit `exit` before `disconnect` if they learn of both in one turn.
pub(crate) async fn learns_of_the_end_before_the_exit() {
    assert_eq!(node_parent("busy").await, json!({ "message,disconnect,exit,close": 50 }));
}

pub(crate) async fn is_refused_when_it_wants_advanced() {
    let said = node_parent("advanced").await;
    assert!(said.as_str().is_some_and(|said| said.contains("\"advanced\", and only \"json\"")), "{said}");
}

pub(crate) async fn puts_the_channel_at_another_descriptor() {
    assert_eq!(node_parent("elsewhere").await, "there is a channel, and None\n");
}
