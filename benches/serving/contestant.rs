//! Who takes part, and how each is started.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;

use forklore::child_process::{Command, Signal, Stdio};
use forklore_benches::contestants::Contestant;
use forklore_benches::{figures, installed};
use tempfile::TempDir;

const PRIMARY: &str = env!("CARGO_BIN_EXE_bench-primary");
const WORKER: &str = env!("CARGO_BIN_EXE_bench-worker");
const FLOOD: &str = env!("CARGO_BIN_EXE_bench-flood");
const REUSEPORT: &str = env!("CARGO_BIN_EXE_bench-reuseport");
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/server.js");

/// One who takes part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServingContestant {
    pub(crate) name: &'static str,
    kind: ServerKind,
}

#[derive(Debug, Clone, Copy)]
enum ServerKind {
    /// Our primary with our workers, by this policy.
    Ours(&'static str),
    /// The same, with a worker that floods the primary.
    Flooded(&'static str),
    Reuseport,
    /// `server.js` by itself, with this `NODE_CLUSTER_SCHED_POLICY`.
    Node(&'static str),
    /// `server.js` under our primary, by this policy.
    NodeUnderOurs(&'static str),
    Nginx,
    Pm2,
}

/// A contestant that is to be started.
pub(crate) struct Start {
    pub(crate) command: Command,
    /// Where it listens, if it does not say so.
    pub(crate) port: Option<u16>,
    /// What it writes when a worker is ready: the address follows if it says where it listens.
    pub(crate) ready: &'static str,
    /// What it writes, as far as its readiness is concerned.
    pub(crate) reads: Reads,
    /// Removed when it has ended.
    pub(crate) folder: TempDir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Stdout,
    Stderr,
}

impl ServingContestant {
    pub(crate) fn all() -> Vec<ServingContestant> {
        let one = |(contestant, kind): (Contestant, ServerKind)| ServingContestant { name: contestant.name, kind };
        let all = [
            (figures::SO_REUSEPORT, ServerKind::Reuseport),
            (figures::ROUND_ROBIN, ServerKind::Ours("round-robin")),
            (figures::FLOODED, ServerKind::Flooded("round-robin")),
            (figures::SHARED, ServerKind::Ours("shared")),
            (figures::LEAST_CONNECTIONS, ServerKind::Ours("least-connections")),
            (figures::NODE_WORKERS, ServerKind::NodeUnderOurs("round-robin")),
            (figures::NODE_ROUND_ROBIN, ServerKind::Node("rr")),
            (figures::NODE_SHARED, ServerKind::Node("none")),
            (figures::NGINX, ServerKind::Nginx),
            (figures::PM2, ServerKind::Pm2),
        ];
        all.into_iter().map(one).collect()
    }

    /// The program without which it cannot take part.
    fn needs(&self) -> Option<&'static str> {
        match self.kind {
            ServerKind::Ours(_) | ServerKind::Flooded(_) | ServerKind::Reuseport => None,
            ServerKind::Node(_) | ServerKind::NodeUnderOurs(_) => Some("node"),
            ServerKind::Nginx => Some("nginx"),
            ServerKind::Pm2 => Some("pm2-runtime"),
        }
    }

    /// What it lacks.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        ["wrk"].into_iter().chain(self.needs()).find(|program| installed(program).is_none())
    }

    pub(crate) fn start(&self) -> io::Result<Start> {
        let folder = tempfile::tempdir()?;
        let found = self.needs().and_then(installed).unwrap_or_default();
        let node = |command: Command| command.env("PORT", "0").env("WORKERS", "2").env("NODE_ENV", "production");
        let mut port = None;
        let command = match self.kind {
            ServerKind::Ours(policy) => Command::new(PRIMARY).args([policy, WORKER]),
            ServerKind::Flooded(policy) => Command::new(PRIMARY).args([policy, WORKER]).env("FLOOD", FLOOD),
            ServerKind::Reuseport => Command::new(REUSEPORT),
            ServerKind::Node(policy) => node(Command::new(found).arg(SERVER)).env("NODE_CLUSTER_SCHED_POLICY", policy),
            ServerKind::NodeUnderOurs(policy) => {
                let arguments = [OsStr::new(policy), found.as_os_str(), OsStr::new(SERVER)];
                node(Command::new(PRIMARY).args(arguments))
            }
            ServerKind::Pm2 => {
                let command = node(Command::new(found).args(["start", SERVER, "-i", "2", "--raw"]));
                command.env("PM2_HOME", folder.path()).env("PATH", path_with_node()?)
            }
            ServerKind::Nginx => {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                port = Some(listener.local_addr()?.port());
                nginx(Command::new(found), listener, &folder)?
            }
        };
        let nginx = matches!(self.kind, ServerKind::Nginx);
        let ready = if nginx { "start worker process " } else { "listening on 127.0.0.1:" };
        let reads = if nginx { Reads::Stderr } else { Reads::Stdout };
        let (stdout, stderr) = if nginx { (Stdio::Ignore, Stdio::Pipe) } else { (Stdio::Pipe, Stdio::Inherit) };
        let command = command.stdin(Stdio::Ignore).stdout(stdout).stderr(stderr);
        // Should we be killed. Its workers end with it in their own ways; nginx's are ended by their master, which needs to live for it.
        let command = command.parent_death_signal(Signal::SIGTERM);
        Ok(Start { command, port, ready, reads, folder })
    }
}

/// The `PATH` in which `#!/usr/bin/env node` is the `node` that takes part.
fn path_with_node() -> io::Result<OsString> {
    let directory = installed("node").and_then(|node| Some(node.parent()?.to_owned()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(directory.into_iter().chain(std::env::split_paths(&path))).map_err(io::Error::other)
}

/// It cannot choose a port and say which. But it takes over a socket that it is named in `NGINX`, meant for a change of program without a
/// pause: so nobody else can have the port.
fn nginx(command: Command, listener: TcpListener, folder: &TempDir) -> io::Result<Command> {
    let port = listener.local_addr()?.port().to_string();
    let path = folder.path().to_string_lossy();
    let configuration = include_str!("../peers/nginx.conf").replace("{folder}", &path).replace("{port}", &port);
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let command = command.arg("-e").arg("stderr").arg("-p").arg(folder.path()).arg("-c").arg(file);
    Ok(command.descriptor(3, Stdio::Fd(OwnedFd::from(listener))).env("NGINX", "3;"))
}
