//! How children end, who else ends with them, and that none is ever left as a zombie.

use std::time::Duration;

use assert_cmd::prelude::*;
use forklore::child_process::{Child, Command, Exit, Signal};
use harness::TestResult;
use harness::process::{ended, forgotten, runs};
use nix::unistd::{Pid, getsid};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

async fn line_of(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).await.expect("readable text");
    line.trim_end().to_owned()
}

/// Has the other end send something back: it runs.
async fn echo(stream: &mut UnixStream) -> std::io::Result<()> {
    stream.write_all(b"echo").await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"echo");
    Ok(())
}

#[tokio::test]
async fn kill_sets_killed_and_answers_false_after_the_end() -> TestResult {
    let child = Command::new("cat").spawn()?;
    assert!(!child.killed());
    assert!(child.kill(Signal::SIGTERM)?, "it runs");
    assert!(child.killed());
    assert_eq!(child.exit().await?, Exit::Signal(Signal::SIGTERM));
    assert!(!child.kill(Signal::SIGTERM)?, "it has ended");
    Ok(())
}

#[tokio::test]
async fn a_grandchild_that_holds_stdout_delays_close_not_exit() -> TestResult {
    // The grandchild keeps our pipe open, as descriptor 5, and sends back what it gets, until that ends.
    let (mut ours, theirs) = UnixStream::pair()?;
    let theirs = theirs.into_std()?;
    theirs.set_nonblocking(false)?;
    let command = Command::shell("cat <&4 5>&1 >&4 & exit 0").descriptor(4, theirs.into());
    let mut child = command.spawn()?;
    assert_eq!(child.exit().await?, Exit::Code(0));
    let mut close = Box::pin(child.close());
    tokio::select! {
        biased;
        _ = &mut close => panic!("closed while the grandchild still held stdout"),
        answer = echo(&mut ours) => answer?,
    }
    drop(ours);
    assert_eq!(close.await?, Exit::Code(0));
    Ok(())
}

#[tokio::test]
async fn timeout_sends_the_kill_signal_once() -> TestResult {
    let child = Command::new("cat").timeout(Duration::from_millis(20)).kill_signal(Signal::SIGUSR1).spawn()?;
    assert_eq!(child.exit().await?, Exit::Signal(Signal::SIGUSR1));
    Ok(())
}

#[tokio::test]
async fn kill_group_ends_what_the_child_has_started() -> TestResult {
    let mut child = Command::shell("exec 3<&0; cat <&3 & echo $!; wait").kill_group().spawn()?;
    let grandchild: u32 = line_of(&mut child).await.parse()?;
    assert!(runs(grandchild));
    assert!(child.kill(Signal::SIGTERM)?);
    // Its stdout is the grandchild's too: this comes only when both have ended.
    assert_eq!(child.close().await?, Exit::Signal(Signal::SIGTERM));
    Ok(())
}

#[tokio::test]
async fn a_group_can_be_killed_after_its_leader_has_ended() -> TestResult {
    let mut child = Command::shell("exec 3<&0; cat <&3 & echo started").kill_group().spawn()?;
    let _input = child.stdin.take();
    assert_eq!(line_of(&mut child).await, "started");
    assert_eq!(child.exit().await?, Exit::Code(0));
    assert!(
        child.kill(Signal::SIGKILL)?,
        "the leader's pid is kept until close, so this reaches its group and no other"
    );
    assert_eq!(child.close().await?, Exit::Code(0));
    forgotten(child.pid()).await;
    Ok(())
}

#[tokio::test]
async fn dropping_a_child_never_leaves_a_zombie() -> TestResult {
    for command in [Command::new("true"), Command::new("true").kill_group(), Command::new("cat").kill_on_drop()] {
        let child = command.spawn()?;
        let pid = child.pid();
        drop(child);
        forgotten(pid).await;
    }
    // `cat` without kill_on_drop runs on, and ends when its input does.
    let mut child = Command::new("cat").spawn()?;
    let (pid, input) = (child.pid(), child.stdin.take());
    drop(child);
    assert!(runs(pid), "it runs on");
    drop(input);
    forgotten(pid).await;
    Ok(())
}

#[test]
fn a_child_that_outlives_its_runtime_is_waited_for_all_the_same() -> TestResult {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let first = runtime()?;
    let mut child = first.block_on(async { Command::new("cat").spawn() })?;
    let (pid, input) = (child.pid(), child.stdin.take());
    drop(first);
    let second = runtime()?;
    assert!(second.block_on(child.exit()).is_err(), "nobody can tell any more");
    drop((child, input));
    second.block_on(forgotten(pid));
    Ok(())
}

#[tokio::test]
async fn a_detached_child_outlives_its_parent_in_a_session_of_its_own() -> TestResult {
    let mut parent = Command::new(env!("CARGO_BIN_EXE_test-detacher")).spawn()?;
    // The input is the grandchild's, too: it ends when we let go of this.
    let input = parent.stdin.take();
    let pid: u32 = line_of(&mut parent).await.parse()?;
    assert_eq!(parent.exit().await?, Exit::Code(0));
    assert!(runs(pid), "it runs on");
    assert_eq!(getsid(Some(Pid::from_raw(pid.try_into()?)))?.as_raw(), i32::try_from(pid)?);
    drop(input);
    ended(pid).await;
    Ok(())
}

#[tokio::test]
async fn a_parent_death_signal_ends_the_child_of_a_killed_parent() -> TestResult {
    let mut parent = Command::new(env!("CARGO_BIN_EXE_test-mortal")).spawn()?;
    let pid: u32 = line_of(&mut parent).await.parse()?;
    assert!(runs(pid));
    parent.kill(Signal::SIGKILL)?;
    ended(pid).await;
    Ok(())
}

#[test]
fn a_parent_that_was_started_with_sigchld_ignored_learns_how_its_children_end() {
    // A shell passes on what it ignores.
    let line = format!("trap '' CHLD; exec {} childless", env!("CARGO_BIN_EXE_test-outcast"));
    std::process::Command::new("sh").args(["-c", &line]).assert().success().stdout("Ok(\"\\n\")\n");
}
