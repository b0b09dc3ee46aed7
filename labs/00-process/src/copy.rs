//! A copy of this process, made by `fork(2)`: the parent's half and the copy's. See `sys/fork.rs`.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

use forklore::child_process::Exit;
use forklore::sys::pidfd::{self, Wait};
use kit::{Result, proc};
use transcript::{ArrowKind, Transcript};

/// How much memory the parent has that it shares with its copy, in bytes.
const BALLAST: usize = 64 << 20;

// ANCHOR: fork
/// Makes a copy of this process, memory and all; returns what the copy's `v` is.
pub(crate) fn fork(t: &Transcript) -> Result<String> {
    t.step("fork(2) copies the memory, page by page, when one of the two writes");
    let mut v = "old";
    let mut ballast = vec![1_u8; BALLAST];
    let (go, start) = pipe()?;
    let (answer, tell) = pipe()?;
    // Options, so that the copy can close the ends that are not its own: it got them all.
    let (mut start, mut tell) = (Some(start), Some(tell));
    let copy = forklore::sys::fork::copy(|| {
        start = None;
        i32::from(copied(&t.voice("copy"), v, &mut ballast, &go, &tell).is_err())
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

// ANCHOR: copied
/// The copy's whole life. `v` and `ballast` are its own, and were the parent's.
fn copied(t: &Transcript, v: &str, ballast: &mut [u8], mut go: &PipeReader, tell: &Option<PipeWriter>) -> Result {
    // Nothing is ever sent: the parent closes the other end, or dies.
    go.read_to_end(&mut Vec::new())?;
    t.say(format!("pid {}: for me v is {v}", std::process::id()));
    let before = proc::private()?;
    ballast[..BALLAST / 2].fill(2);
    let after = proc::private()?;
    t.say(format!("of its {} MiB I share all but {}", BALLAST >> 20, proc::mib(before)));
    t.say(format!("I write to {} MiB of them; now {} are mine alone", BALLAST >> 21, proc::mib(after)));
    tell.as_ref().ok_or("closed")?.write_all(v.as_bytes())?;
    Ok(())
}
// ANCHOR_END: copied
