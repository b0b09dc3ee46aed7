//! Messages and handles between two processes, on Node's own wire.
//!
//! | file | contents |
//! |---|---|
//! | `frame.rs` | bytes ↔ lines; does not know sockets |
//! | `descriptor.rs` | what the kernel says a descriptor is |
//! | `socket.rs` | [`Socket`], [`Stream`]: a connection on its way |
//! | `handle.rs` | [`Handle`]: what can be sent along with a message, and how it is restored |
//! | `message.rs` | [`Message`]: a message that arrived, for the user or internal |
//! | `line.rs` | what a line means to the channel |
//! | `outcome.rs` | [`Delivery`], [`NotSent`], [`Ending`]: how a handle's way ends, and a channel |
//! | `counts.rs` | how many connections of a server are open in another process |
//! | `queue.rs` | what waits to be sent, and which part of it may go |
//! | `inbox.rs` | what arrived and waits for its receiver |
//! | `mailbox.rs` | what the users of a channel and its driver share |
//! | `outgoing.rs` | what is being sent, and what is not acknowledged |
//! | `incoming.rs` | what was read, and what becomes of each message; [`Settings`] |
//! | `patience.rs` | how long the end of a channel may take |
//! | `driver.rs` | the task that owns the socket |
//! | `channel.rs` | [`Channel`]: what its user sees |
//! | `parent.rs` | the channel that our parent gave us |
//!
//! Each file imports only files above it.

mod channel;
mod counts;
mod descriptor;
mod driver;
pub mod frame;
mod handle;
mod inbox;
mod incoming;
mod line;
mod mailbox;
mod message;
mod outcome;
mod outgoing;
mod parent;
mod patience;
mod queue;
mod socket;

pub use channel::Channel;
pub use handle::Handle;
pub use incoming::Settings;
pub use message::Message;
pub use outcome::{Delivery, Ending, NotSent};
pub(crate) use outcome::{Outcome, Outcomes};
pub use parent::{CHANNEL_FD, PRIVATE_VARIABLES, SERIALIZATION_MODE, UNIQUE_ID, parent, parent_with};
pub use socket::{Socket, Stream};
