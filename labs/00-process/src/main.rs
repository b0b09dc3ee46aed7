//! What a process is: who it is, what goes in and out, how it ends; and what `fork(2)` copies that Node's `fork()` does not.
//!
//! The parent is here, what its children do is in `child.rs`, and where the figures come from in `proc.rs`.

mod child;
mod proc;

use std::error::Error;
use std::process::ExitCode;

use forklore::child_process::{Child, Command, Exit, Signal, Stdio};
use forklore::sys::pidfd::{self, Wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transcript::{ArrowKind, Transcript, yes};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("introduce") => transcript::run_child(child::introduce),
        Some("look") => transcript::run_child(child::look),
        Some("fail") => child::fail(),
        _ => transcript::run(&["parent", "child", "copy"], parent),
    }
}

async fn parent(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("Who am I?");
    let me = std::process::id();
    t.say(format!("pid {me}, started by pid {}", std::os::unix::process::parent_id()));
    t.say(format!("argv: {}", std::env::args().map(|a| proc::file_name(&a)).collect::<Vec<_>>().join(" ")));
    t.say(format!("cwd: {}", std::env::current_dir()?.display()));
    t.say(format!("title: {:?}", proc::title()?));
    t.say(format!("up for {:.2} s, memory {}", proc::uptime()?, proc::mib(proc::status("VmRSS")?)));
    let mut introduced = t.seat("child", part("introduce")?.env("GREETING", "good morning"))?.spawn()?;
    let ppid = text(&mut introduced).await?;
    introduced.close().await?;
    t.say("a child gets its cwd and its environment from its parent");

    t.step("What goes into the stdin of cat comes out of its stdout");
    let mut cat = Command::new("cat").spawn()?;
    t.arrow(ArrowKind::Message, "child", "\"hello\\n\", 6 bytes, and the end");
    let sent = b"hello\n";
    let mut stdin = cat.stdin.take().ok_or("cat has no stdin")?;
    stdin.write_all(sent).await?;
    drop(stdin);
    let echoed = text(&mut cat).await?;
    t.voice("child").arrow(ArrowKind::Message, "parent", format!("{echoed:?}, {} bytes", echoed.len()));
    cat.close().await?;

    // ANCHOR: ends
    t.step("How a process ends");
    let code = Command::shell("exit 7").spawn()?.exit().await?;
    t.voice("child").arrow(ArrowKind::Exit, "parent", format!("{code}: it said exit 7"));
    let victim = Command::new("cat").spawn()?;
    t.arrow(ArrowKind::Signal, "child", "SIGKILL");
    victim.kill(Signal::SIGKILL)?;
    let signal = victim.exit().await?;
    t.voice("child").arrow(ArrowKind::Exit, "parent", format!("no code, signal {signal}"));
    let mut failing = part("fail")?.spawn()?;
    let mut stderr = String::new();
    failing.stderr.take().ok_or("no stderr")?.read_to_string(&mut stderr).await?;
    let mut lines = stderr.lines().filter(|line| !line.is_empty());
    let place = lines.next().and_then(|line| line.split("panicked at ").nth(1)).unwrap_or("?");
    t.voice("child").say(format!("panicked at {}, …", proc::file_name(place.trim_end_matches(':'))));
    t.voice("child").say(format!("… and says {:?}", lines.next().unwrap_or("")));
    let uncaught = failing.close().await?;
    // ANCHOR_END: ends
    t.voice("child").arrow(ArrowKind::Exit, "parent", uncaught);

    let seen_by_copy = fork_a_copy(&t)?;

    // ANCHOR: program
    t.step("Node's fork() copies nothing: it starts a new program, and so do we");
    child::VARIABLE.set("old".to_owned())?;
    t.say(format!("my VARIABLE is {}", child::variable()));
    let mut new_program = t.seat("child", part("look")?)?.spawn()?;
    let seen_by_new_program = text(&mut new_program).await?;
    new_program.close().await?;
    // ANCHOR_END: program

    t.fact("the child's parent is this process", yes(ppid == me.to_string()));
    t.fact("bytes echoed", format!("{} of {}", echoed.len(), sent.len()));
    t.fact("exit code reported", code.code().map_or("none".to_owned(), |code| code.to_string()));
    t.fact("signal reported", signal.signal().map_or("none".to_owned(), |signal| signal.to_string()));
    t.fact("an uncaught error ends in success", yes(uncaught.success()));
    t.fact("the variable in a fork(2) child", seen_by_copy);
    t.fact("the variable in a spawned child", seen_by_new_program);
    Ok(())
}

// ANCHOR: fork
/// A process that is a copy of this one, memory and all. See `sys/fork.rs`.
fn fork_a_copy(t: &Transcript) -> Result<String, Box<dyn Error>> {
    t.step("fork(2) copies the memory, page by page, when one of the two writes");
    let mut v = "old";
    let mut ballast = vec![1_u8; child::BALLAST];
    let (go, start) = std::io::pipe()?;
    let (answer, tell) = std::io::pipe()?;
    // Options, so that the copy can close the ends that are not its own: it got them all.
    let (mut start, mut tell) = (Some(start), Some(tell));
    let copy = forklore::sys::fork::copy(|| {
        start = None;
        child::copied(&t.voice("copy"), v, &mut ballast, &go, &tell)
    })?;
    tell = None;
    t.arrow(ArrowKind::Start, "copy", "fork(2)");
    v = "new";
    t.say(format!("pid {}: I set v=old, forked, then set v=new; for me v is {v}", std::process::id()));
    t.arrow(ArrowKind::Message, "copy", "go");
    drop((start, tell));
    let seen = std::io::read_to_string(answer)?;
    let end = pidfd::wait(&copy.pidfd, Wait::Reap)?.map(Exit::from);
    t.voice("copy").arrow(ArrowKind::Exit, "parent", end.ok_or("it was to be waited for")?);
    Ok(seen)
}
// ANCHOR_END: fork

/// This program again, in another role.
fn part(role: &str) -> std::io::Result<Command> {
    Ok(Command::new(std::env::current_exe()?).arg(role).stdin(Stdio::Ignore).kill_on_drop())
}

async fn text(child: &mut Child) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    child.stdout.take().ok_or("its stdout is no pipe")?.read_to_string(&mut text).await?;
    Ok(text)
}
