//! One connection, one answer.

use std::io;
use std::net::SocketAddr;

use kit::{clients, http};

pub(crate) async fn ask(server: SocketAddr, protocol: &str) -> io::Result<String> {
    if protocol == "HTTP" { http::get(server, "/").await } else { clients::read(server).await }
}

/// Returns who answers, or that nobody listens.
// ANCHOR: knock
pub(crate) async fn knock(server: SocketAddr, protocol: &str) -> io::Result<String> {
    match ask(server, protocol).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok("ECONNREFUSED".to_owned()),
        answer => answer,
    }
}
// ANCHOR_END: knock
