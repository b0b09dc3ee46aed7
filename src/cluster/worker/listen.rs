//! What to listen on.

use std::env;
use std::fmt;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::cluster::protocol::Query;
use crate::error::{Error, ErrorKind, Result};
use crate::net::AddressType;

/// What to listen on, and how: the options of Node's `server.listen`.
#[derive(Debug, Clone)]
pub struct Listen {
    place: Place,
    backlog: Option<u32>,
    ipv6_only: bool,
    exclusive: bool,
    readable_all: bool,
    writable_all: bool,
    data: Option<Box<RawValue>>,
}

#[derive(Debug, Clone)]
enum Place {
    Tcp { host: Option<String>, port: u16 },
    Unix(PathBuf),
    Fd(RawFd),
}

impl Listen {
    fn on(place: Place) -> Listen {
        let (ipv6_only, exclusive, readable_all, writable_all) = (false, false, false, false);
        Listen { place, backlog: None, ipv6_only, exclusive, readable_all, writable_all, data: None }
    }

    /// Listens on an address, or on a name that this process resolves. Port 0: a port that the kernel chooses, the same for all workers.
    pub fn tcp(host: impl Into<String>, port: u16) -> Listen {
        Listen::on(Place::Tcp { host: Some(host.into()), port })
    }

    /// Listens on all addresses of this machine, IPv6 and IPv4.
    pub fn port(port: u16) -> Listen {
        Listen::on(Place::Tcp { host: None, port })
    }

    /// Listens on a Unix socket. A relative path begins in this process's working directory.
    pub fn unix(path: impl Into<PathBuf>) -> Listen {
        Listen::on(Place::Unix(path.into()))
    }

    /// Listens on a socket that the **primary** has at this descriptor and has announced with
    /// [`Options::allow_descriptor`](crate::cluster::Options::allow_descriptor). With [`exclusive`](Listen::exclusive): on one of this process.
    pub fn fd(number: RawFd) -> Listen {
        Listen::on(Place::Fd(number))
    }

    /// Sets how many connections the kernel keeps waiting, as in `listen(2)`. Default: 511, as in Node. The kernel's own limit is
    /// `/proc/sys/net/core/somaxconn`.
    pub fn backlog(self, connections: u32) -> Listen {
        Listen { backlog: Some(connections), ..self }
    }

    /// Takes no IPv4 connections at an IPv6 address.
    pub fn ipv6_only(self) -> Listen {
        Listen { ipv6_only: true, ..self }
    }

    /// Listens in this process alone, without the primary. Another worker cannot listen on the same port then.
    pub fn exclusive(self) -> Listen {
        Listen { exclusive: true, ..self }
    }

    /// Lets every user read the Unix socket.
    pub fn readable_all(self) -> Listen {
        Listen { readable_all: true, ..self }
    }

    /// Lets every user write the Unix socket, and so connect.
    pub fn writable_all(self) -> Listen {
        Listen { writable_all: true, ..self }
    }

    /// Sets something that all workers on this address share, such as the keys of TLS tickets. All get what the first worker set, in
    /// [`Listener::data`](super::Listener::data).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when it cannot be written as JSON.
    pub fn data(self, data: &(impl Serialize + ?Sized)) -> Result<Listen> {
        let data = to_raw_value(data).map_err(|error| {
            Error::new(
                "listen on",
                self.to_string(),
                ErrorKind::Json(format!("the data cannot be written as JSON: {error}")),
            )
        })?;
        Ok(Listen { data: Some(data), ..self })
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// The query that asks the primary for it.
    pub(super) async fn query(&self) -> Result<Query> {
        let said = |set: bool| set.then_some(true);
        let mut query = Query {
            data: self.data.clone(),
            backlog: Some(self.backlog.map_or(0, |backlog| i32::try_from(backlog).unwrap_or(i32::MAX))),
            readable_all: said(self.readable_all),
            writable_all: said(self.writable_all),
            closed: true,
            ..Query::default()
        };
        match &self.place {
            Place::Tcp { host, port } => {
                query.port = Some((*port).into());
                query.address_type = AddressType::Tcp4;
                query.flags = self.ipv6_only.then_some(Query::IPV6_ONLY);
                if let Some(host) = host {
                    let ip = resolve(host, *port).await?;
                    query.address_type = if ip.is_ipv6() { AddressType::Tcp6 } else { AddressType::Tcp4 };
                    query.address = Some(ip.to_string());
                    query.flags = query.flags.or(Some(0));
                }
            }
            Place::Unix(path) => {
                query.port = Some(-1);
                query.address_type = AddressType::Unix;
                query.address = Some(absolute(path)?);
            }
            Place::Fd(number) => query.fd = Some(Some((*number).into())),
        }
        Ok(query)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp { host: Some(host), port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Tcp { host, port } => write!(f, "{}:{port}", host.as_deref().unwrap_or("*")),
            Place::Unix(path) => path.display().fmt(f),
            Place::Fd(number) => write!(f, "descriptor {number}"),
        }
    }
}

/// Finds the address of a host.
pub(super) async fn resolve(host: &str, port: u16) -> Result<IpAddr> {
    if let Ok(ip) = host.parse() {
        return Ok(ip);
    }
    let subject = || format!("{host}:{port}");
    let unknown = |text: String| Error::invalid("listen on", subject(), text);
    let mut found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| unknown(format!("the name has no address: {error}")).caused_by(error))?;
    found.next().map(|address| address.ip()).ok_or_else(|| unknown("the name has no address".to_owned()))
}

/// Makes a path absolute, without `.` and `..`, as Node does: workers with the same path share a socket.
fn absolute(path: &Path) -> Result<String> {
    let wrong = |text: &str| Error::invalid("listen on", path.display().to_string(), text);
    if path.as_os_str().is_empty() {
        return Err(wrong("the path is empty"));
    }
    let from = env::current_dir().map_err(|error| Error::io("listen on", path.display().to_string(), error))?;
    let mut absolute = PathBuf::new();
    for part in from.join(path).components() {
        match part {
            Component::ParentDir => drop(absolute.pop()),
            Component::CurDir => {}
            part => absolute.push(part),
        }
    }
    let text = absolute.into_os_string().into_string();
    text.map_err(|text: std::ffi::OsString| {
        wrong(&format!("{} is not UTF-8, and so cannot be written as JSON", text.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(listen: &Listen) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let query = runtime.block_on(listen.query()).expect("a query");
        serde_json::to_string(&query).expect("JSON")
    }

    #[test]
    fn what_is_asked_is_what_node_asks_and_whether_to_report() {
        let port = r#"{"index":0,"data":null,"address":null,"port":80,"addressType":4,"backlog":0,"closed":true}"#;
        assert_eq!(json(&Listen::port(80)), port);
        let host = r#"{"index":0,"data":null,"address":"127.0.0.1","port":0,"addressType":4,"flags":0,"backlog":77,"closed":true}"#;
        assert_eq!(json(&Listen::tcp("127.0.0.1", 0).backlog(77)), host);
        let six =
            r#"{"index":0,"data":null,"address":"::","port":1,"addressType":6,"flags":1,"backlog":0,"closed":true}"#;
        assert_eq!(json(&Listen::tcp("::", 1).ipv6_only()), six);
        let fd = r#"{"index":0,"data":null,"address":null,"port":null,"addressType":null,"fd":19,"backlog":0,"closed":true}"#;
        assert_eq!(json(&Listen::fd(19)), fd);
        let path = r#"{"index":0,"data":{"ticketKeys":"00"},"address":"/tmp/s","port":-1,"addressType":-1,"backlog":0,"#
            .to_owned() + r#""readableAll":true,"closed":true}"#;
        let data = serde_json::json!({ "ticketKeys": "00" });
        assert_eq!(json(&Listen::unix("/usr/.././tmp/s").readable_all().data(&data).expect("JSON")), path);
    }

    #[test]
    fn a_relative_path_begins_in_the_working_directory() {
        let here = env::current_dir().expect("a folder");
        let below = here.join("s.sock").to_string_lossy().into_owned();
        assert_eq!(absolute(Path::new("./x/../s.sock")).expect("a path"), below);
        assert!(absolute(Path::new("")).is_err());
    }
}
