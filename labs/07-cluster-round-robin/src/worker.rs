//! A worker of lab 07: an HTTP server that answers with its number.

use std::future::ready;

use forklore::cluster::{self, Listen};
use kit::http;
use transcript::Transcript;

// ANCHOR: worker
pub(crate) async fn worker(t: Transcript) -> kit::Result {
    let worker = cluster::worker()?;
    let listener = worker.listen(Listen::tcp("127.0.0.1", 0)).await?;
    let port = listener.local_addr().map_or(0, |address| address.port());
    t.say(format!("my listen(0) gave port {port}"));
    worker.send("I have spoken").await?;
    let id = worker.id();
    while let Some(connection) = listener.accept().await? {
        tokio::spawn(http::serve(connection, move |_| ready(id.to_string())));
    }
    worker.disconnected().await;
    Ok(())
}
// ANCHOR_END: worker
