//! Sockets as both halves of a cluster and the channel use them: each fact about them once.
//!
//! | file | what it holds |
//! |---|---|
//! | `address.rs` | [`AddressType`], and how a host is read |
//! | `bind.rs` | binding, listening, socket options, the file of a Unix socket |
//! | `accept.rs` | a socket that accepts, in a tokio runtime |
//! | `stream.rs` | a connection that is TCP or Unix |

mod accept;
mod address;
mod bind;
mod stream;

pub(crate) use accept::Acceptor;
pub use address::AddressType;
pub(crate) use bind::{Bound, Endpoint, listen, local_address};
pub(crate) use stream::{Stream, family};
