//! How the channel between a child and its parent ends: the child's program is ours, the parent's end a bare socket.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use forklore::child_process::{Child, Command, Exit};
use harness::TestResult;
use tokio::io::AsyncReadExt;

use super::peer::{SocketPeer, handle_line, socket};

/// Starts the program that tests/programs/channel_child.rs describes.
fn start(what: &str) -> (Child, SocketPeer) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let command = Command::new(env!("CARGO_BIN_EXE_test-channel-child")).arg(what).env("NODE_CHANNEL_FD", "3");
    let child = command.descriptor(3, OwnedFd::from(theirs).into()).spawn().expect("it starts");
    (child, SocketPeer::over(ours))
}

async fn read_to_end(peer: &mut SocketPeer) {
    while peer.read().await > 0 {
        peer.buffer.clear();
    }
}

/// The child disconnects, or returns from `main` with the channel open.
const WAYS: [&str; 2] = ["leave", "quit"];

/// A Node parent (24, 26) that learnt of the end and of the exit at once lost the event `disconnect`.
#[tokio::test]
async fn a_child_keeps_its_end_until_its_parent_has_closed_its_own() -> TestResult {
    for way in WAYS {
        let (mut child, mut peer) = start(way);
        read_to_end(&mut peer).await;
        let (one, other) = socket();
        peer.send(handle_line("net.Socket", "1"), Some(&one));
        drop(one);
        other.set_nonblocking(false)?;
        let closed = tokio::task::spawn_blocking(move || (&other).read_exact(&mut [0]).is_err());
        assert!(closed.await?, "{way}: the handle has been closed");
        // With the child's end closed this would fail.
        peer.send("\"still there?\"\n", None);
        drop(peer);
        assert_eq!(child.close().await?, Exit::Code(0), "{way}");
    }
    Ok(())
}

#[tokio::test]
async fn a_child_waits_two_seconds_for_a_parent_that_does_not_close_its_end() -> TestResult {
    for way in WAYS {
        let start_time = Instant::now();
        let (mut child, mut peer) = start(way);
        read_to_end(&mut peer).await;
        assert_eq!(child.close().await?, Exit::Code(0), "{way}");
        assert!(start_time.elapsed() >= Duration::from_secs(2), "{way}: {:?}", start_time.elapsed());
    }
    Ok(())
}

#[tokio::test]
async fn a_child_that_disconnects_has_ended_the_channel() -> TestResult {
    let (mut child, mut peer) = start("leave");
    assert_eq!(peer.line().await, "\"last words\"\n");
    assert_eq!(peer.read().await, 0);
    drop(peer);
    let mut said = String::new();
    child.stdout.take().ok_or("no pipe")?.read_to_string(&mut said).await?;
    assert_eq!((said.as_str(), child.close().await?), ("Disconnected\n", Exit::Code(0)));
    Ok(())
}
