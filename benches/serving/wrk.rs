//! The client: `wrk`.

use std::fmt;
use std::time::Duration;

use forklore::child_process::{Command, Signal, exec_file};
use forklore_benches::Outcome;
use forklore_benches::wrk::Measured;

/// How many connections it keeps open at a time.
pub(crate) const CONNECTIONS: u32 = 64;

/// How the requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    KeepAlive,
    ConnectionPerRequest,
}

impl Load {
    pub(crate) const ALL: [Load; 2] = [Load::KeepAlive, Load::ConnectionPerRequest];
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Load::KeepAlive => "keep-alive",
            Load::ConnectionPerRequest => "a connection per request",
        })
    }
}

pub(crate) async fn measure(port: u16, load: Load, seconds: u64) -> Outcome<Measured> {
    let mut command = Command::new("wrk").args(["-t1", "--latency"]).arg(format!("-c{CONNECTIONS}"));
    command = command.arg(format!("-d{seconds}s")).parent_death_signal(Signal::SIGKILL);
    if load == Load::ConnectionPerRequest {
        command = command.args(["-H", "Connection: close"]);
    }
    let command = command.arg(format!("http://127.0.0.1:{port}/"));
    let output = exec_file(command).timeout(Duration::from_secs(seconds + 20)).await?.stdout_lossy();
    Measured::read(&output).ok_or_else(|| format!("wrk wrote what is not understood:\n{output}").into())
}
