//! Who has a socket that listens on a port: the kernel's table names the socket, `/proc/PID/fd` its holders (proc(5)).

use std::fs;
use std::io;

/// Those of these processes that can accept on this IPv4 port.
pub(crate) fn holders(port: u16, pids: &[u32]) -> io::Result<Vec<u32>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let sockets: Vec<String> = table.lines().filter_map(|line| socket(line, port)).collect();
    let mut holders = Vec::new();
    for pid in pids {
        // Of the descriptors that are named, the folder's own is closed by then.
        let fds = fs::read_dir(format!("/proc/{pid}/fd"))?.flatten();
        let mut targets = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
        if targets.any(|target| sockets.iter().any(|socket| target.to_string_lossy() == *socket)) {
            holders.push(*pid);
        }
    }
    Ok(holders)
}

/// `socket:[inode]`, if this line of the table is a socket that listens on the port. Numbers in it are hexadecimal.
// ANCHOR: socket
fn socket(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let words: Vec<&str> = line.split_whitespace().collect();
    let local = words.get(1)?.rsplit(':').next()?;
    let listens = u16::from_str_radix(local, 16) == Ok(port) && *words.get(3)? == LISTEN;
    listens.then(|| words.get(9).map(|inode| format!("socket:[{inode}]"))).flatten()
}
// ANCHOR_END: socket
