//! What a server's processes use: memory and time.

use std::fs;
use std::io;

use forklore_benches::figures::Memory;
use forklore_benches::rollup::Rollup;
use nix::unistd::{SysconfVar, sysconf};

/// A primary, and its workers in the order in which they were started.
pub(crate) struct Processes(Vec<u32>);

impl Processes {
    pub(crate) fn of(primary: u32) -> io::Result<Processes> {
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // It may have ended meanwhile.
            if stat(pid).is_ok_and(|stat| stat.parent == primary) {
                pids.push(pid);
            }
        }
        pids.sort_unstable();
        pids.insert(0, primary);
        Ok(Processes(pids))
    }

    /// The memory of each of them (`/proc/PID/smaps_rollup`).
    pub(crate) fn memory(&self, contestant: &str, moment: &str, round: u32) -> io::Result<Vec<Memory>> {
        let one = |(number, pid): (usize, &u32)| {
            let Rollup { resident, proportional, private_dirty } = Rollup::of(*pid)?;
            let process = if number == 0 { "primary".to_owned() } else { format!("worker {number}") };
            let (contestant, moment) = (contestant.to_owned(), moment.to_owned());
            Ok(Memory { contestant, process, moment, round, resident, proportional, private_dirty })
        };
        self.0.iter().enumerate().map(one).collect()
    }

    /// How many seconds of a processor's time the primary has used, and all workers together.
    pub(crate) fn time(&self) -> io::Result<[f64; 2]> {
        let mut time = [0.0; 2];
        for (number, pid) in self.0.iter().enumerate() {
            time[number.min(1)] += stat(*pid)?.seconds;
        }
        Ok(time)
    }
}

struct Stat {
    parent: u32,
    seconds: f64,
}

/// `/proc/PID/stat`, see proc(5).
fn stat(pid: u32) -> io::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may contain anything.
    let (_, after) = text.rsplit_once(')').unwrap_or_default();
    let field = |number: usize| after.split_whitespace().nth(number - 3).and_then(|field| field.parse::<u64>().ok());
    let fields = (|| Some((u32::try_from(field(4)?).ok()?, field(14)? + field(15)?)))();
    let (parent, ticks) = fields.ok_or_else(|| io::Error::other("no stat of a process"))?;
    let per_second = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100);
    Ok(Stat { parent, seconds: ticks as f64 / per_second as f64 })
}
