//! What the children of lab 00 do. Each role is this same program, started again.

use std::process::ExitCode;
use std::sync::OnceLock;

use kit::Result;
use transcript::Transcript;

/// Set in the parent, and in no program that the parent starts.
pub(crate) static VARIABLE: OnceLock<String> = OnceLock::new();

pub(crate) fn variable() -> &'static str {
    VARIABLE.get().map_or("not there", String::as_str)
}

pub(crate) async fn introduce(t: Transcript) -> Result {
    let ppid = std::os::unix::process::parent_id();
    t.say(format!("pid {}, started by pid {ppid}", std::process::id()));
    t.say(format!("GREETING={}", std::env::var("GREETING")?));
    print!("{ppid}");
    Ok(())
}

pub(crate) async fn look(t: Transcript) -> Result {
    t.say(format!("pid {}: my VARIABLE is {}", std::process::id(), variable()));
    print!("{}", variable());
    Ok(())
}

pub(crate) fn fail() -> ExitCode {
    panic!("nobody catches this");
}
