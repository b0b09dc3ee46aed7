//! Messages and handles between two processes, on Node's own wire.
//!
//! | file | what it holds |
//! |---|---|
//! | `frame.rs` | bytes ↔ messages; knows no socket |
//! | `message.rs` | [`Message`]: what a line means: a message for the user, or one of the channel's own |
//! | `handle.rs` | [`Handle`]: what can be sent along with a message, and how it is restored |
//! | `socket.rs` | [`Socket`], [`Stream`]: a connection on its way |
//! | `counts.rs` | how many connections of a server its sender's peer has open |
//! | `descriptor.rs` | what a descriptor is, asked of the kernel |
//! | `channel.rs` | [`Channel`]: what its user sees |
//! | `delivery.rs` | [`Delivery`]: what becomes of a handle that was sent |
//! | `settings.rs` | [`Settings`]: how a channel is to work |
//! | `shared.rs` | what its user and its driver both see |
//! | `queue.rs` | what waits to be sent, and which of it may go |
//! | `outgoing.rs` | what is being sent, and what is not acknowledged |
//! | `incoming.rs` | what has been read, and what becomes of each message |
//! | `driver.rs` | the task that owns the socket |
//! | `parent.rs` | the channel that our parent gave us |

mod channel;
mod counts;
mod delivery;
mod descriptor;
mod driver;
pub mod frame;
mod handle;
mod incoming;
mod message;
mod outgoing;
mod parent;
mod queue;
mod settings;
mod shared;
mod socket;

use std::fmt;

pub use channel::Channel;
pub(crate) use channel::Outcomes;
pub use delivery::Delivery;
pub use handle::Handle;
pub use message::Message;
pub use parent::{CHANNEL_FD, PRIVATE_VARIABLES, SERIALIZATION_MODE, UNIQUE_ID, parent, parent_with};
pub(crate) use queue::Outcome;
pub use settings::Settings;
pub use socket::{Socket, Stream};

use crate::error::{Error, ErrorKind};

/// How a channel ended.
///
/// The kernel does not say whether the process at the other end closed the channel or died: both are the end of the stream. A parent
/// learns it from [`Child::exit`](crate::child_process::Child::exit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// We disconnected: all that we sent was written, every handle acknowledged.
    Disconnected,
    /// The other end was closed, between two messages, with nothing of ours unread.
    PeerClosed,
    /// The other end was closed before all that we had sent was read (`ECONNRESET`). A process that dies leaves it like this more often
    /// than one that disconnects.
    PeerReset,
    /// The other end was closed in the middle of a message: its process died, or dropped what it had not written, as Node does.
    CutShort,
    /// An error: [`Channel::recv`] tells which.
    Failed,
}

/// A handle that did not reach the other process: why, and the handle.
#[derive(Debug)]
pub struct NotSent {
    /// Why.
    pub error: Error,
    /// The handle, to be used or sent elsewhere. None only if the channel itself could not keep it.
    pub handle: Option<Handle>,
}

impl NotSent {
    fn new(error: Error, handle: Handle) -> NotSent {
        NotSent { error, handle: Some(handle) }
    }

    fn lost() -> NotSent {
        NotSent { error: Error::new("send", "a handle", ErrorKind::ChannelClosed), handle: None }
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
