//! A child's output is a pipe: seen by whoever reads it, and by nobody else. 100 MiB through a child, in constant memory.
//!
//! The parent is here, the child in `child.rs`, and what passes through the pipes in `stream.rs`.

mod child;
mod stream;

use std::process::ExitCode;

use forklore::child_process::{Command, Exit, exec_file};
use kit::{Result, proc, roles};
use stream::{BLOCK, TOTAL};
use tokio::io::AsyncReadExt;
use transcript::{ArrowKind, Transcript, yes};

/// By how much the peak of our memory may grow while all that passes, in KiB.
const FLAT: u64 = 2048;

fn main() -> ExitCode {
    match roles::played().as_deref() {
        Some("child") => transcript::run_child(child::child),
        _ => transcript::run(&["parent", "child"], parent),
    }
}

async fn parent(t: Transcript) -> Result {
    t.step("A child whose output nobody reads");
    let unread = observe(&t, false).await?;

    t.step("The same child, its output read");
    let read = observe(&t, true).await?;

    t.step("stdin, through a child, to stdout: tr a-z A-Z");
    let word = "hello, pipe";
    t.arrow(ArrowKind::Message, "child", word);
    let answer = exec_file(Command::new("tr").args(["a-z", "A-Z"])).input(word).await?.stdout_lossy();
    t.voice("child").arrow(ArrowKind::Message, "parent", &answer);

    t.step(format!("{} MiB through cat", TOTAL >> 20));
    let before = proc::peak()?;
    // ANCHOR: both
    let mut cat = Command::new("cat").kill_on_drop().spawn()?;
    let (stdin, stdout) = (cat.stdin.take().ok_or("cat has no stdin")?, cat.stdout.take().ok_or("cat has no stdout")?);
    // Both at once: a parent that wrote all of it first would wait for cat, which would wait for the parent to read.
    let (sent, (received, same)) = tokio::try_join!(stream::pour(stdin), stream::drain(stdout))?;
    cat.close().await?;
    // ANCHOR_END: both
    let grown = proc::peak()? - before;
    t.say(format!("sent {} MiB, a block of {} KiB at a time", sent >> 20, BLOCK >> 10));
    let verdict = if same { "the same bytes" } else { "other bytes" };
    t.voice("child").arrow(ArrowKind::Message, "parent", format!("{} MiB, {verdict}", received >> 20));
    t.say(format!("peak memory: {before} KiB before, {grown} KiB more after"));
    t.say("one block going and one coming is all that is ever in our memory");
    t.say(format!("flat means here: it grew by less than {FLAT} KiB"));

    t.fact("seen of a child that nobody reads", format!("{unread} bytes"));
    t.fact("seen of a child whose output is piped", format!("{read} bytes"));
    t.fact("stdin through the child", answer);
    t.fact("bytes in", sent);
    t.fact("bytes out", received);
    t.fact("same bytes", yes(same));
    t.fact("flat", yes(grown < FLAT));
    t.fact("memory grew by less than what passed", yes(grown << 10 < sent as u64));
    Ok(())
}

// ANCHOR: observe
/// Starts the child with a pipe as its stdout; returns how many bytes we saw of it.
async fn observe(t: &Transcript, reading: bool) -> Result<usize> {
    let mut child = roles::command(t, "child", "child")?.spawn()?;
    let mut seen = String::new();
    if reading {
        child.stdout.take().ok_or("the child has no stdout")?.read_to_string(&mut seen).await?;
    }
    let exit = child.exit().await?;
    match seen.trim_end() {
        "" => t.say("saw 0 bytes by the time it exited: they wait in the pipe"),
        line => t.say(format!("saw {} bytes: {line}", seen.len())),
    }
    if child.stdout.take().is_some() {
        t.say("closed my end of the pipe: nobody can read them any more");
    }
    child.close().await?;
    if exit == Exit::Code(0) { Ok(seen.len()) } else { Err(format!("the child ended with {exit}").into()) }
}
// ANCHOR_END: observe
