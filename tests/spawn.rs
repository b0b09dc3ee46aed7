//! `child_process::spawn` from the outside: real programs, real signals, what `/proc` says.

use std::io::{Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};

use assert_cmd::cargo_bin_cmd;
use forklore::child_process::{Command, Event, Exit, Signal, Stdio};
use harness::TestResult;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// All that a stream still gives, as text.
async fn text(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    stream.expect("a pipe").read_to_string(&mut text).await.expect("readable text");
    text
}

#[tokio::test]
async fn spawn_event_comes_first_then_exit_then_close() -> TestResult {
    let mut child = Command::shell("echo out; exit 3").spawn()?;
    assert_eq!(child.next_event().await?, Some(Event::Spawn));
    assert_eq!(text(child.stdout.take()).await, "out\n");
    assert_eq!(child.next_event().await?, Some(Event::Exit(Exit::Code(3))));
    assert_eq!(child.next_event().await?, Some(Event::Close(Exit::Code(3))));
    assert_eq!(child.next_event().await?, None);
    Ok(())
}

#[tokio::test]
async fn exit_code_is_the_low_byte_and_a_signal_is_a_signal() -> TestResult {
    assert_eq!(Command::shell("exit 23").spawn()?.exit().await?, Exit::Code(23));
    assert_eq!(Command::shell("exit 256").spawn()?.exit().await?, Exit::Code(0));
    assert_eq!(Command::shell("kill -9 $$").spawn()?.exit().await?, Exit::Signal(Signal::SIGKILL));
    Ok(())
}

#[tokio::test]
async fn a_real_time_signal_is_not_taken_for_success() -> TestResult {
    // Node says code 0, signal null here.
    let exit = Command::shell("kill -36 $$").spawn()?.exit().await?;
    assert_eq!(exit.signal().map(Signal::number), Some(36));
    assert_eq!((exit.code(), exit.success()), (None, false));
    assert_eq!(exit.to_string(), "SIGRTMIN+2");
    Ok(())
}

#[tokio::test]
async fn unread_output_is_drained_after_exit_so_that_close_comes() -> TestResult {
    let mut child = Command::new("echo").arg("nobody reads this").spawn()?;
    assert_eq!(child.close().await?, Exit::Code(0));
    Ok(())
}

#[tokio::test]
async fn streams_pass_bytes_both_ways() -> TestResult {
    let mut child = Command::new("tr").args(["a-z", "A-Z"]).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no pipe")?;
    stdin.write_all(b"hello").await?;
    drop(stdin);
    assert_eq!(text(child.stdout.take()).await, "HELLO");
    assert!(child.close().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_descriptor_can_be_placed_at_any_number_even_crosswise() -> TestResult {
    let file = |content: &str| -> std::io::Result<OwnedFd> {
        let mut file = tempfile::tempfile()?;
        std::io::Write::write_all(&mut file, content.as_bytes())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file.into())
    };
    // The sources are themselves low numbers, which the targets may be, too.
    let (a, b) = (file("a")?, file("b")?);
    let mut child = Command::shell("cat <&3; cat /proc/self/fd/57; cat <&4; ls /proc/self/fd | wc -l")
        .descriptor(57, a.into())
        .descriptor(3, b.into())
        .descriptor(4, file("c")?.into())
        .spawn()?;
    // 0, 1, 2, the three placed, and the one by which ls reads the folder: nothing of the parent's has leaked in.
    assert_eq!(text(child.stdout.take()).await, "bac7\n");
    Ok(())
}

#[tokio::test]
async fn ignore_closes_a_descriptor_above_two_and_is_dev_null_below() -> TestResult {
    let mut child = Command::shell("readlink /proc/self/fd/0; [ -e /proc/self/fd/5 ] || echo closed")
        .stdin(Stdio::Ignore)
        .descriptor(5, Stdio::Ignore)
        .spawn()?;
    assert_eq!(text(child.stdout.take()).await, "/dev/null\nclosed\n");
    Ok(())
}

#[tokio::test]
async fn a_pipe_above_two_goes_both_ways() -> TestResult {
    let mut child = Command::shell("cat <&4 >&4").descriptor(4, Stdio::Pipe).spawn()?;
    let mut pipe = child.take_pipe(4).ok_or("no pipe")?;
    pipe.write_all(b"echo").await?;
    pipe.shutdown().await?;
    assert_eq!(text(Some(pipe)).await, "echo");
    assert!(child.close().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_child_can_open_its_own_stdout_by_name() -> TestResult {
    // With Node's sockets this is ENXIO.
    let mut child = Command::shell("echo hello > /dev/stdout").spawn()?;
    assert_eq!(text(child.stdout.take()).await, "hello\n");
    Ok(())
}

#[tokio::test]
async fn a_reading_end_handed_to_another_child_loses_no_byte() -> TestResult {
    let mut first = Command::shell("echo one; read _; echo two").spawn()?;
    assert_eq!(first.stdout.as_mut().ok_or("no pipe")?.read_u8().await?, b'o');
    let rest = first.stdout.take().ok_or("no pipe")?.into_fd()?;
    let mut second = Command::new("cat").stdin(rest.into()).spawn()?;
    first.stdin.take().ok_or("no pipe")?.write_all(b"go\n").await?;
    assert_eq!(text(second.stdout.take()).await, "ne\ntwo\n");
    Ok(())
}

#[tokio::test]
async fn two_children_write_into_a_third() -> TestResult {
    let mut cat = Command::new("cat").spawn()?;
    let into = cat.stdin.take().ok_or("no pipe")?.into_fd()?;
    for word in ["one", "two"] {
        let echo = Command::new("echo").arg(word).stdout(into.try_clone()?.into()).spawn()?;
        assert!(echo.exit().await?.success());
    }
    drop(into);
    assert_eq!(text(cat.stdout.take()).await, "one\ntwo\n");
    Ok(())
}

#[tokio::test]
async fn the_environment_is_added_to_replaced_or_cleared() -> TestResult {
    let show = |command: Command| async { Ok::<_, forklore::Error>(text(command.spawn()?.stdout.take()).await) };
    let both = Command::shell("echo $WORD ${PATH:+path}").env("WORD", "old").env("WORD", "new");
    assert_eq!(show(both).await?, "new path\n");
    let alone = Command::new("/usr/bin/env").env_clear().env("ONLY", "this");
    assert_eq!(show(alone).await?, "ONLY=this\n");
    let removed = Command::shell("echo ${HOME-unset}").env_remove("HOME");
    assert_eq!(show(removed).await?, "unset\n");
    Ok(())
}

#[tokio::test]
async fn argv0_and_cwd_are_what_they_were_set_to() -> TestResult {
    let mut child = Command::new("sh").argv0("another").args(["-c", "echo $0; pwd"]).cwd("/proc").spawn()?;
    assert_eq!(text(child.stdout.take()).await, "another\n/proc\n");
    Ok(())
}

#[tokio::test]
async fn signals_that_we_ignore_are_at_their_default_in_a_child() -> TestResult {
    // A Rust program ignores SIGPIPE; a child that inherited that would write into a closed pipe for ever.
    let mut child = Command::new("grep").args(["-E", "Sig(Ign|Blk)", "/proc/self/status"]).spawn()?;
    assert_eq!(text(child.stdout.take()).await, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    let mut yes = Command::new("yes").spawn()?;
    drop(yes.stdout.take());
    assert_eq!(yes.close().await?, Exit::Signal(Signal::SIGPIPE));
    Ok(())
}

#[tokio::test]
async fn five_generations_pass_their_output_through_and_close_in_order() -> TestResult {
    let mut child = Command::new(env!("CARGO_BIN_EXE_test-generations")).arg("5").stdin(Stdio::Ignore).spawn()?;
    let names: Vec<_> = (0..=5).map(|n| format!("generation {n} closed\n")).collect();
    assert_eq!(text(child.stdout.take()).await, names.concat());
    assert!(child.close().await?.success());
    Ok(())
}

#[tokio::test]
async fn uid_and_gid_are_taken_on_and_supplementary_groups_dropped() -> TestResult {
    // Only root can become somebody else; anybody can become himself.
    let (uid, gid) = if nix::unistd::geteuid().is_root() {
        (65534, 65534)
    } else {
        (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw())
    };
    let mut child = Command::shell("id -u; id -g").uid(uid).gid(gid).cwd("/").spawn()?;
    assert_eq!(text(child.stdout.take()).await, format!("{uid}\n{gid}\n"));
    Ok(())
}

#[test]
fn a_forked_copy_keeps_the_old_value_and_reports_how_it_ended() {
    // In a program with one thread: fork::copy refuses any other, and this one has many.
    let said = "the copy saw old, the parent sees new\nExited(7)\n";
    cargo_bin_cmd!("test-outcast").arg("fork").assert().success().stdout(said);
}

#[test]
fn a_child_has_the_limit_of_descriptors_that_its_parent_had_before_it_raised_it() {
    // In a program of its own: a limit is that of the whole process.
    cargo_bin_cmd!("test-outcast").arg("limit").assert().success().stdout("as expected\n");
}

#[test]
fn a_primary_raises_its_limit_of_descriptors_unless_told_otherwise() {
    // The workers print their limits.
    cargo_bin_cmd!("test-outcast").arg("primary-limit").assert().success().stdout("256\n256\n");
}

#[tokio::test]
async fn inheriting_our_own_descriptors_leaves_them_as_they_are() -> TestResult {
    // A stdout that became close-on-exec here would be missing in the next program that somebody else starts.
    let inherit = || Command::new("true").stdio([Stdio::Inherit, Stdio::Inherit, Stdio::Inherit]);
    assert!(inherit().spawn()?.exit().await?.success());
    for stream in [std::io::stdin().as_fd(), std::io::stdout().as_fd(), std::io::stderr().as_fd()] {
        let flags = FdFlag::from_bits_retain(fcntl(stream, FcntlArg::F_GETFD)?);
        assert!(!flags.contains(FdFlag::FD_CLOEXEC), "{stream:?}");
    }
    Ok(())
}
