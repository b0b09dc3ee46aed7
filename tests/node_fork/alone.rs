//! What needs no Node.

use forklore::child_process::{Command, Exit, Stdio};
use forklore::ipc::Ending;
use harness::TestResult;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::kit::PROGRAM;

pub(crate) async fn close_waits_for_a_grandchild_that_holds_the_channel() -> TestResult {
    // The shell leaves a cat behind that holds descriptor 3, and sends back what it gets at 4 until that ends.
    let (mut ours, theirs) = UnixStream::pair()?;
    let theirs = theirs.into_std()?;
    theirs.set_nonblocking(false)?;
    let command = Command::shell("cat <&4 >&4 & exit 5").descriptor(4, theirs.into());
    let (mut child, channel) = command.fork()?;
    assert_eq!(child.exit().await?, Exit::Code(5));
    let echo = async {
        ours.write_all(b"!").await?;
        ours.read_u8().await
    };
    tokio::select! {
        biased;
        _ = child.close() => panic!("closed while the grandchild still held the channel"),
        answer = echo => assert_eq!(answer?, b'!'),
    }
    assert!(channel.ending().is_none());
    drop(ours);
    assert_eq!(child.close().await?, Exit::Code(5));
    assert_eq!(channel.ending(), Some(Ending::PeerClosed));
    Ok(())
}

pub(crate) async fn a_bad_fork_is_refused() {
    let twice = Command::new("true").descriptor(3, Stdio::Ipc).descriptor(4, Stdio::Ipc).fork();
    assert!(twice.is_err_and(|error| error.to_string().contains("one channel")));
    let taken = Command::new("true").descriptor(3, Stdio::Pipe).fork();
    assert!(taken.is_err_and(|error| error.to_string().contains("descriptor 3")));
    assert!(Command::new("/no/such/program").fork().is_err());
}

pub(crate) async fn a_child_is_told_why_it_has_no_channel() {
    let none = |number: &'static str, mode: &'static str| async move {
        let command = Command::new(PROGRAM).arg("none").env("NODE_CHANNEL_FD", number);
        let command = command.env("NODE_CHANNEL_SERIALIZATION_MODE", mode);
        let output = forklore::child_process::exec_file(command).await.expect("it ends well");
        output.stdout_lossy()
    };
    for (number, mode, reason) in [
        ("", "json", "NODE_CHANNEL_FD is not set"),
        ("abc", "json", "not the number of a descriptor"),
        ("-1", "json", "not the number of a descriptor"),
        ("99", "json", "no such descriptor is open"),
        ("0", "json", "a device (/dev/null), and no channel"),
        ("1", "json", "a pipe, and no channel"),
        ("3", "advanced", "only \"json\" is spoken here"),
    ] {
        let said = none(number, mode).await;
        assert!(said.contains(reason), "{number} {mode}: {said}");
    }
}

pub(crate) async fn our_child_leaves_no_descriptor_open() -> TestResult {
    let output = forklore::child_process::exec_file(Command::new(PROGRAM).arg("count")).await?;
    assert_eq!(output.stdout_lossy(), "0 descriptors more\n");
    Ok(())
}

pub(crate) async fn a_receiver_without_descriptors_refuses() -> TestResult {
    let output = forklore::child_process::exec_file(Command::new(PROGRAM).arg("poor")).await?;
    let said = output.stdout_lossy();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("sent 4 times") && lines[1].contains("sent 1 time "), "{said}");
    assert_eq!(lines[2..], ["\"now there is room\" true"]);
    Ok(())
}
