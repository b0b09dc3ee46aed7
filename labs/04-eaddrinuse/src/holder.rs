//! Who holds a port: from the port to the socket's inode, from the inode to whoever has it open (proc(5)).

use std::fs;
use std::io;

/// Pid, descriptor and name of each process that has the listening socket of this IPv4 port open. Other users' processes are seen by
/// root alone.
// ANCHOR: of_port
pub(crate) fn of_port(port: u16) -> io::Result<Vec<(u32, String, String)>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let sockets: Vec<String> = table.lines().filter_map(|line| inode(line, port)).collect();
    let mut holders = Vec::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse() else { continue };
        // It may end, or be somebody else's, while we look.
        for fd in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let target = fs::read_link(fd.path()).unwrap_or_default();
            if sockets.iter().any(|socket| target.to_string_lossy() == *socket) {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                holders.push((pid, fd.file_name().to_string_lossy().into_owned(), name.trim_end().to_owned()));
            }
        }
    }
    Ok(holders)
}
// ANCHOR_END: of_port

// ANCHOR: inode
/// `socket:[inode]`, if this line of `/proc/net/tcp` is a socket that listens on the port:
/// `sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …`, with numbers in hexadecimal.
fn inode(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let words: Vec<&str> = line.split_whitespace().collect();
    let local = words.get(1)?.rsplit(':').next()?;
    let listens = u16::from_str_radix(local, 16) == Ok(port) && *words.get(3)? == LISTEN;
    listens.then(|| words.get(9).map(|inode| format!("socket:[{inode}]"))).flatten()
}
// ANCHOR_END: inode
