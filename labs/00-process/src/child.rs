//! What the children of lab 00 do. Each role is this same program, started again; all but the copy, which was never started.

use std::error::Error;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use transcript::Transcript;

use crate::proc;

/// Set in the parent, and in no program that the parent starts.
pub(crate) static VARIABLE: OnceLock<String> = OnceLock::new();

pub(crate) fn variable() -> &'static str {
    VARIABLE.get().map_or("not there", String::as_str)
}

/// How much memory the parent has that it shares with its copy, in bytes.
pub(crate) const BALLAST: usize = 64 << 20;

pub(crate) async fn introduce(t: Transcript) -> Result<(), Box<dyn Error>> {
    let ppid = std::os::unix::process::parent_id();
    t.say(format!("pid {}, started by pid {ppid}", std::process::id()));
    t.say(format!("GREETING={}", std::env::var("GREETING")?));
    print!("{ppid}");
    Ok(())
}

pub(crate) async fn look(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.say(format!("pid {}: my VARIABLE is {}", std::process::id(), variable()));
    print!("{}", variable());
    Ok(())
}

pub(crate) fn fail() -> ExitCode {
    panic!("nobody catches this");
}

// ANCHOR: copied
/// The copy's whole life; gives its exit code. `v` and `ballast` are its own, and were the parent's.
pub(crate) fn copied(
    t: &Transcript,
    v: &str,
    ballast: &mut [u8],
    mut go: &PipeReader,
    tell: &Option<PipeWriter>,
) -> i32 {
    let mut part = || -> Result<(), Box<dyn Error>> {
        // Nothing is ever sent: the parent lets go of the other end, or dies.
        go.read_to_end(&mut Vec::new())?;
        t.say(format!("pid {}: for me v is {v}", std::process::id()));
        let own = || proc::smaps("Private_Dirty");
        let before = own()?;
        ballast[..BALLAST / 2].fill(2);
        let after = own()?;
        let (all, written) = (BALLAST >> 20, BALLAST >> 21);
        t.say(format!("of its {all} MiB I share all but {}", proc::mib(before)));
        t.say(format!("I write to {written} MiB of them; now {} are mine alone", proc::mib(after)));
        tell.as_ref().ok_or("closed")?.write_all(v.as_bytes())?;
        Ok(())
    };
    i32::from(part().is_err())
}
// ANCHOR_END: copied
