//! `generations N`: starts the next generation until N is 0, passes its output through, and says its own name when that has closed.

use forklore::child_process::{Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let generation: u32 = std::env::args().nth(1).ok_or("usage: generations N")?.parse()?;
    if generation > 0 {
        let next = (generation - 1).to_string();
        let mut child = Command::new(std::env::current_exe()?).arg(next).stdin(Stdio::Ignore).spawn()?;
        let (mut output, mut stdout) = (Vec::new(), tokio::io::stdout());
        child.stdout.take().ok_or("no pipe")?.read_to_end(&mut output).await?;
        stdout.write_all(&output).await?;
        stdout.flush().await?;
        assert!(child.close().await?.success());
    }
    println!("generation {generation} closed");
    Ok(())
}
