//! The kinds of addresses, by Node's names.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use nix::errno::Errno;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The kind of an address, by Node's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AddressType {
    /// TCP over IPv4: `4`. An address that is null, for all addresses, also has this type.
    Tcp4,
    /// TCP over IPv6: `6`.
    Tcp6,
    /// A Unix socket: `-1`.
    Unix,
    /// UDP over IPv4: `"udp4"`.
    Udp4,
    /// UDP over IPv6: `"udp6"`.
    Udp6,
    /// Not given, as for a descriptor: `null`.
    #[default]
    Unsaid,
}

impl AddressType {
    pub(crate) fn is_udp(self) -> bool {
        matches!(self, AddressType::Udp4 | AddressType::Udp6)
    }
}

impl fmt::Display for AddressType {
    /// Writes it as it appears in a listener's key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressType::Tcp4 => "4",
            AddressType::Tcp6 => "6",
            AddressType::Unix => "-1",
            AddressType::Udp4 => "udp4",
            AddressType::Udp6 => "udp6",
            AddressType::Unsaid => "null",
        })
    }
}

impl Serialize for AddressType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            AddressType::Tcp4 => serializer.serialize_i64(4),
            AddressType::Tcp6 => serializer.serialize_i64(6),
            AddressType::Unix => serializer.serialize_i64(-1),
            AddressType::Udp4 => serializer.serialize_str("udp4"),
            AddressType::Udp6 => serializer.serialize_str("udp6"),
            AddressType::Unsaid => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for AddressType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AddressType, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(match (value.as_i64(), value.as_str()) {
            (Some(4), _) => AddressType::Tcp4,
            (Some(6), _) => AddressType::Tcp6,
            (Some(-1), _) => AddressType::Unix,
            (_, Some("udp4")) => AddressType::Udp4,
            (_, Some("udp6")) => AddressType::Udp6,
            _ => AddressType::Unsaid,
        })
    }
}

/// Reads an address in figures. A link-local one may name its network interface behind a `%`.
///
/// # Errors
///
/// `EINVAL` when it is not an address; those of `if_nametoindex(3)`.
pub(super) fn parse(host: &str, port: u16) -> nix::Result<SocketAddr> {
    if let Some((host, interface)) = host.split_once('%') {
        let host: Ipv6Addr = host.parse().map_err(|_| Errno::EINVAL)?;
        let scope = interface.parse().or_else(|_| nix::net::if_::if_nametoindex(interface))?;
        return Ok(SocketAddrV6::new(host, port, 0, scope).into());
    }
    host.parse::<IpAddr>().map(|host| (host, port).into()).map_err(|_| Errno::EINVAL)
}
