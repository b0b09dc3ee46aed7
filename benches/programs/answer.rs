//! What our servers answer: twelve bytes to whatever is asked, as the others do.

use std::convert::Infallible;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

const TEXT: &str = "hello, fork\n";

/// Answers every request of one connection, until the client is content or gone.
pub(crate) async fn answer(connection: impl AsyncRead + AsyncWrite + Unpin) {
    let service = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(TEXT.to_owned())) });
    // What goes wrong with a client is counted by it.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}
