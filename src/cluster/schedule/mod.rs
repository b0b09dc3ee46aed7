//! Chooses the worker for the next connection: policies without a clock, a socket or a process.
//!
//! [`Policy`] says what each policy promises. What waits is served in the order in which it came; with
//! [`Policy::Sticky`] that holds for each worker, and a worker without room delays its own clients only. The same calls
//! give the same answers in every run.
//!
//! ```
//! use forklore::cluster::schedule::{Policy, Scheduler};
//!
//! let mut scheduler = Scheduler::new(Policy::RoundRobin).expect("the primary decides");
//! scheduler.offer("a connection", 0);
//! assert_eq!(scheduler.next(), None); // there is no worker
//! scheduler.add(1, 1);
//! assert_eq!(scheduler.next(), Some((1, "a connection")));
//! ```
//!
//! # Layout
//!
//! | file | what it holds |
//! |---|---|
//! | `policy.rs` | the policies by name |
//! | `policy/` | a file for the order of each policy |
//! | `order.rs` | what an order decides |
//! | `scheduler.rs` | what waits, and for which worker; calls the order |
//!
//! A new policy is a file in `policy/` that implements `Order`, and a variant of [`Policy`]: no other file changes.

mod order;
mod policy;
mod scheduler;

#[doc(hidden)]
pub use order::{Candidate, Order};
pub use policy::{Policy, UnknownPolicy};
pub use scheduler::Scheduler;
