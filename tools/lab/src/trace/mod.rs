//! A run under strace, merged with what the lab says.
//!
//! | file | what it holds |
//! |---|---|
//! | `strace.rs` | strace's lines as calls and signals |
//! | `call.rs` | one call, with its arguments and its result |
//! | `signal.rs` | a signal that arrives, stops or kills |
//! | `origin.rs` | what a call's surroundings can tell |
//! | `context.rs` | what the calls around each call do tell |
//! | `noise.rs` | which calls are not the lesson |
//! | `cast.rs` | who is who: the names of the processes |
//! | `merge.rs` | calls, signals and transcript in one order, with voices; repetitions counted |
//! | `view.rs` | the result as text or as JSON lines |
//! | `meaning.rs` | what a call means, in a few words |
//! | `plain.rs` | the words for calls that mean the same whatever their arguments are |
//! | `address.rs` | addresses, signals and endings as people write them |

mod address;
mod call;
mod cast;
mod context;
mod meaning;
mod merge;
mod noise;
mod origin;
mod plain;
mod signal;
mod strace;
mod view;

use std::fs;
use std::io;

use nix::time::{ClockId, clock_gettime};

use crate::build;
use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::options::Options;
use crate::program::{Program, Stream};
use crate::terminal::{self, Page, Progress};

pub(crate) fn run(catalogue: &Catalogue, lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    may_trace()?;
    let executable = build::lab(catalogue, lab)?;
    let log = tempfile::NamedTempFile::new().map_err(|error| Failure::trouble("make a file for strace", error))?;
    let mut progress = Progress::new();
    progress.show("running it under strace …");
    let offset = clock_offset().map_err(|error| Failure::trouble("read the clocks", error))?;
    let mut output = Vec::new();
    let ended = Program::new("strace")
        .arguments(["-f", "-qq", "-ttt", "-yy", "-s", "64", "-e", &filter(lab), "-o"])
        .arguments([log.path()])
        .arguments(["--"])
        .arguments([executable])
        .arguments(options.arguments(true))
        .take_stdout()
        .stands_before_another()
        .run(|_, bytes| output.extend_from_slice(bytes));
    drop(progress);
    let log = fs::read(log.path()).map_err(|error| Failure::trouble("read what strace wrote", error))?;

    let seen = strace::parse(&String::from_utf8_lossy(&log), offset);
    let story = merge::merge(&String::from_utf8_lossy(&output), seen);
    let text = if options.json { view::json(&story) } else { view::text(&story, Page::of_stdout()) };
    // After Ctrl-C, what there is of the story is told; that nobody reads it is then no news.
    match ended {
        Ok(ending) => terminal::print(&text).map(|()| ending),
        Err(stopped) => {
            let _ = terminal::print(&text);
            Err(stopped)
        }
    }
}

/// The calls to record. A `?` lets strace pass over one that this machine does not have: `fork` is none on ARM.
fn filter(lab: &Lab) -> String {
    let calls: Vec<String> = lab.trace.iter().map(|call| format!("?{call}")).collect();
    format!("trace={}", if calls.is_empty() { "none".to_owned() } else { calls.join(",") })
}

/// Finds out by tracing `true`, since the reasons for a refusal are many: Yama, seccomp, a container without `CAP_SYS_PTRACE`.
fn may_trace() -> Result<(), Failure> {
    let mut complaint = Vec::new();
    let ending = Program::new("strace")
        .arguments(["-f", "-qq", "-e", "trace=none", "-e", "signal=none", "--", "true"])
        .take_stdout()
        .take_stderr()
        .run(|stream, bytes| {
            if stream == Stream::Stderr {
                complaint.extend_from_slice(bytes);
            }
        })?;
    if ending == Ending::SUCCESS {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let reason = complaint.lines().next().unwrap_or("no reason given").trim_start_matches("strace: ").to_owned();
    Err(Failure::missing(format!("strace is installed but may not trace here, ptrace(2) is refused: {reason}")))
}

/// Microseconds from `CLOCK_MONOTONIC`, by which the transcript counts, to `CLOCK_REALTIME`, by which strace does.
fn clock_offset() -> io::Result<u64> {
    let us = |clock| {
        let time = clock_gettime(clock)?;
        let (seconds, nanoseconds) = (time.tv_sec(), time.tv_nsec());
        Ok::<u64, io::Error>(
            u64::try_from(seconds).unwrap_or(0) * 1_000_000 + u64::try_from(nanoseconds).unwrap_or(0) / 1_000,
        )
    };
    let (before, real, after) =
        (us(ClockId::CLOCK_MONOTONIC)?, us(ClockId::CLOCK_REALTIME)?, us(ClockId::CLOCK_MONOTONIC)?);
    Ok(real.saturating_sub(u64::midpoint(before, after)))
}
