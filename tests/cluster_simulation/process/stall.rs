//! A worker that does not read, and what comes from it nevertheless.

use super::Process;
use super::wire::Up;

/// A channel stands still when more than so many messages wait in it.
const STALLED_AT: usize = 18;

impl Process {
    /// Whether it leaves unread what it was sent.
    pub(crate) fn is_stalled(&self) -> bool {
        !self.is_broken && self.down.len() > STALLED_AT
    }

    /// Which of what came from it the primary handles next. `only_back`: the next handle, which may overtake messages.
    pub(crate) fn next_up(&self, only_back: bool) -> Option<usize> {
        match only_back || self.is_paused || self.is_stalled() {
            true => self.up.iter().position(|up| matches!(up, Up::Back(..))),
            false => (!self.up.is_empty()).then_some(0),
        }
    }
}
