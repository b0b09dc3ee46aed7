//! What serving has found, as it lies in `target/serving/results.json`, and who takes part.

use serde::{Deserialize, Serialize};

use crate::contestants::{Contestant, ContestantKind};

/// The results of one run of all rounds.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct ServingResults {
    /// When it began, in seconds since 1970.
    pub taken: u64,
    /// How long each measurement lasted, in seconds.
    pub seconds: u64,
    /// How many connections there were at a time.
    pub connections: u32,
    /// One for each contestant, load and round; those that failed are not among them.
    pub runs: Vec<ServingRun>,
    /// One for each process, moment and round.
    pub memory: Vec<Memory>,
    /// Who did not take part, and why.
    pub missing: Vec<Missing>,
    /// What went wrong, by name.
    pub failed: Vec<String>,
}

/// What one contestant did in one round under one load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServingRun {
    /// Its name.
    pub contestant: String,
    /// `keep-alive` or `a connection per request`.
    pub load: String,
    /// From 1.
    pub round: u32,
    /// Requests a second.
    pub rate: f64,
    /// Within how many microseconds 50, 75, 90 and 99 % of the requests were answered.
    pub latency: [f64; 4],
    /// How many microseconds of a processor's time a request took in the primary, and in all workers together.
    pub processor: [f64; 2],
}

/// How much memory one process had, in KiB.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    /// Whose process it was.
    pub contestant: String,
    /// `primary`, `worker 1`, …
    pub process: String,
    /// `idle` or `after load`.
    pub moment: String,
    /// From 1.
    pub round: u32,
    /// What it can reach without a page fault.
    pub resident: u64,
    /// The same, with each page divided by the number of processes that share it.
    pub proportional: u64,
    /// What it has written to and nobody shares: what another process of this kind costs.
    pub private_dirty: u64,
}

/// A peer that was not measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its name.
    pub contestant: String,
    /// `pm2 is not installed`
    pub reason: String,
}

/// The group in the tables.
pub const GROUP: &str = "serving";

/// Who serves, in the order of the tables.
pub const SERVERS: [Contestant; 10] = [
    SO_REUSEPORT,
    ROUND_ROBIN,
    FLOODED,
    SHARED,
    LEAST_CONNECTIONS,
    NODE_WORKERS,
    NODE_ROUND_ROBIN,
    NODE_SHARED,
    NGINX,
    PM2,
];

const fn server(side: ContestantKind, name: &'static str, about: &'static str) -> Contestant {
    Contestant { name, side, about }
}

/// Nothing between the kernel and the workers.
pub const SO_REUSEPORT: Contestant =
    server(ContestantKind::Limit, "SO_REUSEPORT", "two processes over hyper, each with a listening socket of its own");
/// The primary accepts.
pub const ROUND_ROBIN: Contestant =
    server(ContestantKind::Ours, "ours, round robin", "our primary accepts and hands over to two workers over hyper");
/// The primary accepts, and a third worker sends it messages without end.
pub const FLOODED: Contestant = server(
    ContestantKind::Ours,
    "ours, round robin, flooded",
    "the same, while a third worker writes messages to the primary as fast as it can; it counts among the workers",
);
/// The workers accept.
pub const SHARED: Contestant =
    server(ContestantKind::Ours, "ours, shared", "our primary gives its listening socket to two workers over hyper");
/// The primary accepts, and is told of what was closed.
pub const LEAST_CONNECTIONS: Contestant =
    server(ContestantKind::Ours, "ours, least connections", "our primary hands over, and counts what is open");
/// A Node program, unchanged.
pub const NODE_WORKERS: Contestant =
    server(ContestantKind::Ours, "ours, node workers", "our primary, round robin, over two workers in Node");
/// The same program by itself.
pub const NODE_ROUND_ROBIN: Contestant = server(ContestantKind::Peer, "node, round robin", "cluster, SCHED_RR");
/// The same, and the workers accept.
pub const NODE_SHARED: Contestant = server(ContestantKind::Peer, "node, shared", "cluster, SCHED_NONE");
/// Two worker processes.
pub const NGINX: Contestant = server(ContestantKind::Peer, "nginx", "two worker processes, return 200");
/// The same Node program.
pub const PM2: Contestant = server(ContestantKind::Peer, "pm2", "pm2-runtime, cluster mode, the same Node program");
