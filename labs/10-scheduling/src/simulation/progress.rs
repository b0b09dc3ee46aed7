//! How far the simulation is: a line on a terminal, and nothing elsewhere.

use std::convert::Infallible;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The line, which goes when this is dropped.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        write("\r\x1b[K");
    }
}

fn write(text: &str) {
    // A terminal that has gone has no use for it.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Shows it, until dropped.
pub(super) async fn show(served: &AtomicU64, all: u64) -> Infallible {
    if !io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let _line = Line;
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        tick.tick().await;
        let percent = served.load(Ordering::Relaxed) * 100 / all;
        write(&format!("\rsimulating: {percent} % "));
    }
}
