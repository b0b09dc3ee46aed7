//! `child_process::exec` and `exec_file` from the outside.

use std::future::IntoFuture;
use std::time::Duration;

use forklore::Error;
use forklore::child_process::{Command, DEFAULT_MAX_BUFFER, Output, Signal, exec, exec_file};
use forklore::error::ErrorKind;
use harness::TestResult;
use harness::process::{ended, runs};

/// A program that writes this many zero bytes to its stdout.
fn zeroes(bytes: usize) -> Command {
    Command::new("head").arg("-c").arg(bytes.to_string()).arg("/dev/zero")
}

fn refusal(outcome: forklore::Result<Output>) -> Error {
    outcome.expect_err("this cannot go well")
}

/// The pid that a failed command has printed.
fn pid(error: &Error) -> Result<u32, std::num::ParseIntError> {
    String::from_utf8_lossy(error.stdout()).trim().parse()
}

#[tokio::test]
async fn exec_gives_a_line_to_the_shell_and_exec_file_does_not() -> TestResult {
    assert_eq!(exec("echo $((1 + 1)) >&2").await?.stderr_lossy(), "2\n");
    let literal = exec_file(Command::new("echo").args(["$((1 + 1))", "; true", ">&2"])).await?;
    assert_eq!(literal.stdout_lossy(), "$((1 + 1)) ; true >&2\n");
    Ok(())
}

#[tokio::test]
async fn output_on_stderr_alone_is_no_error() -> TestResult {
    let output = exec("echo careful >&2").await?;
    assert_eq!((output.stdout_lossy().as_str(), output.stderr_lossy().as_str()), ("", "careful\n"));
    Ok(())
}

#[tokio::test]
async fn the_default_limit_is_one_mebibyte_exactly() -> TestResult {
    assert_eq!(DEFAULT_MAX_BUFFER, 1_048_576);
    assert_eq!(exec_file(zeroes(DEFAULT_MAX_BUFFER)).await?.stdout.len(), DEFAULT_MAX_BUFFER);
    let error = refusal(exec_file(zeroes(DEFAULT_MAX_BUFFER + 1)).await);
    assert_eq!(error.kind(), &ErrorKind::MaxBuffer { stream: "stdout", limit: DEFAULT_MAX_BUFFER });
    assert_eq!(error.stdout().len(), DEFAULT_MAX_BUFFER, "what fits is kept");
    assert_eq!(error.code().as_deref(), Some("ERR_CHILD_PROCESS_STDIO_MAXBUFFER"));
    Ok(())
}

#[tokio::test]
async fn the_limit_holds_for_each_stream_and_for_exec_too() -> TestResult {
    let both = exec("printf 12345; printf 67890 >&2").max_buffer(5).await?;
    assert_eq!((both.stdout_lossy().as_str(), both.stderr_lossy().as_str()), ("12345", "67890"));
    let error = refusal(exec("printf 12345; printf 67890x >&2").max_buffer(5).await);
    assert_eq!(error.kind(), &ErrorKind::MaxBuffer { stream: "stderr", limit: 5 });
    assert_eq!(error.stderr(), b"67890");
    let error = refusal(exec("echo x").max_buffer(0).await);
    assert_eq!(error.stdout(), b"");
    assert_eq!(exec("true").max_buffer(0).await?.stdout, b"");
    Ok(())
}

#[tokio::test]
async fn the_limit_counts_bytes_even_inside_a_character() {
    // Node cuts text after 5 UTF-16 units: 7 bytes here.
    let error = refusal(exec_file(Command::new("printf").arg("aé€xy")).max_buffer(5).await);
    assert_eq!(error.stdout(), &"aé€xy".as_bytes()[..5]);
}

#[tokio::test]
async fn without_a_limit_everything_is_taken() -> TestResult {
    let output = exec_file(zeroes(5_000_000)).max_buffer(usize::MAX).await?;
    assert_eq!(output.stdout.len(), 5_000_000);
    Ok(())
}

#[tokio::test]
async fn a_program_that_never_stops_writing_is_stopped_by_the_limit() {
    let error = refusal(exec_file("yes").max_buffer(10).await);
    assert_eq!(error.stdout(), b"y\ny\ny\ny\ny\n");
    // SIGTERM or, if it wrote again before that came, SIGPIPE: both are the truth.
    let signals = [Signal::SIGTERM, Signal::SIGPIPE].map(|signal| Some(signal.number()));
    assert!(signals.contains(&error.signal()), "{:?}", error.signal());
}

#[tokio::test]
async fn timeout_kills_with_sigterm_and_keeps_the_output() -> TestResult {
    let theirs = pipe()?;
    let error =
        refusal(exec("echo so far; exec cat <&3").with(|command| command.descriptor(3, theirs)).timeout(SHORT).await);
    assert_eq!(error.kind(), &ErrorKind::TimedOut { after: SHORT });
    assert_eq!((error.exit_code(), error.signal()), (None, Some(15)));
    assert!(error.killed());
    assert_eq!(error.stdout(), b"so far\n");
    assert!(error.to_string().starts_with("exec echo so far; exec cat <&3: not done after"), "{error}");
    Ok(())
}

/// Long enough for a shell to say a word, even on a busy machine.
const SHORT: Duration = Duration::from_millis(300);

/// A descriptor from which nothing ever comes, until the child that got it has gone.
fn pipe() -> std::io::Result<forklore::child_process::Stdio> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    // Kept open in this process for as long as the tests run: closing it would be an end of file.
    std::mem::forget(ours);
    Ok(std::os::fd::OwnedFd::from(theirs).into())
}

#[tokio::test]
async fn timeout_with_another_signal_and_a_program_that_traps_it() {
    let hang = || Command::new("cat").descriptor(0, pipe().expect("a socketpair"));
    let error = refusal(exec_file(hang()).timeout(SHORT).kill_signal(Signal::SIGKILL).await);
    assert_eq!(error.signal(), Some(9));
    let trap = "trap 'exit 4' TERM; while :; do :; done";
    let error = refusal(exec(trap).timeout(SHORT).await);
    assert_eq!((error.exit_code(), error.signal(), error.killed()), (Some(4), None, true), "as it really ended");
}

#[tokio::test]
async fn a_timeout_kills_the_shell_alone_unless_the_group_is_asked_for() -> TestResult {
    let line = "exec 3<&0; cat <&3 & echo $!; wait";
    let command = || Command::shell(line).descriptor(0, pipe().expect("a socketpair"));
    let error = refusal(exec_file(command().timeout(SHORT)).await);
    let survivor = pid(&error)?;
    assert!(runs(survivor), "killing the shell leaves its child");
    // Our own process, by its pid: the test started it, by way of the shell.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(survivor.try_into()?), nix::sys::signal::Signal::SIGKILL)?;
    ended(survivor).await;

    let error = refusal(exec_file(command().timeout(SHORT)).kill_group().await);
    ended(pid(&error)?).await;
    Ok(())
}

#[tokio::test]
async fn what_a_command_leaves_running_on_purpose_is_left_alone() -> TestResult {
    let line = "cat <&3 >/dev/null 2>&1 & echo $!";
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    let theirs = std::os::fd::OwnedFd::from(theirs);
    let output = exec(line).with(|command| command.descriptor(3, theirs.into())).kill_group().await?;
    let left = output.stdout_lossy().trim().parse()?;
    assert!(runs(left), "it ended well, so nothing is killed");
    drop(ours);
    ended(left).await;
    Ok(())
}

#[tokio::test]
async fn a_program_that_closes_its_output_early_is_still_under_the_timeout() -> TestResult {
    let line = "exec >&- 2>&-; read _";
    let error = refusal(exec_file(Command::shell(line).descriptor(0, pipe()?)).timeout(SHORT).kill_group().await);
    assert_eq!(error.code().as_deref(), Some("ETIMEDOUT"));
    Ok(())
}

#[tokio::test]
async fn failure_tells_code_or_signal_and_what_the_command_said() {
    let error = refusal(exec("echo bad >&2; exit 3").await);
    assert_eq!(error.kind(), &ErrorKind::Failed { code: Some(3), signal: None });
    assert_eq!(error.to_string(), "exec echo bad >&2; exit 3: exited with code 3: bad");
    assert!(!error.killed());
    let error = refusal(exec("kill -34 $$").await);
    assert_eq!((error.exit_code(), error.signal()), (None, Some(34)), "Node takes this for success");
}

#[tokio::test]
async fn a_missing_command_is_127_from_the_shell_and_enoent_without_one() {
    assert_eq!(refusal(exec("no-such-program").await).exit_code(), Some(127));
    let error = refusal(exec_file("no-such-program").await);
    assert_eq!((error.code().as_deref(), error.exit_code()), (Some("ENOENT"), None));
}

#[tokio::test]
async fn cancelling_ends_it_at_once() -> TestResult {
    let (cancel, cancelled) = tokio::sync::oneshot::channel::<()>();
    let command = Command::new("cat").descriptor(0, pipe()?);
    let running = tokio::spawn(exec_file(command).cancel_on(async { drop(cancelled.await) }).into_future());
    cancel.send(()).map_err(|()| "nobody listens")?;
    let error = refusal(running.await?);
    assert_eq!(error.code().as_deref(), Some("ABORT_ERR"));
    Ok(())
}

#[tokio::test]
async fn dropping_the_future_kills_the_program() -> TestResult {
    let (mut ours, theirs) = tokio::net::UnixStream::pair()?;
    let theirs = std::os::fd::OwnedFd::from(theirs.into_std()?);
    let mut running = exec_file(Command::shell("echo $$ >&0; exec cat").descriptor(0, theirs.into())).into_future();
    let mut pid = String::new();
    let mut line = tokio::io::BufReader::new(&mut ours);
    tokio::select! {
        outcome = &mut running => panic!("it cannot end: {outcome:?}"),
        read = tokio::io::AsyncBufReadExt::read_line(&mut line, &mut pid) => read?,
    };
    drop(running);
    ended(pid.trim().parse()?).await;
    Ok(())
}

#[tokio::test]
async fn input_is_given_and_otherwise_at_its_end() -> TestResult {
    assert_eq!(exec_file("cat").input("given").await?.stdout, b"given");
    // Node leaves this one waiting.
    assert_eq!(exec_file("cat").await?.stdout, b"");
    // More than a pipe holds, to a program that reads nothing of it.
    assert_eq!(exec_file("true").input(vec![0; 1_000_000]).await?.stdout, b"");
    Ok(())
}

#[test]
fn the_blocking_variant_gives_the_same_answers() -> TestResult {
    assert_eq!(exec("echo sync").wait()?.stdout, b"sync\n");
    let error = refusal(exec("printf 12345678").max_buffer(4).wait());
    assert_eq!(error.stdout(), b"1234");
    let error = refusal(exec("while :; do :; done").timeout(SHORT).wait());
    assert_eq!((error.code().as_deref(), error.signal()), (Some("ETIMEDOUT"), Some(15)));
    Ok(())
}

#[tokio::test]
async fn the_blocking_variant_refuses_to_block_a_runtime() {
    let error = refusal(exec("true").wait());
    assert!(error.to_string().contains(".await"), "{error}");
}
