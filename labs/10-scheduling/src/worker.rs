//! A worker: answers with its number. The first one is slow where it is asked to be.

use std::error::Error;
use std::io;
use std::time::Duration;

use forklore::cluster::{self, Connection, Listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transcript::Transcript;

use crate::client::Ask;

const SLOWER: Duration = Duration::from_millis(20);

pub(crate) async fn worker(_: Transcript) -> Result<(), Box<dyn Error>> {
    let worker = cluster::worker()?;
    let listener = worker.listen(Listen::tcp("127.0.0.1", 0)).await?;
    while let Some(connection) = listener.accept().await? {
        tokio::spawn(serve(connection, worker.id()));
    }
    worker.disconnected().await;
    Ok(())
}

// ANCHOR: serve
async fn serve(mut connection: Connection, id: u32) -> io::Result<()> {
    let asked = connection.read_u8().await?;
    if asked == Ask::OneSlow as u8 && id == 1 {
        #[expect(clippy::disallowed_methods, reason = "waits for nothing: it is slow")]
        tokio::time::sleep(SLOWER).await;
    }
    connection.write_u32(id).await
}
// ANCHOR_END: serve
