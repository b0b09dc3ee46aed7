//! One port, many workers: Node's `cluster`.
//!
//! | folder | what it holds |
//! |---|---|
//! | [`schedule`] | who gets the next connection; knows neither sockets nor clocks |
//! | `primary/` | [`Primary`]: listens, accepts, hands over |
//! | `worker/` | [`worker()`]: this process as a worker |
//! | `protocol.rs` | the messages between the two |

mod primary;
mod protocol;
pub mod schedule;
mod worker;

pub use crate::net::AddressType;
pub use primary::{Address, Event, Group, ListenerInfo, Options, Primary, State, Worker};
pub use worker::{
    Connection, Listen, Listener, Udp, UdpSocket, WorkerProcess, WorkerSettings, is_primary, is_worker, worker,
    worker_with,
};
