//! A contestant that runs.

use std::time::Duration;

use forklore::child_process::{Child, Readable, Signal};
use forklore_benches::BenchResult;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::contestant::{Reads, ServingContestant, Start};

const WORKERS: usize = 2;
/// How long it may take to start, and to end.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct RunningServer {
    child: Child,
    pub(crate) port: u16,
    /// Reads what it writes, to the end: all of its processes have ended then.
    rest: JoinHandle<()>,
    _folder: TempDir,
}

impl RunningServer {
    /// Starts it, and waits until both of its workers are ready.
    pub(crate) async fn start(contestant: &ServingContestant) -> BenchResult<RunningServer> {
        let Start { command, port, ready, reads, folder } = contestant.start()?;
        let mut child = command.spawn()?;
        let output = if reads == Reads::Stdout { child.stdout.take() } else { child.stderr.take() };
        let mut lines = BufReader::new(output.ok_or("no pipe")?).lines();
        let mut said = None;
        let told = timeout(LIMIT, async {
            let mut count = 0;
            while count < WORKERS {
                let line = lines.next_line().await?.ok_or("it ended before its workers were ready")?;
                if let Some((_, rest)) = line.split_once(ready) {
                    said = rest.trim().parse().ok();
                    count += 1;
                }
            }
            BenchResult::Ok(())
        });
        let told = told.await.unwrap_or_else(|_| Err("its workers are not ready in time".into()));
        let mut server = RunningServer { child, port: 0, rest: tokio::spawn(read_to_the_end(lines)), _folder: folder };
        match told.and_then(|()| port.or(said).ok_or_else(|| "it does not say where it listens".into())) {
            Ok(port) => server.port = port,
            Err(error) => {
                server.stop().await?;
                return Err(error);
            }
        }
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Ends it, and waits until its workers have ended, too.
    pub(crate) async fn stop(mut self) -> BenchResult<()> {
        self.child.kill(Signal::SIGTERM)?;
        let ended = timeout(LIMIT, async {
            self.child.close().await?;
            self.rest.await?;
            BenchResult::Ok(())
        });
        match ended.await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.child.kill(Signal::SIGKILL)?;
                Err("it did not end when it was told to".into())
            }
        }
    }
}

/// A pipe that nobody reads would end who writes to it.
async fn read_to_the_end(mut lines: Lines<BufReader<Readable>>) {
    while let Ok(Some(_)) = lines.next_line().await {}
}
