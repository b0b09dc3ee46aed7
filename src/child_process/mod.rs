//! Starting programs: Node's `child_process`.
//!
//! | file | what it holds |
//! |---|---|
//! | `command.rs` | [`Command`]: what to start, and how |
//! | `stdio.rs` | [`Stdio`]: what each descriptor of the child is; the parent's ends of its pipes |
//! | `spawn.rs` | from a [`Command`] to a running [`Child`] |
//! | `child.rs` | [`Child`]: its streams, its exit, its close |
//! | `process.rs` | the process itself: waited for, signalled, never left as a zombie |
//! | `fork.rs` | [`Command::fork`]: spawn and a channel |
//! | `exec.rs` | [`exec`] and [`exec_file`]: all of the output, up to a limit |
//! | `exit.rs` | [`Exit`]: code or signal |
//! | `signal.rs` | [`Signal`]: numbers and names, real-time signals too |
//! | `lookup.rs` | which paths a program's name stands for |
//! | `refusal.rs` | why a start failed, in better words than an error number |

mod child;
mod command;
mod exec;
mod exit;
mod fork;
mod lookup;
mod process;
mod refusal;
mod signal;
mod spawn;
mod stdio;

pub use child::{Child, Event};
pub use command::Command;
pub use exec::{DEFAULT_MAX_BUFFER, Exec, Output, exec, exec_file};
pub use exit::Exit;
pub use signal::Signal;
pub use stdio::{Duplex, Readable, Stdio, Writable};
