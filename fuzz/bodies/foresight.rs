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
    /// Whether a line before it is not JSON, which only a receiver notices.
    pub(crate) fails_its_receiver: bool,
}

/// What is to come of whole lines, to a channel that has sent no handle.
pub(crate) fn foresee(stream: &[u8], limit: usize) -> Foresight {
    let mut foresight = Foresight { handles: 0, fails: false, fails_its_receiver: false };
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        match speaks_of_handle(line) {
            _ if line.len() > limit => foresight.fails = true,
            Some(speaks) => foresight.handles += usize::from(speaks),
            None if is_left_to_its_receiver(line) => foresight.fails_its_receiver = true,
            None => foresight.fails = true,
        }
        if foresight.fails {
            break;
        }
    }
    foresight
}

/// Whether it looks like a string, a list or an object that cannot be internal.
fn is_left_to_its_receiver(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let text = text.trim_matches([' ', '\t', '\r']);
    let is_between = |first, last| text.len() > 1 && text.starts_with(first) && text.ends_with(last);
    let may_be_internal = text.contains("NODE_") || text.contains("\\u00");
    is_between('"', '"') || is_between('[', ']') || is_between('{', '}') && !may_be_internal
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
    for depth in 0..=DEEPEST {
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
