//! Where lines go: one `write(2)` each.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The longest line in bytes, newline included: `PIPE_BUF` on Linux, up to which a write to a pipe is never mixed with another
/// process's (pipe(7)). A longer line is cut, and says so by a final `…`.
pub const LINE_LIMIT: usize = 4096;

/// The shared open file description, and the first thing that went wrong with it.
#[derive(Debug)]
pub(crate) struct Outlet {
    fd: OwnedFd,
    trouble: OnceLock<io::ErrorKind>,
}

impl AsFd for Outlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Outlet {
    pub(crate) fn new(fd: OwnedFd) -> Outlet {
        Outlet { fd, trouble: OnceLock::new() }
    }

    pub(crate) fn trouble(&self) -> Option<io::ErrorKind> {
        self.trouble.get().copied()
    }

    /// Whether nobody can read any more what is written. Another process of the lab may have noticed, and ended of it, before this one
    /// has written again.
    pub(crate) fn reader_is_gone(&self) -> bool {
        let mut asked = [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)];
        let answered = poll(&mut asked, PollTimeout::ZERO) == Ok(1);
        answered && asked[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
    }

    /// Writes a line that ends in a newline. After the first error nothing more is tried.
    pub(crate) fn put(&self, mut line: String) {
        cut(&mut line, LINE_LIMIT);
        if self.trouble.get().is_none()
            && let Err(error) = self.write_all(line.as_bytes())
        {
            self.trouble.get_or_init(|| io::Error::from(error).kind());
        }
    }

    fn write_all(&self, mut bytes: &[u8]) -> nix::Result<()> {
        while !bytes.is_empty() {
            match nix::unistd::write(&self.fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::EINTR) => {}
                // Whoever gave us this stdout made it non-blocking (a Node parent does): wait until there is room.
                Err(Errno::EAGAIN) => {
                    poll(&mut [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Shortens `line` to at most `limit` bytes, newline and ellipsis included, at a character's edge.
fn cut(line: &mut String, limit: usize) {
    if line.len() <= limit {
        return;
    }
    line.truncate(line.floor_char_boundary(limit - "…\n".len()));
    line.push_str("…\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_at_a_character_and_says_so() {
        let mut line = "é".repeat(10) + "\n";
        cut(&mut line, 10);
        assert_eq!(line, "ééé…\n");
        let mut short = String::from("short\n");
        cut(&mut short, 10);
        assert_eq!(short, "short\n");
    }
}
