//! How a channel ends, and what is not lost by that.

use std::io::Read;
use std::os::unix::net::UnixStream;

use forklore::error::ErrorKind;
use forklore::ipc::{Channel, Ending, Handle, Settings};
use harness::TestResult;

use super::peer::{ACK, handle_line, inode, is_closed, let_it_write, next, pair, socket};

#[tokio::test]
async fn disconnect_writes_everything_first() -> TestResult {
    let (channel, mut peer) = pair();
    let text = "x".repeat(3_000_000);
    channel.post(&text)?;
    let (ending, line) = tokio::join!(channel.disconnect(), peer.line());
    assert_eq!((ending, line.len()), (Ending::Disconnected, 3_000_003));
    assert_eq!(peer.read().await, 0);
    let error = channel.send("late").await.expect_err("closed");
    assert_eq!(error.code().as_deref(), Some("ERR_IPC_CHANNEL_CLOSED"));
    assert!(!channel.is_connected() && channel.recv().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn disconnect_waits_for_the_acknowledgement_and_keeps_what_came_before() -> TestResult {
    let (channel, mut peer) = pair();
    let delivery = channel.post_handle("a handle", Handle::Native(socket().0))?;
    channel.post("and a message")?;
    peer.line().await;
    let disconnecting = tokio::spawn({
        let channel = channel.clone();
        async move { channel.disconnect().await }
    });
    peer.send(format!("\"before\"\n{ACK}"), None);
    assert_eq!(peer.line().await, "\"and a message\"\n");
    assert_eq!((peer.read().await, disconnecting.await?), (0, Ending::Disconnected));
    delivery.await?;
    assert_eq!(next(&channel).await.json(), "\"before\"");
    assert!(channel.recv().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn the_last_user_of_a_channel_disconnects_it() -> TestResult {
    let (channel, mut peer) = pair();
    channel.post("last words")?;
    drop(channel.clone());
    assert!(channel.is_connected());
    drop(channel);
    assert_eq!(peer.line().await, "\"last words\"\n");
    assert_eq!(peer.read().await, 0);
    Ok(())
}

#[test]
fn what_was_sent_when_the_runtime_ends_is_written_all_the_same() -> TestResult {
    let (ours, mut theirs) = UnixStream::pair()?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        theirs.read_to_string(&mut text).map(|_| text)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let channel = Channel::over(ours, "the peer", Settings::default())?;
        channel.send(&"x".repeat(2_000_000)).await
    })?;
    drop(runtime);
    assert_eq!(reader.join().map_err(|_| "the reader panicked")??.len(), 2_000_003);
    Ok(())
}

#[tokio::test]
async fn each_way_to_end_is_told_apart_and_nothing_is_lost_before_it() -> TestResult {
    for (last, unread, ending) in
        [("", false, Ending::PeerClosed), ("\"half a mess", false, Ending::CutShort), ("", true, Ending::PeerReset)]
    {
        let (channel, mut peer) = pair();
        if unread {
            channel.send("never read").await?;
            channel.flush().await?;
        }
        let lines: String = (0..1000).map(|number| format!("{number}\n")).collect();
        peer.send(lines + last, None);
        peer.handles.clear();
        drop(peer);
        assert_eq!(channel.closed().await, ending);
        for number in 0..1000 {
            assert_eq!(next(&channel).await.decode::<u32>()?, number);
        }
        assert!(channel.recv().await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn a_peer_that_dies_at_any_step_of_the_exchange_gives_the_handle_back() -> TestResult {
    for steps in 0..4 {
        let (channel, mut peer) = pair();
        let (one, _other) = socket();
        let number = inode(&one);
        let delivery = channel.post_handle("a handle", Handle::Native(one))?;
        channel.post("never delivered")?;
        // Dies before anything; with the handle unread; having read it; in the middle of its acknowledgement.
        if steps > 0 {
            let_it_write().await;
        }
        if steps > 1 {
            peer.line().await;
        }
        if steps > 2 {
            peer.send(&ACK[..10], None);
        }
        drop(peer);
        let error = delivery.await.expect_err("nobody has acknowledged it");
        assert_eq!(error.error.kind(), &ErrorKind::ChannelClosed, "step {steps}");
        assert_eq!(error.handle.as_ref().map(inode), Some(number));
        assert!(channel.recv().await?.is_none());
        assert!(channel.flush().await.is_err(), "the message was not taken");
    }
    Ok(())
}

#[tokio::test]
async fn a_peer_that_dies_in_the_middle_of_a_handle_leaves_no_descriptor() -> TestResult {
    let (channel, peer) = pair();
    let (one, other) = socket();
    let line = handle_line("net.Socket", "1");
    peer.send(&line[..20], Some(&one));
    drop((one, peer));
    assert_eq!(channel.closed().await, Ending::CutShort);
    assert!(is_closed(other));
    assert!(channel.recv().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn handles_that_nobody_receives_are_closed_with_the_channel() {
    let (channel, mut peer) = pair();
    let mut others = Vec::new();
    // One with a key: its count must not keep the channel, and with it itself, alive.
    for line in [handle_line("net.Native", "1"), handle_line("net.Socket", "1").replace('}', ",\"key\":\"k\"}")] {
        let (one, other) = socket();
        peer.send(line, Some(&one));
        assert_eq!(peer.line().await, ACK);
        others.push(other);
    }
    drop(channel);
    assert_eq!(peer.read().await, 0);
    assert!(others.into_iter().all(is_closed));
}

#[tokio::test]
async fn a_write_that_fails_does_not_hide_what_came_before() -> TestResult {
    let (channel, peer) = pair();
    peer.send("\"last words\"\n", None);
    drop(peer);
    channel.post("never read")?;
    assert_eq!(channel.closed().await, Ending::PeerClosed);
    assert_eq!(next(&channel).await.json(), "\"last words\"");
    assert!(channel.recv().await?.is_none());
    Ok(())
}
