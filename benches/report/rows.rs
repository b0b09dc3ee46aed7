//! The targets: the rows of the table.

use forklore_benches::contestants::{Contestant, exec_cost, fork_cost, handle_passing, ipc};
use forklore_benches::figures;

use crate::target::With::{self, AtMost, Below, Beside, Faster};
use crate::target::{FigureKey, PerformanceTarget};

const SMALL: &str = "0 MiB";
const LARGE: &str = "1024 MiB";
const KEPT: &str = "keep-alive";
const EACH: &str = "a connection per request";
const DIRTY: &str = "worker, private dirty";

const fn fork(contestant: Contestant, parameter: &'static str) -> FigureKey {
    ("fork_cost", contestant.name, parameter)
}

const fn exec(contestant: Contestant, way: &'static str) -> FigureKey {
    ("exec_cost", contestant.name, way)
}

const fn trip(contestant: Contestant, size: &'static str) -> FigureKey {
    ("ipc_round_trip", contestant.name, size)
}

const fn way(contestant: Contestant, size: &'static str) -> FigureKey {
    ("ipc_one_way", contestant.name, size)
}

const fn objects(contestant: Contestant, size: &'static str) -> FigureKey {
    ("ipc_object_one_way", contestant.name, size)
}

const fn handles(contestant: Contestant) -> FigureKey {
    ("handle_passing", contestant.name, "")
}

const fn decision(policy: &'static str) -> FigureKey {
    ("scheduling", policy, "1000 workers")
}

const fn serving(contestant: Contestant, load: &'static str) -> FigureKey {
    (figures::GROUP, contestant.name, load)
}

/// Within what time 99 % of the requests were answered, a connection each.
const fn slowest(contestant: Contestant) -> FigureKey {
    ("latency, a connection per request", contestant.name, "99 %")
}

const fn memory(contestant: Contestant, kind: &'static str) -> FigureKey {
    ("memory of servers, idle", contestant.name, kind)
}

const fn child(name: &'static str) -> FigureKey {
    ("memory, idle", name, "child, private dirty")
}

/// A row of the table.
const fn row(
    id: &'static str,
    what: &'static str,
    limit: Option<FigureKey>,
    ours: FigureKey,
    with: With,
) -> PerformanceTarget {
    PerformanceTarget { id, what, limit, ours, with, short: false }
}

/// A row that is in the README, too.
const fn short(
    id: &'static str,
    what: &'static str,
    limit: Option<FigureKey>,
    ours: FigureKey,
    with: With,
) -> PerformanceTarget {
    PerformanceTarget { id, what, limit, ours, with, short: true }
}

/// Objects of this size, one way.
const fn object(id: &'static str, what: &'static str, size: &'static str) -> PerformanceTarget {
    let with = Faster(3.0, objects(ipc::NODE_JSON, size));
    row(id, what, Some(objects(ipc::STREAM, size)), objects(ipc::OURS, size), with)
}

/// In the order of the table.
pub(crate) const ALL: &[PerformanceTarget] = &[
    short(
        "fork-first-message",
        "fork until the child's first message",
        Some(fork(fork_cost::FIRST_BYTE, SMALL)),
        fork(fork_cost::FIRST_MESSAGE, SMALL),
        Faster(40.0, fork(fork_cost::NODE_FIRST_MESSAGE, SMALL)),
    ),
    row(
        "fork-from-1-gib",
        "the same from a parent with 1 GiB resident, against a small one",
        Some(fork(fork_cost::FIRST_BYTE, LARGE)),
        fork(fork_cost::FIRST_MESSAGE, LARGE),
        AtMost(1.3, fork(fork_cost::FIRST_MESSAGE, SMALL)),
    ),
    short(
        "child-memory",
        "private dirty memory of a forked child after its first message",
        Some(child("a process with a socket")),
        child("ours"),
        AtMost(0.125, child("node")),
    ),
    row(
        "worker-memory",
        "the same of a cluster's worker that serves HTTP, idle",
        None,
        memory(figures::ROUND_ROBIN, DIRTY),
        AtMost(0.125, memory(figures::NODE_ROUND_ROBIN, DIRTY)),
    ),
    row(
        "primary-memory",
        "an idle primary's resident memory, 2 workers",
        None,
        memory(figures::ROUND_ROBIN, "primary, resident"),
        AtMost(0.125, memory(figures::PM2, "primary, resident")),
    ),
    row(
        "round-trip-16b",
        "channel, round trip, 16 B",
        Some(trip(ipc::STREAM, "16 B")),
        trip(ipc::OURS, "16 B"),
        AtMost(1.10, trip(ipc::STREAM, "16 B")),
    ),
    short(
        "one-way-16b",
        "channel, one way, 16 B, many in a write",
        Some(way(ipc::STREAM, "16 B")),
        way(ipc::OURS, "16 B"),
        Faster(10.0, way(ipc::NODE_JSON, "16 B")),
    ),
    row(
        "one-way-1k",
        "channel, one way, 1 KiB, many in a write",
        Some(way(ipc::STREAM, "1 KiB")),
        way(ipc::OURS, "1 KiB"),
        Faster(8.0, way(ipc::NODE_JSON, "1 KiB")),
    ),
    row(
        "one-way-64k",
        "channel, one way, 64 KiB",
        Some(way(ipc::STREAM, "64 KiB")),
        way(ipc::OURS, "64 KiB"),
        Faster(4.0, way(ipc::NODE_JSON, "64 KiB")),
    ),
    object("object-16b", "channel, one way, an object of 16 B", "16 B"),
    object("object-1k", "the same, 1 KiB", "1 KiB"),
    object("object-64k", "the same, 64 KiB", "64 KiB"),
    object("object-1m", "the same, 1 MiB", "1 MiB"),
    short(
        "handles",
        "handles passed and acknowledged, 64 on their way",
        Some(handles(handle_passing::RAW)),
        handles(handle_passing::WINDOW_64),
        Faster(10.0, handles(handle_passing::NODE)),
    ),
    row(
        "handles-raw",
        "the same, against the raw call",
        Some(handles(handle_passing::RAW)),
        handles(handle_passing::WINDOW_64),
        Faster(0.25, handles(handle_passing::RAW)),
    ),
    short(
        "keep-alive-node",
        "HTTP, keep-alive, round robin",
        Some(serving(figures::SO_REUSEPORT, KEPT)),
        serving(figures::ROUND_ROBIN, KEPT),
        Faster(1.6, serving(figures::NODE_ROUND_ROBIN, KEPT)),
    ),
    short(
        "keep-alive-nginx",
        "HTTP, keep-alive, round robin",
        Some(serving(figures::SO_REUSEPORT, KEPT)),
        serving(figures::ROUND_ROBIN, KEPT),
        Faster(1.0, serving(figures::NGINX, KEPT)),
    ),
    short(
        "per-request-node",
        "HTTP, a connection per request, round robin",
        Some(serving(figures::SO_REUSEPORT, EACH)),
        serving(figures::ROUND_ROBIN, EACH),
        Faster(2.5, serving(figures::NODE_ROUND_ROBIN, EACH)),
    ),
    short(
        "per-request-nginx",
        "HTTP, a connection per request, shared",
        Some(serving(figures::SO_REUSEPORT, EACH)),
        serving(figures::SHARED, EACH),
        Faster(0.9, serving(figures::NGINX, EACH)),
    ),
    short(
        "node-workers",
        "HTTP, a connection per request, Node's workers under our primary",
        Some(serving(figures::NODE_SHARED, EACH)),
        serving(figures::NODE_WORKERS, EACH),
        Faster(1.25, serving(figures::NODE_ROUND_ROBIN, EACH)),
    ),
    row(
        "node-workers-pm2",
        "HTTP, a connection per request, Node's workers under our primary",
        Some(serving(figures::NODE_SHARED, EACH)),
        serving(figures::NODE_WORKERS, EACH),
        Faster(1.7, serving(figures::PM2, EACH)),
    ),
    row(
        "flooded-p99",
        "99 % of the requests, a connection each, while a worker floods the primary",
        None,
        slowest(figures::FLOODED),
        AtMost(2.0, slowest(figures::ROUND_ROBIN)),
    ),
    row(
        "decision-round-robin",
        "a decision among 1,000 workers, round robin",
        None,
        decision("round-robin"),
        Below(100.0),
    ),
    row("decision-weighted", "the same, weighted", None, decision("weighted"), Below(100.0)),
    row("decision-least-connections", "the same, least connections", None, decision("least-connections"), Below(100.0)),
    row("decision-sticky", "the same, sticky", None, decision("sticky"), Below(100.0)),
    row(
        "exec-shell",
        "exec: a program that does nothing, by a shell",
        Some(exec(exec_cost::POSIX_SPAWN, "exec")),
        exec(exec_cost::OURS, "exec"),
        Beside(exec(exec_cost::NODE, "exec")),
    ),
    row(
        "exec-file",
        "exec_file: the same without a shell",
        Some(exec(exec_cost::POSIX_SPAWN, "exec_file")),
        exec(exec_cost::OURS, "exec_file"),
        Beside(exec(exec_cost::NODE, "exec_file")),
    ),
];
