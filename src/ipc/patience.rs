//! How long the end of a channel may take.

use std::future::Future;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{Shutdown, shutdown};
use tokio::time::{Sleep, sleep};

/// How long the process, when its runtime ends before its channel, waits for a peer that takes nothing; and how long a
/// child waits until its parent has closed its end. A parent needs milliseconds, but one that hangs must not keep its
/// children.
const PATIENCE: Duration = Duration::from_secs(2);

/// When the last wait without a runtime failed. A runtime that ends with several such channels ends them one after the
/// other, at most `TOGETHER` apart, and the process must not wait again for each.
static LAST_TIMEOUT: Mutex<Option<Instant>> = Mutex::new(None);
const TOGETHER: Duration = Duration::from_millis(100);

fn last_timeout() -> MutexGuard<'static, Option<Instant>> {
    LAST_TIMEOUT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns how long a wait without a runtime may take.
pub(super) fn without_runtime() -> Duration {
    if last_timeout().is_some_and(|then| then.elapsed() < TOGETHER) { Duration::ZERO } else { PATIENCE }
}

/// Waits without a runtime until the socket is ready. Returns whether it is before the deadline, or a signal came.
pub(super) fn poll_until(deadline: Instant, socket: BorrowedFd<'_>, events: PollFlags) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
    let ready = poll(&mut [PollFd::new(socket, events)], timeout);
    let in_time = !left.is_zero() && matches!(ready, Ok(1..) | Err(Errno::EINTR));
    if !in_time {
        *last_timeout() = Some(Instant::now());
    }
    in_time
}

/// A child's wait until its parent has closed its end of the channel.
///
/// A Node parent (libuv 1.52) that learns of the last message, the end and the exit in one turn of its loop emits `exit`
/// before `disconnect`, and a cluster's primary can lose `disconnect`. So the child closes its direction of the stream
/// only, and the rest when the parent has seen that.
pub(super) struct PeerWait {
    timer: Pin<Box<Sleep>>,
    /// When the wait ends, once our direction of the stream is closed.
    until: Option<Instant>,
}

impl PeerWait {
    pub(super) fn new() -> PeerWait {
        #[allow(clippy::disallowed_methods)]
        // a limit, which begins later; in a runtime without timers it panics here and not then
        let timer = Box::pin(sleep(PATIENCE));
        PeerWait { timer, until: None }
    }

    /// Closes our direction of the stream. Returns whether the wait has begun.
    pub(super) fn begin(&mut self, socket: BorrowedFd<'_>) -> bool {
        let half_closed = shutdown(socket.as_raw_fd(), Shutdown::Write).is_ok();
        self.until = half_closed.then(|| Instant::now() + PATIENCE);
        half_closed
    }

    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Waits for the end of the wait.
    pub(super) fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until.map(Into::into) else { return Poll::Pending };
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        self.timer.as_mut().poll(context)
    }
}
