//! One port, many workers: Node's `cluster`.
//!
//! | module | what it holds |
//! |---|---|
//! | `primary/` | [`Primary`]: listens, accepts, hands over; its rules are in `primary/state/` |
//! | `worker/` | [`worker()`]: this process as a worker; its rules are in `worker/state.rs` |
//! | [`schedule`] | which worker gets the next connection |
//! | `protocol.rs` | the messages between primary and worker |

mod primary;
#[expect(missing_docs, reason = "not part of the public interface; the items say what their fields mean")]
mod protocol;
pub mod schedule;
mod worker;

pub use crate::net::AddressType;
pub use primary::{Address, Disconnection, Event, Group, ListenerInfo, Options, Primary, State, Worker};
pub use worker::{
    Connection, Listen, Listener, Udp, UdpSocket, WorkerProcess, WorkerSettings, is_primary, is_worker, worker,
    worker_with,
};

/// The state machines and their messages, for simulations. Outside of semantic versioning: any release may change them.
#[doc(hidden)]
pub mod state {
    pub use super::primary::state as primary;
    pub use super::protocol::{FromPrimary, FromWorker, Query, Reply};
    pub use super::worker::state as worker;
}
