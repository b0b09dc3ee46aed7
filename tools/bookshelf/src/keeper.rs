//! `bookshelf keep`: runs a program, and sees to it that nothing of it is left.
//!
//! The server does not run a lab itself. It starts this, a process between the two, because of a rule of the kernel: a process whose
//! parent ends becomes a child of the nearest ancestor that has asked for such orphans (prctl(2), `PR_SET_CHILD_SUBREAPER`), and of init
//! if none has. Asked for by the server, orphans of everything else that it starts, a browser for instance, would come to it too; asked
//! for here, whatever has this process as an ancestor is of the lab, and can be found and ended, even what left its process group.
//!
//! The server holds the other end of our stdin and never writes to it. End of file means that the program is no longer wanted: somebody
//! pressed Cancel, closed the page, or the server has gone, however it went.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use forklore::child_process::{Child, Command, Exit, Signal, Stdio};
use nix::sys::prctl;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

/// How long the program may take to end in good order before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// How long killed processes may take to die before we say that they did not. SIGKILL waits for nothing but the kernel.
const DEATH: Duration = Duration::from_secs(5);

/// Runs `line`, a program and its arguments, until it ends or is no longer wanted. The exit code is the program's, or 128 and the number
/// of the signal that ended it.
///
/// # Errors
///
/// When it cannot be started or waited for, or when something that it started survives SIGKILL.
pub(crate) fn keep(line: &[OsString]) -> Result<ExitCode, Box<dyn Error>> {
    let (program, arguments) = line.split_first().ok_or("no program to run")?;
    prctl::set_child_subreaper(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exit = runtime.block_on(async {
        let wanted = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
        let command = Command::new(program).args(arguments).kill_on_drop();
        let child = command.stdio([Stdio::Ignore, Stdio::Inherit, Stdio::Inherit]).spawn()?;
        tokio::select! {
            exit = child.exit() => Ok::<_, Box<dyn Error>>(exit?),
            ended = unwanted(wanted) => {
                ended?;
                end(&child).await
            }
        }
    })?;
    end_descendants()?;
    Ok(u8::try_from(exit.shell_code()).unwrap_or(1).into())
}

/// Waits for the end of our input, or a signal that asks us to end.
async fn unwanted(mut wanted: pipe::Receiver) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        ended = async { while wanted.read_u8().await.is_ok() {} } => Ok(ended),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}

/// Asks the program to end in good order; kills it when it takes too long.
async fn end(child: &Child) -> Result<Exit, Box<dyn Error>> {
    child.kill(Signal::SIGTERM)?;
    if let Ok(exit) = tokio::time::timeout(GRACE, child.exit()).await {
        return Ok(exit?);
    }
    child.kill(Signal::SIGKILL)?;
    Ok(child.exit().await?)
}

/// Kills everything that has us as an ancestor, until there is nothing: a process may start another one while it is being killed.
fn end_descendants() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    loop {
        let alive = descendants(Pid::this());
        if alive.is_empty() {
            return Ok(());
        }
        if start.elapsed() > DEATH {
            return Err(format!("processes {alive:?} did not die of SIGKILL").into());
        }
        for pid in alive {
            // The number is still this process's: whoever ends becomes our zombie, or its parent's, which is being killed as well.
            let _ = kill(Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        std::thread::yield_now();
    }
}

/// The processes below `ancestor` that have not ended.
fn descendants(ancestor: Pid) -> BTreeSet<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let known: BTreeMap<i32, (bool, i32)> = pids.filter_map(|pid| Some((pid, state_and_parent(pid)?))).collect();
    let is_below = |pid: &i32| {
        let above = std::iter::successors(Some(*pid), |pid| known.get(pid).map(|(_, parent)| *parent));
        // Nobody has more ancestors than there are processes: read one after the other, the parents need not fit together.
        above.skip(1).take(known.len()).any(|pid| pid == ancestor.as_raw())
    };
    known.iter().filter(|(pid, (ended, _))| !ended && is_below(pid)).map(|(pid, _)| *pid).collect()
}

/// Whether a process has ended (a zombie, or dead), and its parent: the two words after the closing parenthesis of `/proc/PID/stat`
/// (proc(5)).
fn state_and_parent(pid: i32) -> Option<(bool, i32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = stat.rsplit(')').next()?.split_whitespace();
    let ended = matches!(words.next()?, "Z" | "X" | "x");
    Some((ended, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_below_its_parent_and_not_below_itself() {
        let (ended, parent) = state_and_parent(Pid::this().as_raw()).expect("we are in /proc");
        assert!(!ended);
        assert!(descendants(Pid::from_raw(parent)).contains(&Pid::this().as_raw()));
        assert!(!descendants(Pid::this()).contains(&Pid::this().as_raw()));
    }
}
