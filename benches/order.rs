//! What two processes are to do with each other.

use serde::{Deserialize, Serialize};

/// A batch of messages between two processes. Whoever gets it answers once, when it is ready; then come the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageOrder {
    /// Whether each message is answered by the same message; otherwise the last one is answered, by a short one.
    pub round_trip: bool,
    /// How many there are.
    pub count: u64,
    /// How many bytes each has.
    pub size: usize,
}

impl MessageOrder {
    /// How many bytes [`encode`](MessageOrder::encode) makes of it.
    pub const LENGTH: usize = 24;

    /// For a wire that knows bytes only.
    pub fn encode(self) -> [u8; MessageOrder::LENGTH] {
        let mut bytes = [0; MessageOrder::LENGTH];
        bytes[0] = self.round_trip.into();
        bytes[8..16].copy_from_slice(&self.count.to_ne_bytes());
        bytes[16..].copy_from_slice(&(self.size as u64).to_ne_bytes());
        bytes
    }

    /// The reverse.
    pub fn decode(bytes: [u8; MessageOrder::LENGTH]) -> MessageOrder {
        let (numbers, _) = bytes.as_chunks::<8>();
        let number = |at: usize| u64::from_ne_bytes(numbers[at]);
        MessageOrder { round_trip: bytes[0] != 0, count: number(1), size: number(2) as usize }
    }

    /// A message that is this long as JSON, quotes included.
    pub fn text(self) -> String {
        "x".repeat(self.size.saturating_sub(2))
    }
}
