//! How many connections a worker may be handed before it has answered for them.

use std::time::Duration;

/// What counts as a prompt answer: some turns of a busy event loop.
const PROMPT: Duration = Duration::from_millis(10);

/// How far a worker is trusted. The rules:
///
/// 1. with nothing unanswered it may get one, whatever it did before;
/// 2. each prompt answer lets it hold one more, up to the limit; a late one closes the window to one;
/// 3. while the oldest unanswered one is late, it gets nothing more: it may hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    limit: usize,
    /// From 1 to `limit`.
    open: usize,
}

// ANCHOR: window
impl Window {
    pub(super) fn new(limit: usize) -> Window {
        Window { limit, open: 1 }
    }

    /// The worker has answered for a connection that it was handed so long ago.
    pub(super) fn answered(&mut self, took: Duration) {
        self.open = if is_late(took) { 1 } else { (self.open + 1).min(self.limit) };
    }

    /// How many more it may be handed, with so many unanswered.
    pub(super) fn room(self, unanswered: usize) -> usize {
        self.open.saturating_sub(unanswered)
    }
}
// ANCHOR_END: window

/// Whether an answer that takes so long is none to wait for with more connections.
pub(super) fn is_late(took: Duration) -> bool {
    took > PROMPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_one_by_one_and_closes_at_once() {
        let mut window = Window::new(3);
        assert_eq!((window.room(0), window.room(1)), (1, 0));
        for open in [2, 3, 3] {
            window.answered(Duration::from_millis(1));
            assert_eq!(window.room(0), open);
        }
        assert_eq!((window.room(1), window.room(9)), (2, 0));
        window.answered(Duration::from_secs(1));
        assert_eq!((window.room(0), window.room(1)), (1, 0));
    }
}
