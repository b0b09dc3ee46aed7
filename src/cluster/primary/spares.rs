//! Descriptors that are kept for a fork.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::resource::{Resource, getrlimit};

/// How many are kept: a fork needs six for its pipes, its channel and its process, and a few more while it starts.
const SPARES: usize = 16;

/// Few descriptors are left when fewer than these are.
const RESERVE: u64 = 32;

/// Descriptors that are kept for a fork. A count cannot know what else this process opens.
#[derive(Debug, Default)]
pub(super) struct Spares {
    held: Vec<OwnedFd>,
    /// Set when they are kept for the first time.
    is_kept: bool,
    /// The soft limit of descriptors.
    limit: u64,
}

impl Spares {
    /// Releases them: a fork is about to start.
    pub(super) fn release(&mut self) {
        self.held.clear();
    }

    /// Keeps them from now on.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
        self.limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
        self.refill();
    }

    /// Takes as many as are missing and can be had.
    pub(super) fn refill(&mut self) {
        while self.missing() > 0 {
            let Ok(file) = File::open("/dev/null") else { return };
            self.held.push(file.into());
        }
    }

    /// How many could not be had.
    pub(super) fn missing(&self) -> usize {
        if self.is_kept { SPARES - self.held.len() } else { 0 }
    }

    /// Whether few descriptors are left. The kernel gives out the lowest number that is free, so all below this one are in use.
    pub(super) fn is_near_limit(&self, newest: &OwnedFd) -> bool {
        let number = u64::try_from(newest.as_raw_fd()).unwrap_or_default();
        self.is_kept && number + RESERVE >= self.limit
    }
}
