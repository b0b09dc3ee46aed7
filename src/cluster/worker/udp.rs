//! UDP: every worker receives from the same socket.

use std::fmt;
use std::ops::Deref;

use super::listen::resolve;
use super::run::ServerHandle;
use crate::cluster::protocol::Query;
use crate::error::{Error, Result};
use crate::net::AddressType;

/// Where to receive datagrams, and how: Node's `dgram` with `bind`.
#[derive(Debug, Clone)]
pub struct Udp {
    host: String,
    port: u16,
    reuse_addr: bool,
    ipv6_only: bool,
    exclusive: bool,
}

impl Udp {
    /// Binds an address, or a name that this process resolves; `0.0.0.0` or `::` for all addresses. Port 0: a port that the kernel chooses.
    pub fn new(host: impl Into<String>, port: u16) -> Udp {
        Udp { host: host.into(), port, reuse_addr: false, ipv6_only: false, exclusive: false }
    }

    /// Lets other sockets bind the same address (`SO_REUSEADDR`).
    pub fn reuse_addr(self) -> Udp {
        Udp { reuse_addr: true, ..self }
    }

    /// Takes no IPv4 datagrams at an IPv6 address.
    pub fn ipv6_only(self) -> Udp {
        Udp { ipv6_only: true, ..self }
    }

    /// Binds in this process alone, without the primary.
    pub fn exclusive(self) -> Udp {
        Udp { exclusive: true, ..self }
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    pub(super) async fn query(&self) -> Result<Query> {
        let ip = resolve(&self.host, self.port).await?;
        let flag = |set, flag| if set { flag } else { 0 };
        Ok(Query {
            address: Some(ip.to_string()),
            port: Some(self.port.into()),
            address_type: if ip.is_ipv6() { AddressType::Udp6 } else { AddressType::Udp4 },
            // Node writes it so.
            fd: Some(Some(-1)),
            flags: Some(flag(self.ipv6_only, Query::IPV6_ONLY) | flag(self.reuse_addr, Query::REUSE_ADDRESS)),
            ..Query::default()
        })
    }
}

impl fmt::Display for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} (UDP)", self.host, self.port)
    }
}

/// A UDP socket that a worker has bound: tokio's. When it is dropped it is closed, and the primary is told.
///
/// It does not keep a worker from leaving. A loop that receives has to stop when
/// [`disconnecting`](super::WorkerProcess::disconnecting) resolves.
#[derive(Debug)]
pub struct UdpSocket {
    socket: tokio::net::UdpSocket,
    _server: Option<ServerHandle>,
}

impl UdpSocket {
    pub(super) fn new(server: Option<ServerHandle>, socket: std::net::UdpSocket, subject: &str) -> Result<UdpSocket> {
        let socket = tokio::net::UdpSocket::from_std(socket).map_err(|error| Error::io("listen on", subject, error))?;
        Ok(UdpSocket { socket, _server: server })
    }
}

impl Deref for UdpSocket {
    type Target = tokio::net::UdpSocket;

    fn deref(&self) -> &tokio::net::UdpSocket {
        &self.socket
    }
}
