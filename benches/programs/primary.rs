//! The primary of two workers. Its first argument is the policy, the others are the workers' program.
//!
//! The program that the environment variable `FLOOD` names is one more worker, which serves nothing.
//!
//! What the workers write goes where our own output goes: the line by which each says that it listens.

use std::error::Error;

use forklore::child_process::{Command, Stdio};
use forklore::cluster::{Event, Options, Primary};

const WORKERS: usize = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let policy = arguments.next().ok_or("no policy")?.to_string_lossy().parse()?;
    let program = arguments.next().ok_or("no program")?;
    let arguments: Vec<_> = arguments.collect();
    let primary = Primary::new(Options::default().policy(policy));
    for _ in 0..WORKERS {
        let command = Command::new(&program).args(&arguments).stdin(Stdio::Ignore);
        primary.fork(command.stdout(Stdio::Inherit).stderr(Stdio::Inherit))?;
    }
    if let Some(flood) = std::env::var_os("FLOOD") {
        primary.fork(Command::new(flood).stdin(Stdio::Ignore))?;
    }
    while let Some(event) = primary.next_event().await {
        if let Event::Exit(worker, exit) = event {
            return Err(format!("worker {} ended: {}", worker.id(), exit?).into());
        }
    }
    Ok(())
}
