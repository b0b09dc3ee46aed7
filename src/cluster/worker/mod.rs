//! The worker's half of a cluster, under a primary of ours or of Node's.
//!
//! | file | what it holds |
//! |---|---|
//! | `process.rs` | [`WorkerProcess`]: this process as a worker |
//! | `state/` | every decision, without sockets, tasks and clocks: **the rules** |
//! | `run.rs` | what carries the decisions out: the channel, descriptors, tasks |
//! | `listen.rs` | [`Listen`]: what to listen on |
//! | `listener.rs` | [`Listener`]: a server as its user sees it |
//! | `connection.rs` | [`Connection`] |
//! | `udp.rs` | [`Udp`], [`UdpSocket`] |

mod connection;
mod listen;
mod listener;
mod process;
mod run;
#[expect(missing_docs, reason = "not part of the public interface; the items say what their fields mean")]
pub mod state;
mod udp;

pub use connection::Connection;
pub use listen::Listen;
pub use listener::Listener;
pub use process::{WorkerProcess, WorkerSettings, is_primary, is_worker, worker, worker_with};
pub use udp::{Udp, UdpSocket};
