//! The signals that ask a lab to end.

use std::io;

use forklore::child_process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

/// The signals that ask this process to end: SIGINT, SIGTERM, SIGHUP.
#[derive(Debug)]
pub struct EndRequests {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl EndRequests {
    pub(crate) fn new() -> io::Result<EndRequests> {
        Ok(EndRequests {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one, and says which it is. Can be cancelled without loss.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hangup.recv() => Signal::SIGHUP,
        }
    }
}
