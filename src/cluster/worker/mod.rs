//! The worker's half of a cluster, under a primary of ours or of Node's.
//!
//! | file | what it holds |
//! |---|---|
//! | `process.rs` | [`WorkerProcess`]: this process as a worker |
//! | `shared.rs` | what the parts of a worker share, and how it leaves |
//! | `reader.rs` | the task that reads what the primary says |
//! | `listen.rs` | [`Listen`]: what to listen on |
//! | `server.rs` | a server as the primary knows it: its key, what waits at it |
//! | `listener.rs` | [`Listener`]: a server as its user sees it |
//! | `connection.rs` | [`Connection`] |
//! | `udp.rs` | [`Udp`], [`UdpSocket`] |

mod connection;
mod listen;
mod listener;
mod process;
mod reader;
mod server;
mod shared;
#[cfg(test)]
mod tests;
mod udp;

pub use connection::Connection;
pub use listen::Listen;
pub use listener::Listener;
pub use process::{WorkerProcess, WorkerSettings, is_primary, is_worker, worker, worker_with};
pub use udp::{Udp, UdpSocket};
