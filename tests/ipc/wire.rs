//! Messages, byte by byte; and what a peer may send that is none.

use forklore::error::ErrorKind;
use forklore::ipc::{Ending, Handle, Settings};
use harness::TestResult;
use tokio::io::AsyncReadExt;

use super::peer::{ACK, next, pair, socket, with_settings};

#[tokio::test]
async fn messages_are_lines_of_json_both_ways() -> TestResult {
    let (channel, mut peer) = pair();
    channel.send(&("wörld\n", 1.5, [None::<u8>], true)).await?;
    assert_eq!(peer.line().await, "[\"wörld\\n\",1.5,[null],true]\n");
    peer.send("{\"a\":", None);
    peer.send("1}\r\n\"two\"\n", None);
    assert_eq!(next(&channel).await.json(), "{\"a\":1}");
    assert_eq!(next(&channel).await.decode::<String>()?, "two");
    Ok(())
}

#[tokio::test]
async fn internal_messages_never_reach_the_user() -> TestResult {
    let (channel, peer) = with_settings(Settings::default().internal_messages());
    peer.send("{\"cmd\":\"NODE_X\"}\n{\"cmd\":\"NODE_\"}\n", None);
    assert_eq!(next(&channel).await.json(), "{\"cmd\":\"NODE_\"}");
    let internal = channel.recv_internal().await?.ok_or("the end")?;
    assert_eq!(internal.json(), "{\"cmd\":\"NODE_X\"}");
    Ok(())
}

#[tokio::test]
async fn a_message_of_another_type_is_an_error_of_the_message_alone() -> TestResult {
    let (channel, peer) = pair();
    peer.send("\"text\"\n7\n", None);
    let error = next(&channel).await.decode::<u8>().expect_err("no number");
    assert!(matches!(error.kind(), ErrorKind::Json(_)), "{error}");
    assert_eq!(next(&channel).await.decode::<u8>()?, 7);
    Ok(())
}

#[tokio::test]
async fn rubbish_ends_the_channel_and_is_quoted() -> TestResult {
    for rubbish in ["hello\n", "\n", "{\"a\":1}}\n", "\u{1}\u{2}\n"] {
        let (channel, mut peer) = pair();
        peer.send(format!("1\n{rubbish}2\n"), None);
        assert_eq!(next(&channel).await.json(), "1");
        let error = channel.recv().await.expect_err("rubbish");
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
        let quoted = rubbish.trim_end_matches('\n').escape_default().to_string();
        assert!(rubbish == "\u{1}\u{2}\n" || error.to_string().contains(&quoted), "{error}");
        assert!(channel.recv().await?.is_none(), "the error is told once");
        assert_eq!((channel.ending(), peer.read().await), (Some(Ending::Failed), 0));
        assert!(channel.send("no more").await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn a_message_past_the_limit_ends_the_channel_before_its_end_has_come() {
    let (channel, peer) = with_settings(Settings::default().message_limit(1000));
    peer.send(format!("\"{}\"\n", "x".repeat(998)), None);
    assert_eq!(next(&channel).await.json().len(), 1000);
    peer.send(format!("\"{}", "x".repeat(1000)), None);
    let error = channel.recv().await.expect_err("too long");
    assert!(matches!(error.kind(), ErrorKind::MessageTooLong { limit: 1000, .. }), "{error}");
}

#[tokio::test]
async fn the_other_serialization_mode_is_recognised() {
    let (channel, peer) = pair();
    peer.send(b"\0\0\0\x05\xff\x0f\x22\x01x", None);
    let error = channel.recv().await.expect_err("another mode");
    assert!(matches!(error.kind(), ErrorKind::Malformed { reason, .. } if reason.contains("advanced")), "{error}");
    assert_eq!(channel.closed().await, Ending::Failed);
}

#[tokio::test]
async fn a_sender_learns_that_too_much_waits() -> TestResult {
    let (channel, mut peer) = pair();
    let text = "x".repeat(100_000);
    assert!(channel.post(&text)?);
    assert!(!channel.post(&text)?, "200,000 bytes wait");
    for _ in 0..6 {
        channel.post(&text)?;
    }
    tokio::select! {
        biased;
        _ = channel.send("waits for room") => panic!("the kernel does not take 800,000 bytes that the peer does not read"),
        () = peer.two_turns(&channel) => {}
    }
    for _ in 0..8 {
        assert_eq!(peer.line().await.len(), 100_003);
    }
    channel.flush().await?;
    channel.send("now").await?;
    assert_eq!(peer.line().await, "\"now\"\n", "what was cancelled was not sent");
    Ok(())
}

#[tokio::test]
async fn sockets_are_counted_per_key_until_they_are_closed() -> TestResult {
    let (channel, mut peer) = pair();
    let ask = |command: &str| format!("{{\"cmd\":\"{command}\",\"key\":\"k\"}}\n");
    let count = |count: u32| format!("{{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"k\",\"count\":{count}}}\n");
    peer.send(ask("NODE_SOCKET_NOTIFY_CLOSE"), None);
    assert_eq!(peer.line().await, ask("NODE_SOCKET_ALL_CLOSED"), "none has come");
    let mut streams = Vec::new();
    for _ in 0..2 {
        let line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1,\"key\":\"k\"}\n";
        peer.send(line, Some(&socket().0));
        assert_eq!(peer.line().await, ACK);
        let Some(Handle::Socket(socket)) = next(&channel).await.handle else { return Err("no socket".into()) };
        streams.push(socket.into_stream()?);
    }
    peer.send(ask("NODE_SOCKET_GET_COUNT"), None);
    assert_eq!(peer.line().await, count(2));
    peer.send(ask("NODE_SOCKET_NOTIFY_CLOSE"), None);
    streams.pop();
    peer.send(ask("NODE_SOCKET_GET_COUNT"), None);
    assert_eq!(peer.line().await, count(1));
    let mut last = streams.pop().ok_or("one is left")?;
    assert_eq!(last.read(&mut [0]).await?, 0, "its other end is closed");
    drop(last);
    assert_eq!(peer.line().await, ask("NODE_SOCKET_ALL_CLOSED"));

    let answers = async {
        assert_eq!(peer.line().await, ask("NODE_SOCKET_GET_COUNT"));
        peer.send(count(5), None);
        assert_eq!(peer.line().await, ask("NODE_SOCKET_NOTIFY_CLOSE"));
        peer.send(ask("NODE_SOCKET_ALL_CLOSED"), None);
    };
    let asked = async {
        let count = channel.open_sockets("k").await?;
        channel.all_closed("k").await.map(|()| count)
    };
    let ((), count) = tokio::join!(answers, asked);
    assert_eq!(count?, 5);
    Ok(())
}
