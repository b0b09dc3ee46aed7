//! The child that has just been forked: it says that it is there, answers what it is told, and ends with its channel.
//!
//! With the argument `raw`: one byte on the descriptor that BENCH_SOCKET_FD names, and nothing of the channel around it.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};

use forklore::ipc;
use forklore::sys::inherited::Inherited;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some_and(|how| how == "raw") {
        let mut socket =
            File::from(Inherited::in_environment("BENCH_SOCKET_FD").ok_or("no descriptor")?.take(|_| Ok(()))?);
        socket.write_all(&[0])?;
        socket.read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    greet()
}

#[tokio::main(flavor = "current_thread")]
async fn greet() -> Result<(), Box<dyn Error>> {
    let parent = ipc::parent()?;
    parent.send("here").await?;
    while let Some(message) = parent.recv().await? {
        parent.send(&message.decode::<String>()?).await?;
    }
    Ok(())
}
