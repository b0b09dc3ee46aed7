//! Tells when something changed from which the book is made, by inotify(7).

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use forklore::sys::readiness;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent};
use tokio::io::unix::AsyncFd;

/// How long nothing must have changed before it is told: an editor that saves a file does so in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// The folders of the clone that the book is made from.
const SOURCES: [&str; 3] = ["book", "labs", "src"];

/// The folders of the book, watched as long as this lives.
#[derive(Debug)]
pub(crate) struct Changes {
    sources: [PathBuf; 3],
    inotify: Inotify,
    arrived: AsyncFd<OwnedFd>,
}

impl Changes {
    /// Watches the sources of the book of `root`.
    ///
    /// # Errors
    ///
    /// Those of inotify(7): there is a limit on how many folders a user may watch.
    pub(crate) fn of(root: &Path) -> io::Result<Changes> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let arrived = readiness::readable(inotify.as_fd().try_clone_to_owned()?).map_err(|(_, error)| error)?;
        let changes = Changes { sources: SOURCES.map(|folder| root.join(folder)), inotify, arrived };
        changes.watch()?;
        Ok(changes)
    }

    /// Waits for the next change, and for the quiet after it.
    ///
    /// # Errors
    ///
    /// Those of inotify(7), when new folders are to be watched.
    pub(crate) async fn next(&self) -> io::Result<()> {
        self.change().await?;
        while let Ok(another) = tokio::time::timeout(QUIET, self.change()).await {
            another?;
        }
        // Folders may be new. What is put into them before they are watched is there when the book is built, and that comes now.
        self.watch()
    }

    /// Waits for one change that matters.
    async fn change(&self) -> io::Result<()> {
        loop {
            self.arrived.readable().await?.clear_ready();
            // All of them, or a change that was made before the last build would be told after it.
            let mut matters = false;
            loop {
                match self.inotify.read_events() {
                    Ok(events) => matters |= events.iter().any(changes_a_page),
                    Err(Errno::EAGAIN) => break,
                    Err(Errno::EINTR) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            if matters {
                return Ok(());
            }
        }
    }

    /// Watches all folders, also those that are new. One that is watched already is not watched twice.
    fn watch(&self) -> io::Result<()> {
        let mut folders: Vec<PathBuf> = self.sources.to_vec();
        let events = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_ONLYDIR;
        while let Some(folder) = folders.pop() {
            match self.inotify.add_watch(&folder, events) {
                Ok(_) => {}
                // Removed meanwhile.
                Err(Errno::ENOENT | Errno::ENOTDIR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|e| e.path()));
        }
        Ok(())
    }
}

/// Whether the book may look different after this. An event without a name is about a folder itself, or says that events were lost.
fn changes_a_page(event: &InotifyEvent) -> bool {
    event.name.as_deref().is_none_or(|name| !is_an_editors_own(name))
}

/// A file by which an editor notes something for itself: `.04.md.swp`, `4913`, `04.md~`, `#04.md#`.
fn is_an_editors_own(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(['.', '#']) || name.ends_with('~') || name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_in_a_new_folder_is_told_and_what_editors_note_is_not() {
        let root = tempfile::tempdir().expect("a folder");
        for folder in SOURCES {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        let changes = Changes::of(root.path()).expect("they can be watched");
        fs::create_dir_all(root.path().join("labs/04-eaddrinuse/src")).expect("a folder");
        changes.next().await.expect("a change");
        fs::write(root.path().join("labs/04-eaddrinuse/src/.main.rs.swp"), "").expect("a file");
        let told = tokio::time::timeout(QUIET * 2, changes.next()).await;
        assert!(told.is_err(), "only an editor's note has changed");
        fs::write(root.path().join("labs/04-eaddrinuse/src/main.rs"), "").expect("a file");
        changes.next().await.expect("a change");
    }
}
