//! Starting programs: Node's `child_process`.
//!
//! | file | what it holds |
//! |---|---|
//! | `command.rs` | [`Command`]: what to start, and how |
//! | `stdio.rs` | [`Stdio`]: each descriptor of the child; the parent's ends of its pipes |
//! | `spawn.rs` | from a [`Command`] to a running [`Child`] |
//! | `child.rs` | [`Child`]: its streams, its exit, its close |
//! | `process.rs` | waits for the process, signals it and never leaves a zombie |
//! | `fork.rs` | [`Command::fork`]: spawn with a channel |
//! | `exec.rs` | [`exec`] and [`exec_file`]: the whole output, up to a limit |
//! | `exit.rs` | [`Exit`]: code or signal |
//! | `signal.rs` | [`Signal`]: numbers and names, including real-time signals |
//! | `lookup.rs` | the paths to try for a program's name |
//! | `refusal.rs` | why a start failed, in more detail than an error number |

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
