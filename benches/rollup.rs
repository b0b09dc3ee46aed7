//! What memory a process has.

use std::{fs, io};

/// In KiB, from `/proc/PID/smaps_rollup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollup {
    /// What it can reach without a page fault.
    pub resident: u64,
    /// The same, with each page divided by the number of processes that share it.
    pub proportional: u64,
    /// What it has written to and nobody shares: what another process of this kind costs.
    pub private_dirty: u64,
}

impl Rollup {
    /// That of a process, now.
    ///
    /// # Errors
    ///
    /// When there is no such process, or it is another user's.
    pub fn of(pid: u32) -> io::Result<Rollup> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let kibibytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
                .ok_or_else(|| io::Error::other(format!("no {name} in smaps_rollup")))
        };
        Ok(Rollup {
            resident: kibibytes("Rss")?,
            proportional: kibibytes("Pss")?,
            private_dirty: kibibytes("Private_Dirty")?,
        })
    }
}
