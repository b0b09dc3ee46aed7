//! A worker: answers with its number. The first one is slow where it is asked to be.

use std::io;
use std::time::Duration;

use forklore::cluster::{self, Connection, Listen};
use kit::http;
use transcript::Transcript;

/// The path for which worker 1 takes longer.
pub(crate) const ONE_SLOW: &str = "/one-slow";
const SLOWER: Duration = Duration::from_millis(20);

pub(crate) async fn worker(_: Transcript) -> kit::Result {
    let worker = cluster::worker()?;
    let listener = worker.listen(Listen::tcp("127.0.0.1", 0)).await?;
    worker.send("I listen").await?;
    while let Some(connection) = listener.accept().await? {
        tokio::spawn(serve(connection, worker.id()));
    }
    worker.disconnected().await;
    Ok(())
}

// ANCHOR: serve
async fn serve(connection: Connection, id: u32) -> io::Result<()> {
    let answer = move |path: String| async move {
        if path == ONE_SLOW && id == 1 {
            #[expect(clippy::disallowed_methods, reason = "the slowness itself: no fact depends on how long it is")]
            tokio::time::sleep(SLOWER).await;
        }
        id.to_string()
    };
    http::serve(connection, answer).await
}
// ANCHOR_END: serve
