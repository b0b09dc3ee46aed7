//! What the kernel tells about a process, in `/proc/self` (proc(5)).

use std::fs;
use std::io;

/// The process's title: the first 15 bytes of its program's name, unless it has changed them.
pub(crate) fn title() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/self/comm")?.trim_end().to_owned())
}

/// A figure of `/proc/self/status` in KiB, such as `VmRSS`: the memory that is resident now.
pub(crate) fn status(name: &str) -> io::Result<u64> {
    figure("/proc/self/status", name)
}

/// A sum over all mappings in KiB, such as `Private_Dirty`: what was written and nobody else has.
pub(crate) fn smaps(name: &str) -> io::Result<u64> {
    figure("/proc/self/smaps_rollup", name)
}

fn figure(file: &str, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| io::Error::other(format!("{file} has no {name}")))
}

/// How long this process has been running, in seconds, to a hundredth.
pub(crate) fn uptime() -> io::Result<f64> {
    // The kernel tells times to programs in hundredths of a second, whatever its own clock does (USER_HZ).
    const TICKS: f64 = 100.0;
    let number = |word: Option<&str>| {
        word.and_then(|word| word.parse::<f64>().ok()).ok_or_else(|| io::Error::other("no number in /proc"))
    };
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Field 22; the second one is a name that may hold blanks, so count from its closing parenthesis.
    let started = number(stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(19)))? / TICKS;
    let machine = number(fs::read_to_string("/proc/uptime")?.split_whitespace().next())?;
    Ok(machine - started)
}

/// KiB as MiB, to a tenth.
pub(crate) fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
