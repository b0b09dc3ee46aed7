//! The client: `wrk`.

use std::fmt;
use std::time::Duration;

use forklore::child_process::{Command, Signal, exec_file};
use forklore_benches::BenchResult;
use forklore_benches::wrk::Measured;

/// How many connections it keeps open at a time.
pub(crate) const CONNECTIONS: u32 = 64;

/// How the requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadKind {
    KeepAlive,
    ConnectionPerRequest,
}

impl LoadKind {
    pub(crate) const ALL: [LoadKind; 2] = [LoadKind::KeepAlive, LoadKind::ConnectionPerRequest];
}

impl fmt::Display for LoadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LoadKind::KeepAlive => "keep-alive",
            LoadKind::ConnectionPerRequest => "a connection per request",
        })
    }
}

pub(crate) async fn measure(port: u16, load: LoadKind, seconds: u64) -> BenchResult<Measured> {
    let mut command = Command::new("wrk").args(["-t1", "--latency"]).arg(format!("-c{CONNECTIONS}"));
    command = command.arg(format!("-d{seconds}s")).parent_death_signal(Signal::SIGKILL);
    if load == LoadKind::ConnectionPerRequest {
        command = command.args(["-H", "Connection: close"]);
    }
    let command = command.arg(format!("http://127.0.0.1:{port}/"));
    let output = exec_file(command).timeout(Duration::from_secs(seconds + 20)).await?.stdout_lossy();
    Measured::read(&output).ok_or_else(|| format!("wrk wrote what is not understood:\n{output}").into())
}
