//! What a line means: a message for the user, or an internal one, whose `cmd` begins with `NODE_`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Handle;
use super::handle::Kind;
use crate::error::{Error, ErrorKind, Result};

// ANCHOR: acknowledgements
/// A handle has arrived and was taken.
pub(super) const ACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_ACK\"}\n";

/// A message announced a handle, and none arrived that can be used.
pub(super) const NACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_NACK\"}\n";
// ANCHOR_END: acknowledgements

/// How many `NODE_HANDLE` messages may be nested. Node wraps a retransmission once.
const DEEPEST: usize = 8;

/// A message that came over a channel: a JSON value, perhaps with a handle.
///
/// The channel has scanned it as JSON once, so that malformed input ends the channel when it arrives. Its value is built only by
/// [`decode`](Message::decode), which scans it a second time.
#[derive(Debug)]
pub struct Message {
    /// Valid JSON, and so UTF-8.
    body: Bytes,
    /// `None` for a user's message.
    members: Option<Box<Members>>,
    /// The handle that came with it. Take it out to use it.
    pub handle: Option<Handle>,
}

/// The members of an internal message, in order: where in its body each name (with its quotes) and each value is.
#[derive(Debug)]
struct Members(Vec<(Range<u32>, Range<u32>)>);

fn in_memory(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// A string, borrowed from the line unless it contains an escape.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Message {
    /// Scans a line once.
    fn of_line(mut line: Bytes) -> Result<Message, ErrorKind> {
        let not_json = |error: &dyn fmt::Display| malformed(format!("not JSON: {error}"), &line);
        let text = std::str::from_utf8(&line).map_err(|error| not_json(&error))?.trim_matches([' ', '\t', '\r']);
        let members = match may_be_internal(text) {
            true => split(text).map(Some),
            false => serde_json::from_str(text).map(|IgnoredAny| None),
        };
        let members = members.map_err(|error| not_json(&error))?;
        if text.len() < line.len() {
            line = line.slice_ref(text.as_bytes());
        }
        Ok(Message { body: line, members, handle: None }.or_users())
    }

    /// Takes out the message that a `NODE_HANDLE` wraps; `null` when it wraps none.
    fn unwrapped(self) -> Message {
        let Some(inner) = self.range_of("msg") else {
            return Message { body: Bytes::from_static(b"null"), members: None, handle: None };
        };
        let inner = Message { body: self.body.slice(inner), members: None, handle: None };
        let text = inner.json();
        let members = if may_be_internal(text) { split(text).ok() } else { None };
        Message { members, ..inner }.or_users()
    }

    /// Forgets the members unless the message is internal. As in Node, it is if its `cmd` is a string that begins with `NODE_` and goes on.
    fn or_users(mut self) -> Message {
        if !self.cmd().is_some_and(|cmd| cmd.len() > 5 && cmd.starts_with("NODE_")) {
            self.members = None;
        }
        self
    }

    fn cmd(&self) -> Option<Cow<'_, str>> {
        self.member("cmd").map(|Text(cmd)| cmd)
    }

    /// Whether it is between the two runtimes and not for the user.
    pub(super) fn is_internal(&self) -> bool {
        self.members.is_some()
    }

    /// Where in the body the value of a member is.
    fn range_of(&self, name: &str) -> Option<Range<usize>> {
        let is_named = |range: &Range<u32>| {
            let quoted = &self.body[in_memory(range)];
            // Only a name with an escape has to be decoded.
            quoted[1..quoted.len() - 1] == *name.as_bytes()
                || quoted.contains(&b'\\') && serde_json::from_slice(quoted).is_ok_and(|Text(decoded)| decoded == name)
        };
        let (_, value) = self.members.as_ref()?.0.iter().rfind(|(name, _)| is_named(name))?;
        Some(in_memory(value))
    }

    /// Decodes one member of an internal message. `None` when there is no such member, when it is of another type, and for every message
    /// of a user's. Of members with the same name the last one counts, as in JavaScript.
    pub(crate) fn member<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_slice(&self.body[self.range_of(name)?]).ok()
    }

    /// The JSON text, as it came, without blanks around it.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// Decodes the value into any type that serde can make of it: a type of the user's, a `String`, a `serde_json::Value`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when the value is not of that type. The channel stays open.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_str(self.json()).map_err(|error| {
            let sentence = format!("{error}, and not the {} expected", std::any::type_name::<T>());
            Error::new("decode the message", excerpt(&self.body), ErrorKind::Json(sentence)).caused_by(error.into())
        })
    }

    /// How much of the receiver's memory the message takes, in bytes. A descriptor counts for many, since descriptors are as scarce.
    pub(super) fn cost(&self) -> usize {
        const DESCRIPTOR: usize = 64 * 1024;
        let members = self.members.as_ref().map_or(0, |members| size_of_val(&members.0[..]));
        size_of::<Message>() + self.body.len() + members + if self.handle.is_some() { DESCRIPTOR } else { 0 }
    }
}

/// What a line is to the channel.
#[derive(Debug)]
pub(super) enum Line {
    /// For the user; or internal and not the channel's own business: `NODE_CLUSTER`, or an unknown command.
    Message(Message),
    /// A message that announces a handle, of this type and with this key.
    Handle {
        kind: Option<Kind>,
        key: Option<String>,
        message: Message,
    },
    Ack,
    Nack,
    /// The peer asks how many sockets that came with this key are open here.
    CountAsked(String),
    /// The peer asks to be told when all of them are closed.
    CloseAsked(String),
    /// The answer to our `CountAsked`.
    Counted(String, u64),
    /// The answer to our `CloseAsked`.
    AllClosed(String),
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

/// Finds out what a line is.
///
/// # Errors
///
/// [`ErrorKind::Malformed`] when the line is not JSON, or is an internal message without a member that it must have.
pub(super) fn classify(line: Bytes) -> Result<Line, ErrorKind> {
    match &line[..] {
        line if *line == ACK[..ACK.len() - 1] => return Ok(Line::Ack),
        line if *line == NACK[..NACK.len() - 1] => return Ok(Line::Nack),
        _ => {}
    }
    let mut message = Message::of_line(line)?;
    let mut announced = None;
    // What Node sends again after a refusal wraps the whole message that was refused. It is one handle all the same.
    for depth in 1.. {
        if message.cmd().as_deref() != Some("NODE_HANDLE") {
            break;
        }
        if depth > DEEPEST {
            return Err(malformed("a NODE_HANDLE wrapped in itself too often", &message.body));
        }
        let kind = message.member("type").and_then(|Text(name)| Kind::named(&name));
        announced = Some((kind, message.member("key")));
        message = message.unwrapped();
    }
    match announced {
        Some((kind, key)) => Ok(Line::Handle { kind, key, message }),
        None => Ok(command(&message)?.unwrap_or(Line::Message(message))),
    }
}

/// The channel's own commands; `None` for any other message.
fn command(message: &Message) -> Result<Option<Line>, ErrorKind> {
    let Some(cmd) = message.cmd() else { return Ok(None) };
    let key = || message.member("key").ok_or_else(|| malformed(format!("{cmd} without a key"), &message.body));
    Ok(Some(match &*cmd {
        "NODE_HANDLE_ACK" => Line::Ack,
        "NODE_HANDLE_NACK" => Line::Nack,
        "NODE_SOCKET_GET_COUNT" => Line::CountAsked(key()?),
        "NODE_SOCKET_NOTIFY_CLOSE" => Line::CloseAsked(key()?),
        "NODE_SOCKET_COUNT" => Line::Counted(key()?, message.member("count").unwrap_or_default()),
        "NODE_SOCKET_ALL_CLOSED" => Line::AllClosed(key()?),
        _ => return Ok(None),
    }))
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

// ANCHOR: with_handle
/// The line of a message that comes with a handle.
pub(super) fn with_handle(message: &(impl Serialize + ?Sized), handle: &Handle) -> serde_json::Result<Vec<u8>> {
    let mut line = format!("{{\"cmd\":\"NODE_HANDLE\",\"type\":\"{}\",\"msg\":", handle.kind().name()).into_bytes();
    super::frame::encode(message, &mut line)?;
    line.pop();
    for (name, value) in [("key", handle.key()), ("dgramType", handle.dgram_type())] {
        if let Some(value) = value {
            line.extend_from_slice(format!(",\"{name}\":").as_bytes());
            serde_json::to_writer(&mut line, value)?;
        }
    }
    line.extend_from_slice(b"}\n");
    Ok(line)
}
// ANCHOR_END: with_handle

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Line, ErrorKind> {
        classify(Bytes::copy_from_slice(line.as_bytes()))
    }

    fn message(line: &str) -> Message {
        match of(line) {
            Ok(Line::Message(message)) => message,
            other => panic!("{line} is {other:?}"),
        }
    }

    #[test]
    fn only_an_object_whose_cmd_begins_with_node_and_goes_on_is_internal() {
        for user in [
            r#"{"cmd":"NODE_"}"#,
            r#"{"cmd":"node_x"}"#,
            r#"{"cmd":5,"NODE_X":1}"#,
            "null",
            "[]",
            "0",
            "false",
            r#""NODE_X""#,
            r#"{"a":{"cmd":"NODE_X"}}"#,
            r#"{"cmd":"NODE_X","cmd":"last one counts"}"#,
        ] {
            assert_eq!((message(user).json(), message(user).is_internal()), (user, false));
        }
        for internal in [r#" {"cmd":"NODE_X"}"#, r#"{"a":["\\"],"c\u006dd":"\u004eODE_CLUSTER","type":5}"#] {
            assert_eq!((message(internal).json(), message(internal).is_internal()), (internal.trim(), true));
        }
        assert!(matches!(of("{\"cmd\" : \"NODE_HANDLE_ACK\"}\r"), Ok(Line::Ack)));
    }

    #[test]
    fn members_of_an_internal_message_are_decoded_one_by_one() {
        let internal = message(r#"{"cmd":"NODE_X","a":"first","b":null,"\u0063\n":[1, {"a":2}],"a" : -3 }"#);
        assert_eq!(
            (internal.member("a"), internal.member::<String>("a")),
            (Some(-3), None),
            "the last one, of its type"
        );
        assert_eq!((internal.member::<Option<u8>>("b"), internal.member::<Option<u8>>("d")), (Some(None), None));
        assert_eq!(internal.member::<&RawValue>("c\n").map(RawValue::get), Some(r#"[1, {"a":2}]"#));
        assert_eq!(message(r#"{"a":1,"text":"NODE_"}"#).member::<u8>("a"), None, "a user's message");
    }

    #[test]
    fn a_handle_wrapped_twice_is_one_handle() {
        let once = r#"{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"cmd":"NODE_X","x":1},"key":"k"}"#;
        let twice = format!(r#"{{"cmd":"NODE_HANDLE","type":"net.Native","msg":{once}}}"#);
        for line in [once, &twice] {
            let Ok(Line::Handle { kind: Some(Kind::Socket), key: Some(key), message }) = of(line) else {
                panic!("{line}")
            };
            assert_eq!((&*key, message.json(), message.member("x")), ("k", r#"{"cmd":"NODE_X","x":1}"#, Some(1)));
        }
        let nested =
            |depth| (0..depth).fold("1".to_owned(), |msg, _| format!(r#"{{"cmd":"NODE_HANDLE","msg":{msg}}}"#));
        assert!(of(&nested(8)).is_ok() && of(&nested(9)).is_err());
        assert!(matches!(of(r#"{"cmd":"NODE_HANDLE"}"#), Ok(Line::Handle { message, .. }) if message.json() == "null"));
    }

    #[test]
    fn what_is_not_json_is_an_error_that_quotes_it() {
        for bad in ["", "{", "hello", "{\"a\":1}{}", "\u{0}\u{1}", r#"{"cmd":"NODE_X"}}"#, r#"{"cmd":"NODE_X",}"#] {
            assert!(matches!(of(bad), Err(ErrorKind::Malformed { .. })), "{bad:?}");
        }
        assert!(classify(Bytes::from_static(b"\"\xff\"")).is_err(), "not UTF-8");
        let empty = of("").map_err(|kind| kind.to_string());
        assert!(empty.is_err_and(|sentence| sentence.ends_with("; the line is empty")));
        let long = of(&"x".repeat(1000)).map_err(|kind| kind.to_string());
        assert!(long.is_err_and(|sentence| sentence.contains("1000 bytes") && sentence.len() < 250));
    }
}
