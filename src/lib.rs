//! Node's `child_process` and `cluster`, rebuilt in Rust from the system calls up.
//!
//! # Layout
//!
//! Imports run one way: a module imports only those below it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cluster`] | one port, many workers: the primary, the workers and the scheduling policies |
//! | [`child_process`] | starts programs (spawn, exec, exec_file, fork) and reports how they end |
//! | [`ipc`] | the channel between a parent and a forked child: messages and handles |
//! | `net` | sockets: binding, listening, accepting, a stream that is TCP or Unix |
//! | [`sys`] | the only `unsafe`: one Linux fact per file |
//! | [`error`] | the error type |
//!
//! # From Node's names to ours
//!
//! | Node | Forklore |
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
//! | `send(message, handle)`, `keepOpen` | [`Channel::send_handle`](ipc::Channel::send_handle) and the handle that it returns |
//! | the callback of `send` | [`Channel::flush`](ipc::Channel::flush) |
//! | event `message`, event `internalMessage` | [`Channel::recv`](ipc::Channel::recv), [`Channel::recv_as`](ipc::Channel::recv_as), [`Channel::recv_internal`](ipc::Channel::recv_internal) |
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
//! | `worker.process.disconnect()` | [`Worker::close_channel`](cluster::Worker::close_channel) |
//! | (Node has no such call) | [`Primary::listeners`](cluster::Primary::listeners), [`Primary::close_listener`](cluster::Primary::close_listener) |
//! | `cluster.worker` in a worker | [`cluster::worker()`] |
//! | `server.listen()` in a worker | [`WorkerProcess::listen`](cluster::WorkerProcess::listen) |
//! | `AbortSignal` | [`Exec::cancel_on`](child_process::Exec::cancel_on), or dropping the future |
//! | `error.code`, `.stdout`, `.stderr` | [`Error::code`], [`Error::stdout`], [`Error::stderr`] |
//!
//! # The wire protocol
//!
//! It is Node's default one, the JSON serialization: each message is a line of JSON. `serialization: 'advanced'` is not
//! supported. In a child of a Node parent that asks for it, [`ipc::parent()`] fails with an [`ErrorKind::NoChannel`] that
//! says so. When a frame of that mode arrives all the same, [`Channel::recv`](ipc::Channel::recv) returns an
//! [`ErrorKind::Malformed`] that names the mode, and the channel ends.
//!
//! Asynchronous functions need a tokio runtime with its I/O and time drivers enabled.

// Compiles and runs the README's example with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// Before 64 bits, setuid(2) and setgid(2) take 16-bit ids, so a child could get another user than it was to have.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("Forklore builds only for 64-bit Linux, whose system calls it uses (WSL2 is Linux).");

// Without the modules, that sentence is the only error.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod child_process;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod cluster;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod error;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod ipc;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod net;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod sys;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use error::{Errno, Error, ErrorKind, Result};
