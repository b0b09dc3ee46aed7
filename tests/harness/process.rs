//! Processes as `/proc` shows them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use std::{fs, thread};

use crate::{DEADLINE, until};

/// Returns the state letter of a process; `None` when the kernel has forgotten it.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Returns whether a process runs. One that has ended and was not reaped does not.
pub fn runs(pid: u32) -> bool {
    state(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Waits until a process runs no more, whether or not its parent has reaped it.
pub async fn ended(pid: u32) {
    within_deadline(pid, || !runs(pid)).await;
}

/// Waits until the kernel has forgotten a process.
pub async fn forgotten(pid: u32) {
    within_deadline(pid, || state(pid).is_none()).await;
}

async fn within_deadline(pid: u32, is_met: impl Fn() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, until(is_met)).await;
    assert!(waited.is_ok(), "process {pid} is still there, in state {:?}", state(pid));
}

/// An environment variable by which everything that a test starts is found, and everything that this starts in turn.
#[derive(Debug, Clone)]
pub struct ProcessMark(String);

impl ProcessMark {
    /// Returns a mark that no other test has.
    pub fn unique() -> ProcessMark {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        ProcessMark(format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Returns the variable and its value.
    pub fn variable(&self) -> (&'static str, &str) {
        ("FORKLORE_TEST_MARK", &self.0)
    }

    /// Marks what `command` will start.
    pub fn put_on(command: &mut std::process::Command) -> ProcessMark {
        let mark = ProcessMark::unique();
        command.env(mark.variable().0, mark.variable().1);
        mark
    }

    /// Lists the marked processes that are still there. One that is dying is given time to die.
    pub fn leftovers(&self) -> Vec<String> {
        let start = Instant::now();
        loop {
            let found = self.alive();
            if found.is_empty() || start.elapsed() > DEADLINE {
                return found;
            }
            thread::yield_now();
        }
    }

    /// Lists the marked processes. A zombie is not among them: its environment is gone.
    fn alive(&self) -> Vec<String> {
        let (name, value) = self.variable();
        let marked = format!("{name}={value}");
        let has_mark = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == marked.as_bytes())
        };
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let describe = |pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            format!("{pid} {}", String::from_utf8_lossy(&command).replace('\0', " "))
        };
        pids.filter(has_mark).map(describe).collect()
    }
}
