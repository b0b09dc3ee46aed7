//! Node's `child_process` and `cluster`, rebuilt in Rust from the system calls up.
//!
//! # Layout
//!
//! Imports run one way, downwards.
//!
//! | module | what it holds |
//! |---|---|
//! | [`child_process`] | starting programs: spawn, exec, exec_file; how they end |
//! | [`sys`] | the only `unsafe`, one Linux fact a file |
//! | [`error`] | the one error type |
//!
//! # From Node's names to ours
//!
//! | Node | here |
//! |---|---|
//! | `spawn(file, args, options)` | [`Command::new(file)`](child_process::Command::new)`.args(args)`…[`.spawn()`](child_process::Command::spawn) |
//! | `exec(string, options)` | [`exec(string)`](child_process::exec)`.await` |
//! | `execFile(file, args, options)` | [`exec_file(Command)`](child_process::exec_file)`.await` |
//! | `execSync`, `execFileSync`, `spawnSync` | [`exec_file(Command)`](child_process::exec_file)[`.wait()`](child_process::Exec::wait) |
//! | `stdio: ['pipe', 'ignore', 'inherit', fd]` | [`Command::stdio`](child_process::Command::stdio) with [`Stdio`](child_process::Stdio) |
//! | event `spawn` / event `error` | [`spawn`](child_process::Command::spawn) returns `Ok` / `Err` |
//! | event `exit` | [`Child::exit`](child_process::Child::exit) |
//! | event `close` | [`Child::close`](child_process::Child::close) |
//! | `child.kill(signal)` | [`Child::kill`](child_process::Child::kill) |
//! | `AbortSignal` | [`Exec::cancel_on`](child_process::Exec::cancel_on), or dropping the future |
//! | `error.code`, `.stdout`, `.stderr` | [`Error::code`], [`Error::stdout`], [`Error::stderr`] |
//!
//! Everything asynchronous needs a running tokio runtime with its I/O and time drivers enabled.

#[cfg(not(target_os = "linux"))]
compile_error!("Forklore is made of Linux system calls and builds on Linux only (WSL2 is Linux).");

pub mod child_process;
pub mod error;
pub mod sys;

pub use error::{Error, ErrorKind, Result};
