//! What workers listen on.

use std::fmt;

use crate::cluster::protocol::Query;
use crate::net::AddressType;

/// What a worker listens on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Address {
    /// A host's address or the path of a Unix socket; `None` for all addresses, or for a descriptor.
    pub address: Option<String>,
    /// The port; 0 where there is none.
    pub port: u16,
    /// Its kind.
    pub address_type: AddressType,
    /// The number of the primary's descriptor that is listened on, if it is one.
    pub fd: Option<i64>,
}

impl Address {
    pub(super) fn of(query: &Query) -> Address {
        let port = query.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
        Address { address: query.address.clone(), port, address_type: query.address_type, fd: query.descriptor() }
    }
}

impl fmt::Display for Address {
    /// `127.0.0.1:8000`, `[::1]:8000`, `*:8000` for all addresses, `/run/app.sock`, `descriptor 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.fd) {
            (None, Some(fd)) => write!(f, "descriptor {fd}"),
            (Some(path), _) if self.address_type == AddressType::Unix => f.write_str(path),
            (Some(host), _) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            (Some(host), _) => write!(f, "{host}:{}", self.port),
            (None, None) => write!(f, "*:{}", self.port),
        }
    }
}
