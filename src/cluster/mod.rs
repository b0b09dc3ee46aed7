//! One port, many workers: Node's `cluster`.
//!
//! | module | what it holds |
//! |---|---|
//! | `primary/` | [`Primary`]: listens, accepts, hands over; its rules are in `primary/state/` |
//! | `worker/` | [`worker()`]: this process as a worker; its rules are in `worker/state/` |
//! | [`schedule`] | which worker gets the next connection |
//! | `protocol.rs` | the messages between primary and worker |
//!
//! # Limits
//!
//! A worker can hang, crash, lie and flood; its primary stays up and stays small. [`Options`] sets the limits:
//!
//! | a worker … | what bounds it | default | what the user sees |
//! |---|---|---|---|
//! | does not answer for its connections | [`Options::window`], [`Options::answer_limit`] | 16, no limit | [`Event::Silent`] |
//! | does not read what it is sent | it is not read, and killed after [`Options::stall_limit`] | 30 s | [`Event::Stalled`] |
//! | opens listeners | [`Options::listeners`], [`Options::idle_listener_limit`] | 256, 5 minutes | [`Event::ListenerClosed`] |
//! | asks for a descriptor by its number | [`Options::allow_descriptor`] | refused | [`Event::DescriptorRefused`] |
//! | sends a long message | [`Options::message_limit`] | 64 MiB | [`Event::Disconnect`] |
//! | sends what is not allowed | its channel ends | | [`Event::Disconnect`] |
//! | sends more than the user receives | it waits | 64 events, 16 MiB | |
//!
//! Connections that wait for a worker are bounded by [`Options::waiting`], by [`Options::waiting_time`] and by the descriptors that are left.
//! [`Worker::close_channel`] ends one worker's channel at once, and [`Primary::close_listener`] closes a listener.
//!
//! Not bounded: a worker that accepts connections and never serves them gets its share under every policy, since the primary does not see
//! what becomes of them; the number of workers; a worker's processor time; the signals that a worker of the same user can send.

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

    use crate::ipc::Message;

    /// Reads a worker's line, with its number, as its primary does. `None` for one that the primary ignores.
    pub fn read_from_worker(line: &[u8]) -> Option<(Option<u64>, FromWorker)> {
        FromWorker::read(&Message::of_line(line.to_vec().into()).ok()?)
    }

    /// Reads a primary's line, with its number, as its worker does. `None` for one that the worker ignores.
    pub fn read_from_primary(line: &[u8]) -> Option<(Option<u64>, FromPrimary)> {
        FromPrimary::read(&Message::of_line(line.to_vec().into()).ok()?)
    }
}
