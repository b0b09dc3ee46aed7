//! A listening socket as all three processes have it.

use std::error::Error;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The number that a socket has in this process, and the inode that it has in the kernel.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Socket {
    pub(crate) fd: RawFd,
    pub(crate) inode: u64,
}

// ANCHOR: inode
pub(crate) fn inode_of(listener: &TcpListener) -> Result<Socket, Box<dyn Error>> {
    let fd = listener.as_raw_fd();
    let link = std::fs::read_link(format!("/proc/self/fd/{fd}"))?;
    let link = link.to_string_lossy();
    let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
    Ok(Socket { fd, inode: inode.ok_or_else(|| format!("fd {fd} is {link}"))?.parse()? })
}
// ANCHOR_END: inode

/// Answers each connection with a name, until told to stop; gives how many it answered.
async fn serve(listener: TcpListener, name: String, mut stop: oneshot::Receiver<()>) -> io::Result<usize> {
    let mut answered = 0;
    loop {
        let (mut connection, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = &mut stop => return Ok(answered),
        };
        connection.write_all(name.as_bytes()).await?;
        answered += 1;
    }
}

/// A task that serves, and what stops it.
pub(crate) struct Serving {
    task: JoinHandle<io::Result<usize>>,
    stop: oneshot::Sender<()>,
}

impl Serving {
    pub(crate) fn start(listener: TcpListener, name: &str) -> Serving {
        let (stop, stopped) = oneshot::channel();
        Serving { task: tokio::spawn(serve(listener, name.to_owned(), stopped)), stop }
    }

    /// How many it answered. A connection that it had taken is still answered.
    pub(crate) async fn stop(self) -> Result<usize, Box<dyn Error>> {
        drop(self.stop);
        Ok(self.task.await??)
    }
}
