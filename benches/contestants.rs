//! Who is measured in which group, by the names under which criterion keeps the figures.

/// What a contestant is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContestantKind {
    /// System calls with nothing around them: what cannot be beaten by doing the same.
    Limit,
    /// This project.
    Ours,
    /// Another one that does what ours does.
    Peer,
}

/// One line of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contestant {
    /// Criterion's name of the function.
    pub name: &'static str,
    /// Whose it is.
    pub side: ContestantKind,
    /// What is measured, in one sentence.
    pub about: &'static str,
}

/// A group of criterion's: each of its contestants is measured with each of its parameters, if it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BenchGroup {
    /// Criterion's name of the group.
    pub name: &'static str,
    /// In the order in which they are measured.
    pub contestants: &'static [Contestant],
}

/// All groups that criterion measures.
pub const GROUPS: [BenchGroup; 8] = [
    BenchGroup { name: "fork_cost", contestants: fork_cost::ALL },
    BenchGroup { name: "exec_cost", contestants: exec_cost::ALL },
    BenchGroup { name: "ipc_round_trip", contestants: ipc::ALL },
    BenchGroup { name: "ipc_one_way", contestants: ipc::ALL },
    BenchGroup { name: "ipc_object_round_trip", contestants: ipc::OBJECTS },
    BenchGroup { name: "ipc_object_one_way", contestants: ipc::OBJECTS },
    BenchGroup { name: "handle_passing", contestants: handle_passing::ALL },
    BenchGroup { name: "scheduling", contestants: scheduling::ALL },
];

const fn limit(name: &'static str, about: &'static str) -> Contestant {
    Contestant { name, side: ContestantKind::Limit, about }
}

const fn ours(name: &'static str, about: &'static str) -> Contestant {
    Contestant { name, side: ContestantKind::Ours, about }
}

const fn peer(name: &'static str, about: &'static str) -> Contestant {
    Contestant { name, side: ContestantKind::Peer, about }
}

/// Starting something. The parameter is what the parent has resident.
pub mod fork_cost {
    use super::{Contestant, limit, ours, peer};

    /// In MiB.
    pub const RESIDENT: [usize; 4] = [0, 64, 256, 1024];
    /// fork(2).
    pub const FORK: Contestant = limit("fork", "fork(2) and the end of the copy");
    /// fork(2) and execve(2).
    pub const FORK_EXEC: Contestant = limit("fork and execve", "fork(2), execve(2) of /bin/true, and its end");
    /// posix_spawn(3).
    pub const POSIX_SPAWN: Contestant = limit("posix_spawn", "posix_spawn(3) of /bin/true, and its end");
    /// The same, until it says something.
    pub const FIRST_BYTE: Contestant = limit(
        "posix_spawn to first byte",
        "posix_spawn(3) of a tiny program, until its first byte has come over a socket",
    );
    /// A process.
    pub const SPAWN: Contestant = ours("ours, spawn", "Command::spawn of /bin/true, and its end");
    /// A process with a channel.
    pub const FIRST_MESSAGE: Contestant =
        ours("ours, fork to first message", "Command::fork of a small program, until its first message has come");
    /// A thread.
    pub const THREAD: Contestant = peer("thread", "std::thread::spawn and join");
    /// The standard library's process.
    pub const STD: Contestant = peer("std Command", "std::process::Command of /bin/true, and its end");
    /// Node's process with a channel.
    pub const NODE_FIRST_MESSAGE: Contestant =
        peer("node, fork to first message", "child_process.fork of a small script, until its first message has come");
    /// All of them.
    pub const ALL: &[Contestant] =
        &[FORK, FORK_EXEC, POSIX_SPAWN, FIRST_BYTE, SPAWN, FIRST_MESSAGE, THREAD, STD, NODE_FIRST_MESSAGE];
}

/// The output of a program. The parameter is how it is run.
pub mod exec_cost {
    use super::{Contestant, limit, ours, peer};

    /// By `/bin/sh -c`, and without a shell.
    pub const WAYS: [&str; 2] = ["exec", "exec_file"];
    /// posix_spawn(3).
    pub const POSIX_SPAWN: Contestant = limit("posix_spawn", "posix_spawn(3) and two pipes, read to their ends");
    /// Ours.
    pub const OURS: Contestant = ours("ours", "exec and exec_file");
    /// The standard library's.
    pub const STD: Contestant = peer("std Command", "std::process::Command::output");
    /// Node's.
    pub const NODE: Contestant = peer("node", "child_process.exec and execFile");
    /// All of them.
    pub const ALL: &[Contestant] = &[POSIX_SPAWN, OURS, STD, NODE];
}

/// Messages between two processes. The parameter is how many bytes a message has.
pub mod ipc {
    use super::{Contestant, limit, ours, peer};

    /// In bytes.
    pub const SIZES: [usize; 4] = [16, 1 << 10, 64 << 10, 1 << 20];
    /// pipe(2).
    pub const PIPE: Contestant = limit("pipe", "two pipes, one write(2) a message");
    /// What our channel is made of.
    pub const STREAM: Contestant = limit("socketpair, stream", "a SOCK_STREAM pair, one write(2) a message");
    /// Packets, in order.
    pub const SEQPACKET: Contestant = limit("socketpair, seqpacket", "a SOCK_SEQPACKET pair, one write(2) a message");
    /// Packets.
    pub const DATAGRAM: Contestant = limit("socketpair, datagram", "a SOCK_DGRAM pair, one write(2) a message");
    /// TCP.
    pub const TCP: Contestant = limit("tcp loopback", "a TCP connection with TCP_NODELAY, one write(2) a message");
    /// Ours.
    pub const OURS: Contestant = ours("ours, channel", "Channel::send and recv_as: a String, or an object as a struct");
    /// The crate.
    pub const SERVO: Contestant = peer("ipc-channel", "the crate's IpcSender<String> and IpcReceiver<String>");
    /// Node's `json`.
    pub const NODE_JSON: Contestant = peer("node, json", "send and 'message'");
    /// Node's `advanced`.
    pub const NODE_ADVANCED: Contestant = peer("node, advanced", "the same with serialization: 'advanced'");
    /// All of them.
    pub const ALL: &[Contestant] = &[PIPE, STREAM, SEQPACKET, DATAGRAM, TCP, OURS, SERVO, NODE_JSON, NODE_ADVANCED];
    /// Those that are also measured with objects. The limit sends as many bytes.
    pub const OBJECTS: &[Contestant] = &[STREAM, OURS, NODE_JSON, NODE_ADVANCED];
}

/// Open connections, passed from process to process.
pub mod handle_passing {
    use super::{Contestant, limit, ours, peer};

    /// As many as the socket takes.
    pub const RAW: Contestant = limit("sendmsg", "one byte and one descriptor each, not acknowledged");
    /// One at a time.
    pub const RAW_ACKNOWLEDGED: Contestant = limit("sendmsg, acknowledged", "the same, each waits for a byte");
    /// One at a time.
    pub const WINDOW_1: Contestant = ours("ours, window 1", "Channel::send_handle, each waits for its acknowledgement");
    /// 64 at a time.
    pub const WINDOW_64: Contestant = ours("ours, window 64", "the same, 64 on their way");
    /// Node's.
    pub const NODE: Contestant = peer("node", "send(message, socket, { keepOpen: true })");
    /// All of them.
    pub const ALL: &[Contestant] = &[RAW, RAW_ACKNOWLEDGED, WINDOW_1, WINDOW_64, NODE];
}

/// Who gets the next connection. The parameter is among how many workers.
pub mod scheduling {
    use super::{Contestant, limit, ours};

    /// How many workers there are.
    pub const WORKERS: [u32; 3] = [2, 16, 1000];
    /// Without any policy.
    pub const COUNTER: Contestant = limit("counter", "the next number, and a queue for what waits");
    /// All of them; ours have the names of the policies. With shared the kernel decides, not the primary.
    pub const ALL: &[Contestant] = &[
        COUNTER,
        ours("round-robin", "in turn"),
        ours("weighted", "in turn, by weight"),
        ours("least-connections", "the least loaded"),
        ours("sticky", "the client's own"),
    ];
}

/// How criterion and the tables write a size: `16 B`, `64 KiB`.
pub fn size_name(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
