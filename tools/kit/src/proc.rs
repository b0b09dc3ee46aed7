//! What the kernel tells about processes in `/proc` (proc(5)).
//!
//! # Errors
//!
//! Every function fails when its file cannot be read: the process or the descriptor does not exist, or belongs to another user.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Returns what a descriptor of this process refers to, and its number in the kernel: `socket, inode 123`.
// ANCHOR: inode
pub fn descriptor(fd: RawFd) -> io::Result<String> {
    let link = fs::read_link(format!("/proc/self/fd/{fd}"))?;
    Ok(link.to_string_lossy().replace(":[", ", inode ").replace(']', ""))
}

/// Returns the inode of the socket that a descriptor of this process refers to.
pub fn inode(fd: &impl AsFd) -> io::Result<u64> {
    let is = descriptor(fd.as_fd().as_raw_fd())?;
    let inode = is.strip_prefix("socket, inode ").and_then(|inode| inode.parse().ok());
    inode.ok_or_else(|| io::Error::other(format!("{is} is not a socket")))
}
// ANCHOR_END: inode

/// Returns the inodes of the sockets that listen on a TCP port, whatever their address.
// ANCHOR: listeners
pub fn listeners(port: u16) -> io::Result<BTreeSet<u64>> {
    const LISTEN: &str = "0A";
    // A kernel without IPv6 has no tcp6.
    let tables = fs::read_to_string("/proc/net/tcp")? + &fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let inode = |line: &str| {
        // sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …, with numbers in hexadecimal
        let words: Vec<&str> = line.split_whitespace().collect();
        let local = words.get(1)?.rsplit(':').next()?;
        let listens = u16::from_str_radix(local, 16) == Ok(port) && *words.get(3)? == LISTEN;
        if listens { words.get(9)?.parse().ok() } else { None }
    };
    Ok(tables.lines().filter_map(inode).collect())
}
// ANCHOR_END: listeners

/// A process that has a descriptor of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The descriptor's number in it.
    pub fd: RawFd,
    /// The name of the process.
    pub name: String,
}

/// Finds every descriptor of these sockets. Only root can see other users' processes.
// ANCHOR: holders
pub fn holders(inodes: &BTreeSet<u64>) -> io::Result<Vec<Holder>> {
    let sockets: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let mut holders = Vec::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse() else { continue };
        // A process may end while we look, and other users' descriptors are hidden.
        for entry in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            if let Ok(fd) = entry.file_name().to_string_lossy().parse()
                && sockets.iter().any(|socket| target.to_string_lossy() == *socket)
            {
                holders.push(Holder { pid, fd, name: name(pid).unwrap_or_default() });
            }
        }
    }
    Ok(holders)
}
// ANCHOR_END: holders

/// Returns the name of a process: the first 15 bytes of its program's name, unless it has changed them.
pub fn name(pid: u32) -> io::Result<String> {
    Ok(fs::read_to_string(format!("/proc/{pid}/comm"))?.trim_end().to_owned())
}

/// Returns how long this process has been running, in seconds.
pub fn uptime() -> io::Result<f64> {
    let number = |text: &str, place| text.split_whitespace().nth(place).and_then(|word| word.parse::<f64>().ok());
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Field 22 is the start, in hundredths of a second (USER_HZ). Field 2 is a name that may contain blanks, and ends in a parenthesis.
    let started = stat.rsplit(')').next().and_then(|rest| number(rest, 19));
    let machine = number(&fs::read_to_string("/proc/uptime")?, 0);
    machine.zip(started).map(|(machine, started)| machine - started / 100.0).ok_or(io::ErrorKind::InvalidData.into())
}

/// Returns the resident memory of this process now, in KiB.
pub fn resident() -> io::Result<u64> {
    figure("status", "VmRSS")
}

/// Returns the most memory that this process has had resident so far, in KiB.
pub fn peak() -> io::Result<u64> {
    figure("status", "VmHWM")
}

/// Returns the memory that this process has written to and shares with no other process, in KiB.
pub fn private() -> io::Result<u64> {
    figure("smaps_rollup", "Private_Dirty")
}

fn figure(file: &str, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/self/{file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    figure.ok_or_else(|| io::Error::other(format!("/proc/self/{file} has no {name}")))
}

/// Writes KiB as MiB, to a tenth.
pub fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}
