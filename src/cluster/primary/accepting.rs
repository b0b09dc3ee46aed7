//! The task that accepts at a listener.

use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::table::Inner;
use crate::net::Acceptor;

/// How many connections are taken out of the backlog before other tasks have their turn.
const BATCH: usize = 16;

/// How long accepting rests when there is no descriptor or no memory for a connection, unless something changes earlier; and how long a
/// connection does that every worker has refused.
const REST: Duration = Duration::from_millis(50);

/// Accepts, until the listener is closed.
pub(super) async fn accept_all(cluster: Weak<Inner>, number: u64, acceptor: Acceptor, news: Arc<Notify>) {
    let mut spread = 0;
    let mut failing = false;
    loop {
        while !cluster.upgrade().is_some_and(|cluster| cluster.lock().has_room(number)) {
            news.notified().await;
        }
        let Ok(mut ready) = acceptor.readable().await else { return };
        for _ in 0..BATCH {
            let accepted = acceptor.take(&mut ready);
            let Some(cluster) = cluster.upgrade() else { return };
            match accepted {
                Ok(Some((connection, address))) => {
                    // Clients without an address, over a Unix socket, are spread evenly.
                    spread += 1;
                    let client = address.map_or(spread, client_of);
                    if !cluster.arrived(number, connection, client) {
                        break;
                    }
                }
                Ok(None) => {
                    failing = false;
                    break;
                }
                Err(errno) => {
                    let is_news = !std::mem::replace(&mut failing, true);
                    cluster.accept_failed(number, errno, is_news);
                    drop(cluster);
                    // A connection that is taken gives a descriptor back, and then there is news, too.
                    let _ = tokio::time::timeout(REST, news.notified()).await;
                    break;
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Offers again some of what everybody has refused, after a rest, until nothing rests.
pub(super) async fn rest(cluster: Weak<Inner>, number: u64) {
    loop {
        #[expect(
            clippy::disallowed_methods,
            reason = "nothing tells us when a worker that refuses would no longer do so"
        )]
        tokio::time::sleep(REST).await;
        if !cluster.upgrade().is_some_and(|cluster| cluster.rested(number)) {
            return;
        }
    }
}

/// A number for a client's address. The port is no part of it: all connections of one client have the same number.
fn client_of(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => u64::from(u32::from(address)),
            None => {
                let bits = u128::from(address);
                (bits >> 64) as u64 ^ (bits as u64).rotate_left(17)
            }
        },
    }
}
