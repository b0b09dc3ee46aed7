//! The only `unsafe` of the project, one Linux fact a file.
//!
//! | file | the fact |
//! |---|---|
//! | `spawn.rs` | a child that borrows its parent's memory until it executes another program costs the same from any parent |
//! | `request.rs` | what a start consists of, and so where it can fail |
//! | `birth.rs` | what such a child does before it executes, and why it may do so little |
//! | `disposition.rs` | what is ignored stays ignored in the next program |
//! | `fork.rs` | `fork(2)` copies a process, and why only one with a single thread may be copied safely |
//! | `pidfd.rs` | a process can be held by a descriptor: waited for and signalled without the risk of a reused pid |
//! | `readiness.rs` | epoll knows a descriptor by what it was when it was registered |
//! | `accept.rs` | a connection comes out of the backlog close-on-exec and non-blocking from its first moment |
//! | `fd_passing.rs` | a descriptor travels over a Unix socket: the open file description behind it, not its number |
//! | `environment.rs` | the environment may be changed by a process's only thread, and by no other |
//! | `inherited.rs` | a descriptor survives `execve(2)`, and its number is all that the new program knows of it |
//! | `text.rs` | text can share the buffer that a read filled |

pub mod accept;
mod birth;
pub mod disposition;
pub mod environment;
pub mod fd_passing;
pub mod fork;
pub mod inherited;
pub mod pidfd;
pub mod readiness;
mod request;
pub mod spawn;
pub(crate) mod text;
