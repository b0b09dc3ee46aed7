//! What labs need and is not their lesson.
//!
//! # Layout
//!
//! | Rust, in `src/` | for the Node originals | what it holds |
//! |---|---|---|
//! | [`roles`] | `roles.js` | starts a lab's own roles as processes with a seat in the transcript, asks them, ends them |
//! | [`proc`] | `proc.js` | reads `/proc`: descriptors, inodes, who holds a socket, memory |
//! | [`node`] | – | which `node` to start |
//! | [`http`] | `http.js` | an HTTP client, and HTTP on a connection that was accepted |
//! | [`clients`] | `clients.js` | many connections, at once or one after the other, and who answered them |
//! | [`workers`] | – | starts a cluster's workers and waits for what they do; Node has `once(worker, 'listening')` |
//!
//! A lab requires the JavaScript modules as `require('../../../tools/kit/roles.js')`. What only one lab uses and is its lesson stays in
//! that lab.

pub mod clients;
pub mod http;
pub mod node;
pub mod proc;
pub mod roles;
pub mod workers;

/// The result of a lab's functions: any error that can be said in one sentence.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
