//! What inputs make due.

use forklore::cluster::state::primary::{Closed, ConnectionId, ListenerId, WorkerId};

/// An effect that an input makes due. It must come with that input, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Fork(WorkerId),
    Online(WorkerId),
    Listening(WorkerId),
    Disconnected(WorkerId),
    Exit(WorkerId),
    Silent(WorkerId),
    Stalled(WorkerId),
    ListenerClosed,
    DescriptorRefused(WorkerId),
    PauseReading(WorkerId),
    ResumeReading(WorkerId),
    FindBroken,
    AcceptFailed,
    Kill(WorkerId),
    EndChannel(WorkerId),
    CloseChannel(WorkerId),
    Forget(WorkerId),
    Ask(WorkerId),
    Acknowledge(WorkerId, u64),
    Grant(WorkerId, u64),
    Fail(WorkerId, u64),
    Open,
    CloseListener(ListenerId),
    Close(ConnectionId, Closed),
}

impl Due {
    /// The invariant that is broken when this is missing, or comes without a reason.
    pub(super) fn invariant(self) -> &'static str {
        match self {
            Due::Fork(_)
            | Due::Online(_)
            | Due::Listening(_)
            | Due::Disconnected(_)
            | Due::Exit(_)
            | Due::Forget(_) => "a worker's events come once and in Node's order (rule 13)",
            Due::Silent(_) | Due::Kill(_) => "a silent worker is killed in time, and once (rule 12)",
            Due::Stalled(_) => "a worker that stands still is killed in time, and once (rule 20)",
            Due::ListenerClosed => "a listener without workers is closed in time, and told (rule 18)",
            Due::DescriptorRefused(_) => "a descriptor that is not allowed is refused, and told once (rule 17)",
            Due::PauseReading(_) | Due::ResumeReading(_) => {
                "no messages are read while 16 sockets are on their way (rule 19)"
            }
            Due::FindBroken => "broken connections are looked for when spares are missing (rule 16)",
            Due::Close(_, Closed::TooOld) => "a connection is closed when it has waited for too long (rule 15)",
            Due::Close(_, Closed::ClientGone | Closed::Scarce) => {
                "the broken connections are closed, then the oldest (rule 16)"
            }
            Due::AcceptFailed => "a failure to accept is told once (rule 8)",
            Due::EndChannel(_) | Due::CloseChannel(_) => "a channel is ended when its worker or the primary has gone",
            Due::Ask(_) | Due::Acknowledge(..) => {
                "a worker is asked once to disconnect, and its wish is acknowledged (rule 11)"
            }
            Due::Grant(..) | Due::Fail(..) | Due::Open => "every query is answered once, and equal keys share (rule 9)",
            Due::CloseListener(_) => "a listener is closed when its time has come, and only then (rules 10 and 14)",
            Due::Close(..) => "a connection is closed when a worker has accepted it (rule 6)",
        }
    }
}
