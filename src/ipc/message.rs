//! A message that arrived: its value, and the members of an internal one.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memmem;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::handle::Handle;
use crate::error::{Error, ErrorKind, Result};

/// A message that came over a channel: a JSON value, perhaps with a handle.
///
/// The channel has scanned it as JSON once, so that malformed input ends the channel when it arrives. Its value is built only by
/// [`decode`](Message::decode), which scans it a second time.
#[derive(Debug)]
pub struct Message {
    /// Valid JSON. A copy of the line: it leaves the buffer free for the next read, and is known to be UTF-8.
    json: Box<str>,
    /// `None` for a user's message.
    members: Option<Box<Members>>,
    /// The handle that came with it. Take it out to use it.
    pub handle: Option<Handle>,
}

/// The members of an internal message, in order: where in its text each name (with its quotes) and each value is.
#[derive(Debug)]
struct Members(Vec<(Range<u32>, Range<u32>)>);

fn in_memory(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// A string, borrowed from the line unless it contains an escape.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Message {
    /// Scans a line once.
    pub(super) fn of_line(line: &[u8]) -> Result<Message, ErrorKind> {
        let not_json = |error: &dyn fmt::Display| malformed(format!("not JSON: {error}"), line);
        let text = std::str::from_utf8(line).map_err(|error| not_json(&error))?.trim_matches([' ', '\t', '\r']);
        let members = match may_be_internal(text) {
            true => split(text).map(Some),
            false => serde_json::from_str(text).map(|IgnoredAny| None),
        };
        let members = members.map_err(|error| not_json(&error))?;
        Ok(Message { json: text.into(), members, handle: None }.or_users())
    }

    /// Takes out the message that a `NODE_HANDLE` wraps; `null` when it wraps none.
    pub(super) fn unwrapped(&self) -> Message {
        let text = self.range_of("msg").map_or("null", |range| &self.json[range]);
        let members = if may_be_internal(text) { split(text).ok() } else { None };
        Message { json: text.into(), members, handle: None }.or_users()
    }

    /// Forgets the members unless the message is internal. As in Node, it is if its `cmd` is a string that begins with `NODE_` and goes on.
    fn or_users(mut self) -> Message {
        if !self.cmd().is_some_and(|cmd| cmd.len() > 5 && cmd.starts_with("NODE_")) {
            self.members = None;
        }
        self
    }

    pub(super) fn cmd(&self) -> Option<Cow<'_, str>> {
        self.member("cmd").map(|Text(cmd)| cmd)
    }

    /// Whether it is between the two runtimes and not for the user.
    pub(super) fn is_internal(&self) -> bool {
        self.members.is_some()
    }

    /// Where in the text the value of a member is.
    fn range_of(&self, name: &str) -> Option<Range<usize>> {
        let is_named = |range: &Range<u32>| {
            let quoted = &self.json[in_memory(range)];
            // Only a name with an escape has to be decoded.
            quoted[1..quoted.len() - 1] == *name
                || quoted.contains('\\') && serde_json::from_str(quoted).is_ok_and(|Text(decoded)| decoded == name)
        };
        let (_, value) = self.members.as_ref()?.0.iter().rfind(|(name, _)| is_named(name))?;
        Some(in_memory(value))
    }

    /// Decodes one member of an internal message. `None` when there is no such member, when it is of another type, and for every message
    /// of a user's. Of members with the same name the last one counts, as in JavaScript.
    pub(crate) fn member<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str(&self.json[self.range_of(name)?]).ok()
    }

    /// The JSON text, as it came, without blanks around it.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Decodes the value into any type that serde can make of it: a type of the user's, a `String`, a `serde_json::Value`.
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

    /// How much of the receiver's memory the message takes, in bytes. A descriptor counts for many, since descriptors are as scarce.
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

// ANCHOR: internal
/// Whether a text can be that of an internal message: an object that contains these letters, some of them perhaps written as `\u004e`.
/// Few messages of users can, and all others are only checked.
fn may_be_internal(text: &str) -> bool {
    let contains = |letters| memmem::find(text.as_bytes(), letters).is_some();
    text.starts_with('{') && (contains(b"NODE_") || contains(b"\\u00"))
}

/// Checks that a text is one JSON object and finds its members, in one pass.
fn split(text: &str) -> serde_json::Result<Box<Members>> {
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
            }
            Ok(Members(members))
        }
    }

    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Splitter(text))?;
    json.end().map(|()| Box::new(members))
}
// ANCHOR_END: internal
