//! What happens when nobody receives for a long time.

use std::time::Duration;

use forklore::child_process::{Command, Exit, Stdio, exec_file};
use forklore::ipc::{Channel, Ending, Handle, Settings};
use harness::TestResult;

use super::peer::{ACK, handle_line, inode, next, pair, socket, with_settings};

/// As much as a channel keeps for a user that does not receive, in bytes.
const LIMIT: usize = 16 << 20;

fn both_ends() -> Result<(Channel, Channel), Box<dyn std::error::Error>> {
    let (one, other) = std::os::unix::net::UnixStream::pair()?;
    let open = |end, name: &str| Channel::over(end, name, Settings::default());
    Ok((open(one, "the other")?, open(other, "the one")?))
}

/// The acknowledgements stood behind what was not received, and both sides waited for ever.
#[tokio::test]
async fn two_sides_that_send_handles_before_they_receive_do_not_wait_for_each_other() -> TestResult {
    const HANDLES: usize = 300;
    let (one, other) = both_ends()?;
    let send = |channel: Channel| async move {
        for _ in 0..HANDLES {
            // The other end is closed at once: it is the exchange that counts.
            channel.send_handle("take this", Handle::Native(socket().0)).await?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    let both = async { tokio::try_join!(send(one.clone()), send(other.clone())) };
    tokio::time::timeout(Duration::from_secs(60), both).await??;
    for channel in [&one, &other] {
        for _ in 0..HANDLES {
            assert!(next(channel).await.handle.is_some());
        }
    }
    Ok(())
}

/// It was thrown away with what could not be written any more, and the handle then had two owners.
#[tokio::test]
async fn an_acknowledgement_that_came_before_a_write_failed_still_counts() -> TestResult {
    let (channel, mut peer) = with_settings(Settings::default().window(8));
    let delivery = channel.post_handle("a handle", Handle::Native(socket().0))?;
    peer.line().await;
    peer.send(format!("{ACK}\"last words\"\n"), None);
    drop(peer);
    let late = channel.post_handle("too late", Handle::Native(socket().0))?;
    delivery.await?;
    assert!(late.await.is_err_and(|not_sent| not_sent.handle.is_some()), "what was not sent comes back");
    assert_eq!(next(&channel).await.json(), "\"last words\"");
    assert!(channel.recv().await?.is_none());
    assert!(matches!(channel.closed().await, Ending::PeerClosed | Ending::PeerReset));
    Ok(())
}

/// `close` waited for the end of a channel that was not read to its end, because nobody received.
#[tokio::test]
async fn a_child_closes_though_nobody_received_what_it_sent() -> TestResult {
    // The last messages fit into the socket when the parent reads no more, so that the child can end.
    let (count, last) = (LIMIT >> 20, 100);
    let program = r#"
        i=0
        while [ $i -lt $1 ]; do
            printf '"'; head -c 1048576 /dev/zero | tr '\0' x; printf '"\n'
            i=$((i + 1))
        done >&3
        printf '"%01000d"\n' $(seq $2) >&3"#;
    let command = Command::new("sh").args(["-c", program, "sh"]).args([count.to_string(), last.to_string()]);
    let (mut child, channel) = command.stdio([Stdio::Ignore, Stdio::Ignore, Stdio::Inherit]).fork()?;
    assert_eq!(tokio::time::timeout(Duration::from_secs(60), child.close()).await??, Exit::Code(0));
    let mut received = 0;
    while channel.recv().await?.is_some() {
        received += 1;
    }
    assert_eq!(received, count + last, "and it can still be received");
    Ok(())
}

#[tokio::test]
async fn a_descriptor_that_came_with_another_message_is_not_the_next_ones() -> TestResult {
    let (channel, peer) = pair();
    let ((stray, _stray_end), (meant, _meant_end)) = (socket(), socket());
    let wanted = inode(&meant);
    peer.send("\"pla", Some(&stray));
    super::peer::let_it_write().await;
    peer.send("in\"\n", None);
    peer.send(handle_line("net.Native", "1"), Some(&meant));
    assert_eq!(next(&channel).await.json(), "\"plain\"");
    let handle = next(&channel).await.handle.ok_or("no handle")?;
    assert_eq!(inode(&handle), wanted);
    Ok(())
}

/// In a program that gives up root, for which the kernel makes an exception.
#[tokio::test]
async fn handles_wait_while_too_many_descriptors_are_in_flight() -> TestResult {
    let output = exec_file(Command::new(env!("CARGO_BIN_EXE_test-channel-child")).arg("crowd")).await?;
    let said = output.stdout_lossy();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("send a handle: ") && lines[0].ends_with(" (ETOOMANYREFS)"), "{said}");
    assert_eq!(lines[1..], ["all 100 have arrived"]);
    Ok(())
}
