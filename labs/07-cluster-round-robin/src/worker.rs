//! A worker of lab 07: an HTTP server that answers with its number.

use std::convert::Infallible;
use std::error::Error;

use forklore::cluster::{self, Connection, Listen};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use transcript::Transcript;

// ANCHOR: worker
pub(crate) async fn worker(t: Transcript) -> Result<(), Box<dyn Error>> {
    let worker = cluster::worker()?;
    let listener = worker.listen(Listen::tcp("127.0.0.1", 0)).await?;
    let port = listener.local_addr().map_or(0, |address| address.port());
    t.say(format!("my listen(0) gave port {port}"));
    worker.send("I have spoken").await?;
    while let Some(connection) = listener.accept().await? {
        tokio::spawn(serve(connection, worker.id()));
    }
    worker.disconnected().await;
    Ok(())
}
// ANCHOR_END: worker

/// Every request of one connection.
async fn serve(connection: Connection, id: u32) -> hyper::Result<()> {
    let answer =
        service_fn(move |_: Request<Incoming>| async move { Ok::<_, Infallible>(Response::new(id.to_string())) });
    http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await
}
