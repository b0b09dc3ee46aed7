//! Starts a child that would never end, with a parent-death signal, prints its pid, and waits to be killed.

use forklore::child_process::{Command, Signal, Stdio};

#[tokio::main(flavor = "current_thread")]
async fn main() -> forklore::Result<()> {
    let child = Command::new("sleep")
        .arg("infinity")
        .stdio([Stdio::Ignore, Stdio::Ignore, Stdio::Ignore])
        .parent_death_signal(Signal::SIGKILL)
        .spawn()?;
    println!("{}", child.pid());
    child.exit().await.map(drop)
}
