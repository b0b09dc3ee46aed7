//! The descriptors of a process, used up.

use std::fs::{File, read_dir};
use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// How many more descriptors this process may open from now on, at most.
const ROOM: u64 = 16;

/// What a process opened so that it can open no more: dropped, it can again.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    _opened: Vec<File>,
}

impl Filling {
    /// Opens what can be opened, but for so many.
    pub(crate) fn but(left: usize) -> io::Result<Filling> {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, read_dir("/proc/self/fd")?.count() as u64 + ROOM, hard)?;
        let mut opened: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        opened.truncate(opened.len().saturating_sub(left));
        Ok(Filling { _opened: opened })
    }
}
