//! The other process: one of our programs, or a Node script.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use forklore::child_process::{Child, Command, Signal, Stdio};
use forklore::ipc::Channel;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::installed;

/// How long it may take to end by itself when we have gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the benchmarks await things with. It starts no thread: `fork(2)` copies one only.
///
/// # Errors
///
/// When there is no room for its descriptors.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A process that takes part. It ends with us, however we end; dropped, it has ended.
#[derive(Debug)]
pub struct Partner<'r> {
    runtime: &'r Runtime,
    child: Child,
}

impl<'r> Partner<'r> {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// Those of [`Command::spawn`].
    pub fn spawn(runtime: &'r Runtime, command: Command) -> forklore::Result<Partner<'r>> {
        let command = command.kill_on_drop().parent_death_signal(Signal::SIGKILL);
        let child = runtime.block_on(async { command.spawn() })?;
        Ok(Partner { runtime, child })
    }

    /// Starts it with a channel.
    ///
    /// # Errors
    ///
    /// Those of [`Command::fork`].
    pub fn fork(runtime: &'r Runtime, command: Command) -> forklore::Result<(Partner<'r>, Channel)> {
        let command = command.kill_on_drop().parent_death_signal(Signal::SIGKILL);
        let (child, channel) = runtime.block_on(async { command.fork() })?;
        Ok((Partner { runtime, child }, channel))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }
}

impl Drop for Partner<'_> {
    fn drop(&mut self) {
        // It has ended, is about to, or is killed in the middle of something that nobody waits for.
        let _ = self.child.kill(Signal::SIGKILL);
        let _ = self.runtime.block_on(async { timeout(PATIENCE, self.child.exit()).await });
    }
}

/// Whether Node is installed. If not, says who is left out; where every peer is required (`FORKLORE_REQUIRE_TOOLS=1`) that is a failure.
///
/// # Panics
///
/// When it is required and not there.
pub fn has_node(names: &[&str]) -> bool {
    let present = installed("node").is_some();
    if !present {
        names.iter().for_each(|name| println!("left out: {name}: node is not installed"));
        let required = std::env::var_os("FORKLORE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!required, "node is not installed, and every peer is required here");
    }
    present
}

/// A script of `benches/peers/` in Node, which does what it is told and answers how long that took.
#[derive(Debug)]
pub struct NodePartner<'r> {
    partner: Partner<'r>,
    /// None when it is to end.
    orders: Option<File>,
    answers: BufReader<File>,
}

impl<'r> NodePartner<'r> {
    /// Starts it. `None` when Node is not installed.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(
        runtime: &'r Runtime,
        script: &str,
        arguments: &[&str],
    ) -> Result<Option<NodePartner<'r>>, Box<dyn Error>> {
        let Some(node) = installed("node") else { return Ok(None) };
        let ((theirs, orders), (answers, output)) = (pipe2(OFlag::O_CLOEXEC)?, pipe2(OFlag::O_CLOEXEC)?);
        let command = Command::new(node).arg(peer(script)).args(arguments);
        let command = command.stdio([theirs.into(), output.into(), Stdio::Inherit]);
        let partner = Partner::spawn(runtime, command)?;
        let (orders, answers) = (Some(orders.into()), BufReader::new(answers.into()));
        Ok(Some(NodePartner { partner, orders, answers }))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.partner.pid()
    }

    /// A number that it writes.
    ///
    /// # Errors
    ///
    /// When it has ended, or writes something else.
    pub fn number(&mut self) -> Result<u64, Box<dyn Error>> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let number = line.trim().parse();
        number.map_err(|error| format!("{error}: the Node peer wrote {line:?}").into())
    }

    /// Has it do something, and says how long that took by its own clock.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn ask(&mut self, order: &impl Serialize) -> Result<Duration, Box<dyn Error>> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.orders.as_mut().ok_or("it is to end")?.write_all(&line)?;
        Ok(Duration::from_nanos(self.number()?))
    }
}

impl Drop for NodePartner<'_> {
    fn drop(&mut self) {
        // At the end of its input it ends its own child first.
        self.orders = None;
        let Partner { runtime, child } = &self.partner;
        let _ = runtime.block_on(async { timeout(PATIENCE, child.exit()).await });
    }
}

/// Where a Node script lies.
pub fn peer(script: &str) -> String {
    format!(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/{}"), script)
}
