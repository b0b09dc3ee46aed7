//! A child's output is a pipe: seen by whoever reads it, and by nobody else. 100 MiB through a child, in constant memory.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use forklore::child_process::{Command, Exit, Readable, Writable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transcript::{ArrowKind, Transcript, yes};

const MIB: usize = 1 << 20;
const TOTAL: usize = 100 * MIB;
/// By how much the peak of our memory may grow while all that passes.
const FLAT: usize = 2 * MIB;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("child") => transcript::run_child(child),
        _ => transcript::run(&["parent", "child"], parent),
    }
}

// ANCHOR: child
/// The child: one line to its own stdout, whatever that is.
async fn child(t: Transcript) -> Result<(), Box<dyn Error>> {
    let line = "hello from the child\n";
    print!("{line}");
    t.say(format!("wrote {} bytes to my stdout", line.len()));
    Ok(())
}
// ANCHOR_END: child

async fn parent(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("A child whose output nobody reads");
    let unread = observe(&t, false).await?;

    t.step("The same child, its output read");
    let read = observe(&t, true).await?;

    t.step("stdin, through a child, to stdout: tr a-z A-Z");
    let mut tr = Command::new("tr").args(["a-z", "A-Z"]).kill_on_drop().spawn()?;
    let word = "hello, pipe";
    t.arrow(ArrowKind::Message, "child", word);
    let mut stdin = tr.stdin.take().ok_or("tr has no stdin")?;
    stdin.write_all(word.as_bytes()).await?;
    drop(stdin);
    let mut answer = String::new();
    tr.stdout.take().ok_or("tr has no stdout")?.read_to_string(&mut answer).await?;
    t.voice("child").arrow(ArrowKind::Message, "parent", &answer);
    tr.close().await?;

    t.step(format!("{} MiB through cat", TOTAL / MIB));
    let before = peak()?;
    // ANCHOR: both
    let mut cat = Command::new("cat").kill_on_drop().spawn()?;
    let (stdin, stdout) = (cat.stdin.take().ok_or("cat has no stdin")?, cat.stdout.take().ok_or("cat has no stdout")?);
    // Both at once: a parent that wrote all of it first would wait for cat, which would wait for the parent to read.
    let (sent, (received, same)) = tokio::try_join!(pour(stdin), drain(stdout))?;
    cat.close().await?;
    // ANCHOR_END: both
    let grown = peak()? - before;
    t.say(format!("sent {} MiB, a block of {} KiB at a time", sent / MIB, BLOCK / 1024));
    let verdict = if same { "the same bytes" } else { "other bytes" };
    t.voice("child").arrow(ArrowKind::Message, "parent", format!("{} MiB, {verdict}", received / MIB));
    t.say(format!("peak memory: {before} KiB before, {grown} KiB more after"));
    t.say("one block going and one coming is all that is ever in our memory");
    t.say(format!("flat means here: it grew by less than {} KiB", FLAT / 1024));

    t.fact("seen of a child that nobody reads", format!("{unread} bytes"));
    t.fact("seen of a child whose output is piped", format!("{read} bytes"));
    t.fact("stdin through the child", answer);
    t.fact("bytes in", sent);
    t.fact("bytes out", received);
    t.fact("same bytes", yes(same));
    t.fact("flat", yes(grown * 1024 < FLAT));
    Ok(())
}

// ANCHOR: observe
/// Starts the child with a pipe as its stdout; gives how many bytes we saw of it.
async fn observe(t: &Transcript, reading: bool) -> Result<usize, Box<dyn Error>> {
    let command = Command::new(std::env::current_exe()?).arg("child").kill_on_drop();
    let mut child = t.seat("child", command)?.spawn()?;
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

/// As much as a pipe holds (pipe(7)).
const BLOCK: usize = 64 * 1024;

/// A block whose bytes tell their place: 251 is prime, so no shift of it looks the same.
fn block() -> Vec<u8> {
    (0..BLOCK).map(|place| (place % 251) as u8).collect()
}

// ANCHOR: flow
async fn pour(mut into: Writable) -> Result<usize, Box<dyn Error>> {
    let block = block();
    let mut sent = 0;
    while sent < TOTAL {
        into.write_all(&block).await?;
        sent += block.len();
    }
    Ok(sent)
}

/// Reads to the end; gives the number of bytes, and whether they were those of `pour`.
async fn drain(mut from: Readable) -> Result<(usize, bool), Box<dyn Error>> {
    let (expected, mut buffer) = (block(), vec![0; BLOCK]);
    let (mut received, mut same) = (0, true);
    loop {
        // Never past a block's end, so that one comparison will do.
        let place = received % BLOCK;
        let count = from.read(&mut buffer[place..]).await?;
        same &= buffer[place..place + count] == expected[place..place + count];
        received += count;
        if count == 0 {
            return Ok((received, same));
        }
    }
}
// ANCHOR_END: flow

/// The most memory that this process has had resident so far (`VmHWM`, proc(5)), in KiB.
fn peak() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
