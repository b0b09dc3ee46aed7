//! How things end: a handle that was sent, and the channel.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};

use super::handle::Handle;
use crate::error::{Error, ErrorKind};

/// How a channel ended.
///
/// The kernel does not say whether the process at the other end closed the channel or died: both end the stream. A
/// parent learns it from [`Child::exit`](crate::child_process::Child::exit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// We disconnected: everything we sent was written, and every handle acknowledged.
    Disconnected,
    /// The peer closed its end between two messages, with nothing of ours unread.
    PeerClosed,
    /// The peer's end was closed before everything we sent was read (`ECONNRESET`). More often its process died than
    /// disconnected.
    PeerReset,
    /// The peer's end was closed in the middle of a message: its process died, or dropped what it had not written, as
    /// Node does.
    CutShort,
    /// An error ended the channel: [`Channel::recv`](super::Channel::recv) returns it.
    Failed,
}

/// A handle that did not reach the other process, with the reason.
#[derive(Debug)]
pub struct NotSent {
    /// The reason.
    pub error: Error,
    /// The handle, to use or to send elsewhere. `None` only if the channel itself could not keep it.
    pub handle: Option<Handle>,
}

impl NotSent {
    pub(super) fn new(error: Error, handle: Handle) -> NotSent {
        NotSent { error, handle: Some(handle) }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for NotSent {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<NotSent> for Error {
    fn from(not_sent: NotSent) -> Error {
        not_sent.error
    }
}

/// What became of a handle: it is ours again, and the peer has taken it as well or has not.
pub(crate) type Outcome = Result<Handle, NotSent>;

/// Receives the outcomes of handles that have a number.
pub(crate) type Outcomes = mpsc::UnboundedSender<(u64, Outcome)>;

/// Where the sender of a handle learns its outcome.
#[derive(Debug)]
pub(super) enum Receipt {
    One(oneshot::Sender<Outcome>),
    /// One of many handles, each with its number, whose outcomes arrive in one place in the order in which they
    /// happened.
    Numbered(u64, Outcomes),
}

impl Receipt {
    /// Delivers the outcome. If its receiver was dropped, the handle is closed here.
    pub(super) fn tell(self, outcome: Outcome) {
        match self {
            Receipt::One(sender) => drop(sender.send(outcome)),
            Receipt::Numbered(number, sender) => drop(sender.send((number, outcome))),
        }
    }
}

/// A handle on its way: resolves when the peer has answered for it.
#[derive(Debug)]
#[must_use = "the handle is on its way in any case; this tells whether it has arrived"]
pub struct Delivery(oneshot::Receiver<Outcome>);

impl Delivery {
    pub(super) fn new() -> (Receipt, Delivery) {
        let (sender, receiver) = oneshot::channel();
        (Receipt::One(sender), Delivery(receiver))
    }
}

impl Future for Delivery {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let lost = || NotSent { error: Error::new("send", "a handle", ErrorKind::ChannelClosed), handle: None };
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or_else(|_| Err(lost())))
    }
}
