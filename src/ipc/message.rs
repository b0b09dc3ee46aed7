//! A message that arrived: its value, and the members of an internal one.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::handle::Handle;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::text::SharedText;

/// The most members that an internal message has: those of Node have fewer than 20. An object with more is a user's.
const MOST_MEMBERS: usize = 100;

/// A message that came over a channel: a JSON value, perhaps with a handle.
///
/// [`recv`](super::Channel::recv) scans it to check that it is JSON, and [`decode`](Message::decode) scans it again to
/// build the value. [`recv_as`](super::Channel::recv_as) scans it once.
#[derive(Debug)]
pub struct Message {
    /// Valid JSON, if it is `checked`.
    json: SharedText,
    /// False for a user's message until a user receives it.
    checked: bool,
    /// `None` for a user's message.
    members: Option<Box<Members>>,
    /// The handle that came with it. Take it out to use it.
    pub handle: Option<Handle>,
}

/// The members of an internal message, in order: where in its text each name (with its quotes) and each value is.
#[derive(Debug)]
struct Members(Vec<(Range<u32>, Range<u32>)>);

/// A string, borrowed from the text unless it contains an escape.
#[derive(Deserialize)]
pub(super) struct Unescaped<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Message {
    /// Reads a line. One that may be internal is checked and split, in one scan. Of any other line, both ends are
    /// checked, and its receiver checks the rest.
    pub(crate) fn of_line(line: Bytes) -> Result<Message, ErrorKind> {
        const BLANKS: [char; 3] = [' ', '\t', '\r'];
        let mut json = SharedText::new(line).map_err(|(error, line)| not_json(&error, &line))?;
        if json.starts_with(BLANKS) || json.ends_with(BLANKS) {
            let start = json.len() - json.trim_start_matches(BLANKS).len();
            json = json.part(start..json.trim_end_matches(BLANKS).len().max(start));
        }
        let checked = !is_left_to_its_receiver(json.as_bytes());
        match if checked { split(&json) } else { Ok(None) } {
            Ok(members) => Ok(Message { json, checked, members, handle: None }),
            Err(error) => Err(not_json(&error, json.as_bytes())),
        }
    }

    /// Checks that it is JSON, unless that is known.
    pub(super) fn checked(self) -> Result<Message, ErrorKind> {
        match if self.checked { Ok(IgnoredAny) } else { serde_json::from_str(&self.json) } {
            Ok(IgnoredAny) => Ok(Message { checked: true, ..self }),
            Err(error) => Err(not_json(&error, self.json.as_bytes())),
        }
    }

    /// Takes out the message that a `NODE_HANDLE` wraps; `null` when it wraps none.
    pub(super) fn unwrapped(&self) -> Message {
        let json = match self.range_of("msg") {
            Some(range) => self.json.part(range),
            None => SharedText::from_static("null"),
        };
        // Checked already, as a part of this message.
        let members = if json.starts_with('{') { split(&json).unwrap_or_default() } else { None };
        Message { json, checked: true, members, handle: None }
    }

    /// Returns the `cmd` of an internal message.
    pub(super) fn cmd(&self) -> Option<Cow<'_, str>> {
        self.member("cmd").map(|Unescaped(cmd)| cmd)
    }

    /// Whether it is between the two runtimes and not for the user.
    pub(super) fn is_internal(&self) -> bool {
        self.members.is_some()
    }

    fn range_of(&self, name: &str) -> Option<Range<usize>> {
        self.members.as_ref()?.range_of(name, &self.json)
    }

    /// Decodes one member of an internal message. `None` when there is no such member, when it is of another type, and
    /// for every message of a user's. Of members with the same name the last one counts, as in JavaScript.
    pub(crate) fn member<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str(&self.json[self.range_of(name)?]).ok()
    }

    /// The JSON text, as it came, without blanks around it.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Decodes the value into any type that serde can make of it: the user's own, or a `serde_json::Value`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when the value is not of that type. The channel stays open.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_str(&self.json).map_err(|error| {
            let sentence = format!("{error}, and not the {} expected", std::any::type_name::<T>());
            Error::new("decode the message", excerpt(self.json.as_bytes()), ErrorKind::Json(sentence))
                .caused_by(error.into())
        })
    }

    /// How much of the receiver's memory the message takes, in bytes. A descriptor counts for many: it is as scarce.
    pub(super) fn cost(&self) -> usize {
        const DESCRIPTOR: usize = 64 * 1024;
        let members = self.members.as_ref().map_or(0, |members| size_of_val(&members.0[..]));
        size_of::<Message>() + self.json.len() + members + if self.handle.is_some() { DESCRIPTOR } else { 0 }
    }
}

/// The first bytes of something, with what is not printable escaped.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    let (shown, more) = bytes.split_at(bytes.len().min(SHOWN));
    format!("{}{}", shown.escape_ascii(), if more.is_empty() { "" } else { "…" })
}

/// The error that ends a channel whose peer sent what is not allowed.
pub(super) fn malformed(reason: impl Into<String>, bytes: &[u8]) -> ErrorKind {
    ErrorKind::Malformed { reason: reason.into(), length: bytes.len(), beginning: excerpt(bytes) }
}

fn not_json(error: &dyn fmt::Display, line: &[u8]) -> ErrorKind {
    malformed(format!("not JSON: {error}"), line)
}

/// Whether only its receiver has to scan a line: it begins and ends like a string, a list or an object, and cannot be an
/// internal message, which contains `NODE_`, perhaps with escapes. Most lines that are not JSON begin or end otherwise.
fn is_left_to_its_receiver(line: &[u8]) -> bool {
    static SIGNS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["NODE_", "\\u00"].map(Finder::new));
    match line {
        [b'"', .., b'"'] | [b'[', .., b']'] => true,
        [b'{', members @ .., b'}'] => SIGNS.iter().all(|sign| sign.find(members).is_none()),
        _ => false,
    }
}

impl Members {
    /// Where in the text the value of a member is; of several with this name, the last.
    fn range_of(&self, name: &str, text: &str) -> Option<Range<usize>> {
        let in_memory = |range: &Range<u32>| range.start as usize..range.end as usize;
        let is_named = |range: &Range<u32>| {
            let quoted = &text[in_memory(range)];
            // Only a name with an escape has to be decoded.
            quoted[1..quoted.len() - 1] == *name
                || quoted.contains('\\') && serde_json::from_str(quoted).is_ok_and(|Unescaped(decoded)| decoded == name)
        };
        self.0.iter().rfind(|(name, _)| is_named(name)).map(|(_, value)| in_memory(value))
    }

    // ANCHOR: internal
    /// Whether these are the members of an internal message. As in Node, it is an object whose `cmd` is a string that
    /// begins with `NODE_` and goes on.
    fn are_internal(&self, text: &str) -> bool {
        let cmd = self.range_of("cmd", text).and_then(|range| serde_json::from_str(&text[range]).ok());
        cmd.is_some_and(|Unescaped(cmd)| cmd.len() > 5 && cmd.starts_with("NODE_"))
    }
    // ANCHOR_END: internal
}

/// Checks that a text is JSON, in one scan. Returns its members if it is an internal message.
fn split(text: &str) -> serde_json::Result<Option<Box<Members>>> {
    struct Splitter<'a>(&'a str);

    impl<'de> Visitor<'de> for Splitter<'_> {
        type Value = Members;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            // The channel accepts no line of 4 GiB (`Settings::message_limit`).
            let range = |part: &RawValue| {
                let start = part.get().as_ptr().addr() - self.0.as_ptr().addr();
                start as u32..(start + part.get().len()) as u32
            };
            let mut members = Vec::new();
            while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                members.push((range(name), range(value)));
                if members.len() > MOST_MEMBERS {
                    members.clear();
                    while map.next_entry::<&RawValue, IgnoredAny>()?.is_some() {}
                }
            }
            Ok(Members(members))
        }
    }

    if !text.starts_with('{') {
        return serde_json::from_str(text).map(|IgnoredAny| None);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Splitter(text))?;
    json.end()?;
    Ok(members.are_internal(text).then(|| Box::new(members)))
}
