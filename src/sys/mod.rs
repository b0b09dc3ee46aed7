//! The only `unsafe` of the project: one Linux fact per file.
//!
//! | file | the fact |
//! |---|---|
//! | `spawn.rs` | a child that shares its parent's memory until `execve(2)` costs the same from any parent |
//! | `request.rs` | the steps of a start, each of which can fail |
//! | `child.rs` | what such a child does before `execve(2)`, and why it may do so little |
//! | `stack.rs` | a stack without a guard page overflows into other memory |
//! | `disposition.rs` | an ignored signal stays ignored in the next program |
//! | `fork.rs` | `fork(2)` copies a process, which is safe only if the process has a single thread |
//! | `pidfd.rs` | a pidfd refers to one process for ever, so that a reused pid is not waited for or signalled |
//! | `readiness.rs` | a descriptor that is registered with epoll must stay open and stay the same |
//! | `accept.rs` | an accepted connection is close-on-exec and non-blocking from its first moment |
//! | `fd_passing.rs` | a Unix socket passes open file descriptions, not descriptor numbers |
//! | `descriptor_limit.rs` | the soft limit of descriptors can be raised, and is inherited |
//! | `environment.rs` | only a process with a single thread may change its environment |
//! | `inherited.rs` | an inherited descriptor is only a number to the new program |
//! | `text.rs` | text can share the buffer that a read filled |
//!
//! Public is only what the labs, the tools, the tests and the benchmarks of this repository use; the rest of the library does for
//! its users what they would otherwise do here.

pub(crate) mod accept;
mod child;
pub mod descriptor_limit;
pub mod disposition;
pub(crate) mod environment;
pub mod fd_passing;
pub mod fork;
pub mod inherited;
pub mod pidfd;
pub mod readiness;
mod request;
pub(crate) mod spawn;
mod stack;
pub(crate) mod text;
