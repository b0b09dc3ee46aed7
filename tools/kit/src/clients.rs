//! Clients by the dozen, and who answered them.
//!
//! # Errors
//!
//! Every function fails when a connection cannot be made, or its answer is not text.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use forklore::cluster::Primary;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Result;
use crate::http;

/// How many connections [`until_all_answered`] makes before it gives up.
const LIMIT: usize = 30_000;

/// Counts the answers by what they say, in the order of that.
pub fn count<K: Ord>(answers: impl IntoIterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    answers.into_iter().for_each(|answer| *counts.entry(answer).or_default() += 1);
    counts
}

/// Returns the counts alone: `10 10 10 10`.
pub fn shares<K>(counts: &BTreeMap<K, usize>) -> String {
    counts.values().map(usize::to_string).collect::<Vec<_>>().join(" ")
}

/// Asks the workers of a primary over HTTP, one time after the other and each time on a new connection. Returns the answers.
pub async fn in_turn(primary: &Primary, server: SocketAddr, connections: usize) -> io::Result<Vec<String>> {
    let mut answers = Vec::new();
    for _ in 0..connections {
        answers.push(http::get(server, "/").await?);
        // The client may have its answer before the primary has read that the worker took the connection. Until then, a busy machine makes
        // the worker look late, and it would miss a turn.
        while primary.workers().iter().any(|worker| worker.unanswered() > 0) {
            tokio::task::yield_now().await;
        }
    }
    Ok(answers)
}

/// Connects to a server and reads to the end what it writes.
pub async fn read(server: SocketAddr) -> io::Result<String> {
    rest(TcpStream::connect(server).await?).await
}

/// Reads a connection, or a pipe, to its end.
pub async fn rest(mut stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

/// Connects with `at_once` clients at a time until each of `names` has answered. Returns the answers.
pub async fn until_all_answered(server: SocketAddr, names: &[&str], at_once: usize) -> Result<Vec<String>> {
    let mut answers: Vec<String> = Vec::new();
    while let Some(missing) = names.iter().find(|name| !answers.iter().any(|answer| answer == *name)) {
        if answers.len() >= LIMIT {
            return Err(format!("{missing} answered none of {LIMIT} connections").into());
        }
        let clients: JoinSet<_> = (0..at_once).map(|_| read(server)).collect();
        for answer in clients.join_all().await {
            answers.push(answer?);
        }
    }
    Ok(answers)
}
