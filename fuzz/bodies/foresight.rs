//! What a channel has to make of a stream of bytes, found in another way than the channel's own.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How often a `NODE_HANDLE` may be wrapped in another one.
const DEEPEST: usize = 8;

/// An object with more members is not internal.
const MOST_MEMBERS: usize = 100;

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

/// The members of an object, each with its name as JSON.
#[derive(Default)]
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some(member) = map.next_entry()? {
                    members.0.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl<'a> Members<'a> {
    /// Of members with the same name the last one counts.
    fn value(&self, wanted: &str) -> Option<&'a RawValue> {
        let named = |name: &RawValue| serde_json::from_str::<String>(name.get()).is_ok_and(|name| name == wanted);
        self.0.iter().rev().find(|(name, _)| named(name)).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.value(name)?.get()).ok()
    }
}

/// None when the line is not allowed.
fn speaks_of_handle(line: &[u8]) -> Option<bool> {
    let mut value: &RawValue = serde_json::from_slice(line).ok()?;
    for depth in 0..DEEPEST {
        let members: Members<'_> = serde_json::from_str(value.get()).unwrap_or_default();
        let command = members.text("cmd").filter(|_| members.0.len() <= MOST_MEMBERS).unwrap_or_default();
        match command.strip_prefix("NODE_") {
            Some("HANDLE") => value = members.value("msg").unwrap_or(RawValue::NULL),
            _ if depth > 0 => return Some(true),
            Some("HANDLE_ACK" | "HANDLE_NACK") => return None,
            Some("SOCKET_GET_COUNT" | "SOCKET_NOTIFY_CLOSE" | "SOCKET_COUNT" | "SOCKET_ALL_CLOSED") => {
                return members.text("key").map(|_| false);
            }
            _ => return Some(false),
        }
    }
    None
}
