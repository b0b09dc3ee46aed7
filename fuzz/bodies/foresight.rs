//! What a channel has to make of a stream of bytes, found in another way than the channel's own.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// How often a `NODE_HANDLE` may be wrapped in another one.
const DEEPEST: usize = 8;

pub(crate) struct Foresight {
    /// How many lines speak of a handle, before one that is not allowed.
    pub(crate) handles: usize,
    /// Whether there is one that is not allowed.
    pub(crate) fails: bool,
}

/// What is to come of whole lines, to a channel that has sent no handle.
pub(crate) fn foresee(stream: &[u8], limit: usize) -> Foresight {
    let mut handles = 0;
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        match speaks_of_handle(line) {
            Some(speaks) if line.len() <= limit => handles += usize::from(speaks),
            _ => return Foresight { handles, fails: true },
        }
    }
    Foresight { handles, fails: false }
}

/// None when the line is not allowed.
fn speaks_of_handle(line: &[u8]) -> Option<bool> {
    let mut value: &RawValue = serde_json::from_slice(line).ok()?;
    for depth in 0..DEEPEST {
        // Of members with the same name the last one counts.
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        let text = |name: &str| members.get(name).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
        let command = text("cmd").unwrap_or_default();
        match command.strip_prefix("NODE_") {
            Some("HANDLE") => value = members.get("msg").copied().unwrap_or(RawValue::NULL),
            _ if depth > 0 => return Some(true),
            Some("HANDLE_ACK" | "HANDLE_NACK") => return None,
            Some("SOCKET_GET_COUNT" | "SOCKET_NOTIFY_CLOSE" | "SOCKET_COUNT" | "SOCKET_ALL_CLOSED") => {
                return text("key").map(|_| false);
            }
            _ => return Some(false),
        }
    }
    None
}
