//! How a channel is to work.

use super::frame::DEFAULT_MESSAGE_LIMIT;

/// How a channel is to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub(super) message_limit: usize,
    pub(super) window: usize,
    pub(super) internal: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { message_limit: DEFAULT_MESSAGE_LIMIT, window: 1, internal: false }
    }
}

impl Settings {
    /// Sets how many bytes a message from the peer may have, at most 4 GiB less one. A longer message ends the channel.
    /// Default: [`DEFAULT_MESSAGE_LIMIT`].
    pub fn message_limit(self, bytes: usize) -> Settings {
        Settings { message_limit: bytes.min(u32::MAX as usize), ..self }
    }

    /// How many handles may be on their way without an acknowledgement; 1 if not said otherwise, as in Node. More of them are passed
    /// many times faster. The price: one that is refused and sent again comes after those that were behind it. Messages without a
    /// handle keep their order in any case.
    pub fn window(self, handles: usize) -> Settings {
        Settings { window: handles.max(1), ..self }
    }

    /// Keeps the internal messages (`NODE_…`) that are not the channel's own business for
    /// [`recv_internal`](super::Channel::recv_internal), which must then be called. Otherwise they are dropped, with their handles.
    pub fn internal_messages(self) -> Settings {
        Settings { internal: true, ..self }
    }
}
