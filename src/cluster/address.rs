//! Addresses as the cluster's messages have them.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The kind of an address, by Node's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AddressType {
    /// TCP over IPv4: `4`. An address that is null, for all addresses, has this type, too.
    Tcp4,
    /// TCP over IPv6: `6`.
    Tcp6,
    /// A Unix socket: `-1`.
    Unix,
    /// UDP over IPv4: `"udp4"`.
    Udp4,
    /// UDP over IPv6: `"udp6"`.
    Udp6,
    /// None is said, as for a descriptor.
    #[default]
    Unsaid,
}

impl AddressType {
    pub(super) fn is_udp(self) -> bool {
        matches!(self, AddressType::Udp4 | AddressType::Udp6)
    }
}

impl fmt::Display for AddressType {
    /// As it stands in a key.
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
        Ok(match <&RawValue>::deserialize(deserializer)?.get() {
            "4" => AddressType::Tcp4,
            "6" => AddressType::Tcp6,
            "-1" => AddressType::Unix,
            "\"udp4\"" => AddressType::Udp4,
            "\"udp6\"" => AddressType::Udp6,
            _ => AddressType::Unsaid,
        })
    }
}

/// An address as Node's `server.address()` has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SockName {
    pub(super) address: String,
    pub(super) family: String,
    pub(super) port: u16,
}

impl From<SocketAddr> for SockName {
    fn from(address: SocketAddr) -> SockName {
        let family = if address.is_ipv6() { "IPv6" } else { "IPv4" };
        SockName { address: address.ip().to_string(), family: family.to_owned(), port: address.port() }
    }
}

impl SockName {
    pub(super) fn socket_address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.address.parse().ok()?, self.port))
    }
}
