//! Node's `child_process` and `cluster`, rebuilt in Rust from the system calls up.
//!
//! # Layout
//!
//! Imports run one way, downwards.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cluster`] | one port, many workers: the primary's half, the worker's, and the schedulers |
//! | [`child_process`] | starting programs: spawn, exec, exec_file, fork; how they end |
//! | [`ipc`] | the channel between a parent and a forked child: messages and handles |
//! | `net` | sockets: binding, listening, accepting, a stream that is TCP or Unix |
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
//! | `fork(module, args, options)` | [`Command::new("node").arg(module)`…`.fork()`](child_process::Command::fork), any program |
//! | `execSync`, `execFileSync`, `spawnSync` | [`exec_file(Command)`](child_process::exec_file)[`.wait()`](child_process::Exec::wait) |
//! | `stdio: ['pipe', 'ignore', 'inherit', fd]` | [`Command::stdio`](child_process::Command::stdio) with [`Stdio`](child_process::Stdio) |
//! | event `spawn` / event `error` | [`spawn`](child_process::Command::spawn) returns `Ok` / `Err` |
//! | event `exit` | [`Child::exit`](child_process::Child::exit) |
//! | event `close` | [`Child::close`](child_process::Child::close) |
//! | `child.kill(signal)` | [`Child::kill`](child_process::Child::kill) |
//! | `stdio: [.., 'ipc']` | [`Stdio::Ipc`](child_process::Stdio::Ipc) |
//! | `process.send`, `process.on('message')` in a child | [`ipc::parent()`](ipc::parent) |
//! | `send(message)` and its boolean | [`Channel::send`](ipc::Channel::send), [`Channel::post`](ipc::Channel::post) |
//! | `send(message, handle)`, `keepOpen` | [`Channel::send_handle`](ipc::Channel::send_handle) and the handle that it gives back |
//! | the callback of `send` | [`Channel::flush`](ipc::Channel::flush) |
//! | event `message`, event `internalMessage` | [`Channel::recv`](ipc::Channel::recv), [`Channel::recv_internal`](ipc::Channel::recv_internal) |
//! | `disconnect()`, event `disconnect` | [`Channel::disconnect`](ipc::Channel::disconnect), [`Channel::closed`](ipc::Channel::closed) |
//! | `connected` | [`Channel::is_connected`](ipc::Channel::is_connected) |
//! | `server.getConnections()` over all processes | [`Channel::open_sockets`](ipc::Channel::open_sockets) |
//! | `cluster.isPrimary`, `cluster.isWorker` | [`cluster::is_primary()`], [`cluster::is_worker()`] |
//! | `cluster.setupPrimary`, `cluster.schedulingPolicy` | [`Primary::new(Options)`](cluster::Primary::new), [`Policy`](cluster::schedule::Policy) |
//! | `cluster.fork()` | [`Primary::fork`](cluster::Primary::fork), any program; [`Primary::group`](cluster::Primary::group) for several kinds |
//! | events `fork`, `online`, `listening`, `message`, `disconnect`, `exit` | [`Primary::next_event`](cluster::Primary::next_event) |
//! | `cluster.workers` | [`Primary::workers`](cluster::Primary::workers) |
//! | `cluster.disconnect()` | [`Primary::disconnect`](cluster::Primary::disconnect) |
//! | `worker.disconnect()`, `.kill()`, `.exitedAfterDisconnect`, `.isDead()`, `.isConnected()` | [`Worker`](cluster::Worker) |
//! | `cluster.worker` in a worker | [`cluster::worker()`] |
//! | `server.listen()` in a worker | [`WorkerProcess::listen`](cluster::WorkerProcess::listen) |
//! | `AbortSignal` | [`Exec::cancel_on`](child_process::Exec::cancel_on), or dropping the future |
//! | `error.code`, `.stdout`, `.stderr` | [`Error::code`], [`Error::stdout`], [`Error::stderr`] |
//!
//! Everything asynchronous needs a running tokio runtime with its I/O and time drivers enabled.

// The README's example is compiled and run with the other ones.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(not(target_os = "linux"))]
compile_error!("Forklore is made of Linux system calls and builds on Linux only (WSL2 is Linux).");

pub mod child_process;
pub mod cluster;
pub mod error;
pub mod ipc;
mod net;
pub mod sys;

pub use error::{Error, ErrorKind, Result};
