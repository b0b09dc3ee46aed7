//! Starts `cat` on this program's own stdin in a session of its own, prints its pid, and dies.

use forklore::child_process::{Command, Stdio};

#[tokio::main(flavor = "current_thread")]
async fn main() -> forklore::Result<()> {
    let stdio = [Stdio::Inherit, Stdio::Ignore, Stdio::Ignore];
    let child = Command::new("cat").stdio(stdio).detached().spawn()?;
    println!("{}", child.pid());
    Ok(())
}
