//! A message received as a type, and what is not JSON at the moment when it is received.

use std::time::Duration;

use forklore::error::ErrorKind;
use forklore::ipc::{Ending, Settings};
use harness::TestResult;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::task::yield_now;

use super::peer::{ACK, handle_line, is_closed, next, pair, socket, with_settings};

/// Not JSON, and like JSON at both ends.
const LOOKALIKES: [&str; 5] = ["{\"a\":1}}", "[1,]", "\"a\" \"b\"", "{'a':1}", "\"\\x\""];

#[tokio::test]
async fn a_message_of_another_type_is_lost_and_the_channel_stays_open() -> TestResult {
    let (channel, peer) = pair();
    peer.send("{\"n\":7}\n[1,\"two\"]\n\"text\"\n1e999\n{\"a\":{\"cmd\":\"NODE_X\"}}\n8\n", None);
    for beginning in [r#"{\"n\":7}"#, r#"[1,\"two\"]"#, r#"\"text\""#, "1e999", r#"{\"a\":{\"cmd\":\"NODE_X\"}}"#] {
        let error = channel.recv_as::<u8>().await.expect_err("not a number of eight bits");
        assert!(matches!(error.kind(), ErrorKind::Json(_)), "{error}");
        assert!(error.to_string().contains(beginning), "{error}");
    }
    assert_eq!(channel.recv_as().await?, Some(8_u8));
    peer.send("[1,2]\n\"x\"\n", None);
    assert_eq!((channel.recv_as().await?, next(&channel).await.json()), (Some((1, 2)), "\"x\""));
    drop(peer);
    assert_eq!((channel.recv_as::<u8>().await?, channel.ending()), (None, Some(Ending::PeerClosed)));
    Ok(())
}

#[tokio::test]
async fn what_is_not_json_ends_the_channel_when_it_is_received() -> TestResult {
    for rubbish in LOOKALIKES {
        for typed in [false, true] {
            let (channel, mut peer) = pair();
            peer.send(format!("1\n{rubbish}\n2\n"), None);
            assert_eq!(next(&channel).await.json(), "1");
            let error = match typed {
                true => channel.recv_as::<Value>().await.expect_err("rubbish"),
                false => channel.recv().await.expect_err("rubbish"),
            };
            assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
            assert!(error.to_string().contains(&rubbish.escape_default().to_string()), "{error}");
            assert_eq!((channel.ending(), channel.is_connected()), (Some(Ending::Failed), false));
            assert!(channel.recv_as::<u8>().await?.is_none(), "the error is told once, and 2 came after it");
            assert!(channel.send("no more").await.is_err());
            assert_eq!((peer.read().await, channel.closed().await), (0, Ending::Failed));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_task_that_waits_sees_the_end_that_another_one_receives() -> TestResult {
    let (channel, peer) = pair();
    let receive = || {
        let channel = channel.clone();
        tokio::spawn(async move { channel.recv_as::<u8>().await })
    };
    let (one, other) = (receive(), receive());
    yield_now().await;
    peer.send("[1,]\n", None);
    let results = [one.await?, other.await?];
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| matches!(result, Ok(None))).count(), 1, "{results:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_receiver_only_what_does_not_look_like_json_ends_the_channel() -> TestResult {
    for rubbish in ["hello", "", "{\"a\":1", "nul", "1 2", "{\"cmd\":\"NODE_X\"}}", "{\"\\u0063md\":1,}"] {
        let (channel, peer) = pair();
        peer.send(format!("1\n{rubbish}\n"), None);
        assert_eq!(channel.closed().await, Ending::Failed, "{rubbish}");
        assert_eq!(next(&channel).await.json(), "1");
        assert!(matches!(channel.recv_as::<u8>().await.expect_err("rubbish").kind(), ErrorKind::Malformed { .. }));
        drop(peer);
    }
    for rubbish in LOOKALIKES {
        let (channel, mut peer) = pair();
        peer.send(format!("{rubbish}\n{{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":\"k\"}}\n"), None);
        assert_eq!(peer.line().await, "{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"k\",\"count\":0}\n");
        drop(peer);
        assert_eq!(channel.closed().await, Ending::PeerClosed);
        let error = channel.recv().await.expect_err("rubbish");
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
        assert_eq!((channel.recv().await?.is_none(), channel.ending()), (true, Some(Ending::PeerClosed)));
    }
    Ok(())
}

#[tokio::test]
async fn internal_messages_and_handles_are_checked_when_they_arrive() -> TestResult {
    let (channel, mut peer) = with_settings(Settings::default().internal_messages());
    let spelt = r#"{"c\u006dd":"\u004eODE_X","cmd":"NODE_Y"}"#;
    peer.send(format!("[1,]\n{spelt}\n{{\"cmd\":\"NODE_X\",\"cmd\":1}}\n"), None);
    let internal = channel.recv_internal().await?.ok_or("the end")?;
    assert_eq!(internal.json(), spelt);
    let (one, other) = socket();
    peer.send(handle_line("net.Native", "[1,2]"), Some(&one));
    drop(one);
    assert_eq!(peer.line().await, ACK);
    assert!(channel.recv_as::<u8>().await.is_err());
    assert!(is_closed(other), "what came after rubbish is dropped, with its handle");

    let (channel, mut peer) = pair();
    let (one, other) = socket();
    peer.send(handle_line("net.Native", "[1,2]"), Some(&one));
    drop(one);
    assert_eq!(peer.line().await, ACK);
    assert_eq!(channel.recv_as().await?, Some((1, 2)));
    assert!(is_closed(other), "who receives a value alone has no use for a handle");
    peer.send(handle_line("net.Native", "[1,]"), Some(&socket().0));
    assert_eq!(channel.closed().await, Ending::Failed);
    Ok(())
}

#[tokio::test]
async fn a_typed_receive_is_cancel_safe_and_leaves_the_limits_alone() -> TestResult {
    let (channel, peer) = pair();
    for _ in 0..3 {
        let waiting = tokio::time::timeout(Duration::ZERO, channel.recv_as::<u8>()).await;
        assert!(waiting.is_err(), "nothing has come");
    }
    peer.send("1\n", None);
    assert_eq!(channel.recv_as().await?, Some(1_u8));
    Ok(())
}

fn values() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        "(\\PC|NODE_|[\\x00-\\x1f\"\\\\]){0,12}".prop_map(Value::from),
    ];
    leaves.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("(cmd|\\PC{0,6})", inner, 0..6)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn receiving_a_type_is_receiving_and_decoding(values in prop::collection::vec(values(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (channel, peer) = pair();
            let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
            let internal = |value: &&Value| {
                value["cmd"].as_str().is_some_and(|cmd| cmd.len() > 5 && cmd.starts_with("NODE_"))
            };
            peer.send(format!("{lines}{lines}"), None);
            drop(peer);
            let for_the_user: Vec<&Value> = values.iter().filter(|value| !internal(value)).collect();
            for value in &for_the_user {
                let text: Value = next(&channel).await.decode().expect("a value");
                assert_eq!(&text, *value);
            }
            for value in &for_the_user {
                let typed: Option<Value> = channel.recv_as().await.expect("a value");
                assert_eq!(typed.as_ref(), Some(*value));
            }
            assert!(channel.recv().await.expect("the end").is_none());
        });
    }
}
