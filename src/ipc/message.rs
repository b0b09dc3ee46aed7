//! What a line means: a message for the user, or one of the channel's own, whose `cmd` begins with `NODE_`.

use std::fmt;

use bytes::Bytes;
use memchr::{memchr, memmem};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::handle::Kind;
use super::{Handle, text};
use crate::error::{Error, ErrorKind, Result};

// ANCHOR: acknowledgements
/// A handle has come, and has been taken.
pub(super) const ACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_ACK\"}\n";

/// A message spoke of a handle, and none has come.
pub(super) const NACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_NACK\"}\n";
// ANCHOR_END: acknowledgements

/// How often a `NODE_HANDLE` may be wrapped in another one. Node wraps a retransmission once.
const DEEPEST: usize = 8;

/// What has come over a channel: a JSON value, and perhaps a handle.
#[derive(Debug)]
pub struct Message {
    /// Known to be JSON, and so UTF-8.
    body: Bytes,
    /// Whether it is known to be a text with nothing escaped.
    plain: bool,
    /// The handle that came with it, to be taken.
    pub handle: Option<Handle>,
}

impl Message {
    pub(super) fn new(body: Bytes, handle: Option<Handle>) -> Message {
        Message { body, plain: false, handle }
    }

    /// A text with nothing escaped.
    pub(super) fn plain(body: Bytes) -> Message {
        Message { body, plain: true, handle: None }
    }

    /// Its JSON text, as it came.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// Its value, as whatever serde can make of it: a type of the user's, a `String`, a `serde_json::Value`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] when the value is not of that type. The channel goes on.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        if self.plain
            && let Some(value) = text::decode(&self.body)
        {
            return Ok(value);
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let sentence = format!("{error}, and not the {} expected", std::any::type_name::<T>());
            Error::new("decode the message", excerpt(&self.body), ErrorKind::Json(sentence)).caused_by(error.into())
        })
    }

    /// How much of a receiver's memory it takes: its bytes, what it is made of besides, and for a handle as many as make a descriptor as
    /// scarce as it is.
    pub(super) fn cost(&self) -> usize {
        const DESCRIPTOR: usize = 64 * 1024;
        size_of::<Message>() + self.body.len() + if self.handle.is_some() { DESCRIPTOR } else { 0 }
    }
}

/// What a line is to the channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// For the user.
    User(Bytes),
    /// For the user: a text with nothing escaped.
    Text(Bytes),
    /// Internal, and not the channel's own business: `NODE_CLUSTER`, or a command that nobody knows.
    Internal(Bytes),
    /// A message that came with a handle; `internal` says whether that message is.
    Handle {
        kind: Option<Kind>,
        key: Option<String>,
        body: Bytes,
        internal: bool,
    },
    Ack,
    Nack,
    /// How many sockets that came with this key are open here?
    CountAsked(String),
    /// Say when all of them are closed.
    CloseAsked(String),
    /// The answers to these two.
    Counted(String, u64),
    AllClosed(String),
}

/// The first bytes of something, what is not printable escaped.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    let (shown, more) = bytes.split_at(bytes.len().min(SHOWN));
    format!("{}{}", shown.escape_ascii(), if more.is_empty() { "" } else { "…" })
}

/// An error of the channel: the peer has sent what is not allowed.
pub(super) fn malformed(reason: impl Into<String>, bytes: &[u8]) -> ErrorKind {
    ErrorKind::Malformed { reason: reason.into(), length: bytes.len(), beginning: excerpt(bytes) }
}

/// Finds out what a line is. As in Node, a message is internal if it is an object whose `cmd` is a string that begins with `NODE_` and
/// is longer than that.
///
/// # Errors
///
/// [`ErrorKind::Malformed`] when it is no JSON, or an internal message without what belongs to it.
pub(super) fn classify(line: Bytes) -> Result<Line, ErrorKind> {
    match &line[..] {
        line if *line == ACK[..ACK.len() - 1] => return Ok(Line::Ack),
        line if *line == NACK[..NACK.len() - 1] => return Ok(Line::Nack),
        _ => {}
    }
    if text::is_one(&line) {
        return Ok(Line::Text(line));
    }
    // One pass over all of it, which makes no tree, and says that it is UTF-8, too.
    let raw: &RawValue =
        serde_json::from_slice(&line).map_err(|error| malformed(format!("not JSON: {error}"), &line))?;
    let mut body = line.slice_ref(raw.get().as_bytes());
    let mut handle = None;
    for _ in 0..DEEPEST {
        let json = body.clone();
        let Some(fields) = internal(&json) else {
            return Ok(match handle {
                None => Line::User(body),
                Some((kind, key)) => Line::Handle { kind, key, body, internal: false },
            });
        };
        if fields.cmd == "NODE_HANDLE" {
            // What Node sends after a refusal holds the whole message that was refused. It is one handle all the same.
            handle = Some((fields.kind.as_deref().and_then(Kind::named), fields.key));
            body = fields.msg.map_or(Bytes::from_static(b"null"), |msg| json.slice_ref(msg.get().as_bytes()));
            continue;
        }
        if let Some((kind, key)) = handle {
            return Ok(Line::Handle { kind, key, body, internal: true });
        }
        let (cmd, key) = (fields.cmd, fields.key);
        let key = || key.ok_or_else(|| malformed(format!("{cmd} without a key"), &json));
        return Ok(match &*cmd {
            "NODE_HANDLE_ACK" => Line::Ack,
            "NODE_HANDLE_NACK" => Line::Nack,
            "NODE_SOCKET_GET_COUNT" => Line::CountAsked(key()?),
            "NODE_SOCKET_NOTIFY_CLOSE" => Line::CloseAsked(key()?),
            "NODE_SOCKET_COUNT" => Line::Counted(key()?, fields.count.unwrap_or_default()),
            "NODE_SOCKET_ALL_CLOSED" => Line::AllClosed(key()?),
            _ => Line::Internal(body),
        });
    }
    Err(malformed("a NODE_HANDLE wrapped in itself too often", &line))
}

// ANCHOR: internal
/// The members of an internal message that a channel looks at; `None` for any other value.
fn internal(json: &Bytes) -> Option<Fields<'_>> {
    // A message of a user's seldom gets further than this: the letters must stand there, unless some of them are written as `\u…`.
    let suspicious =
        json.first() == Some(&b'{') && (memmem::find(json, b"NODE_").is_some() || memchr(b'\\', json).is_some());
    let fields = suspicious.then(|| serde_json::from_slice::<Fields<'_>>(json).ok())??;
    (fields.cmd.len() > 5 && fields.cmd.starts_with("NODE_")).then_some(fields)
}
// ANCHOR_END: internal

#[derive(Debug, Default)]
struct Fields<'a> {
    /// Empty when there is none, or it is no string.
    cmd: String,
    kind: Option<String>,
    msg: Option<&'a RawValue>,
    key: Option<String>,
    count: Option<u64>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            // By hand, since a derived one refuses a member that comes twice (for JavaScript the last one counts) and a member of
            // another type (which makes the message a user's).
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(name) = map.next_key::<String>()? {
                    match &*name {
                        "cmd" => fields.cmd = text(map.next_value()?).unwrap_or_default(),
                        "type" => fields.kind = text(map.next_value()?),
                        "key" => fields.key = text(map.next_value()?),
                        "msg" => fields.msg = Some(map.next_value()?),
                        "count" => fields.count = serde_json::from_str(map.next_value::<&RawValue>()?.get()).ok(),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(fields)
            }
        }

        fn text(value: &RawValue) -> Option<String> {
            serde_json::from_str(value.get()).ok()
        }

        deserializer.deserialize_map(Members)
    }
}

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

    fn of(line: &'static str) -> Result<Line, ErrorKind> {
        classify(Bytes::from_static(line.as_bytes()))
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
            r#"{"a":{"cmd":"NODE_X"}}"#,
            r#"{"cmd":"NODE_X","cmd":"last one counts"}"#,
        ] {
            assert_eq!(of(user), Ok(Line::User(Bytes::from_static(user.as_bytes()))));
        }
        assert_eq!(of(r#""NODE_X""#), Ok(Line::Text(Bytes::from_static(b"\"NODE_X\""))));
        for internal in [r#"{"cmd":"NODE_X"}"#, r#"{"a":["\\"],"cmd":"\u004eODE_CLUSTER","type":5}"#] {
            assert_eq!(of(internal), Ok(Line::Internal(Bytes::from_static(internal.as_bytes()))));
        }
        assert_eq!(of("{\"cmd\" : \"NODE_HANDLE_ACK\"}\r"), Ok(Line::Ack));
    }

    #[test]
    fn a_text_is_decoded_as_every_type_that_takes_one() {
        #[derive(Debug, PartialEq, Deserialize)]
        enum Unit {
            Hello,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Wrapped(String);

        let message = Message::plain(Bytes::from_static(b"\"Hello\""));
        assert_eq!(message.decode().ok(), Some("Hello"));
        assert_eq!(message.decode().ok(), Some(Some("Hello".to_owned())));
        assert_eq!(message.decode().ok(), Some(Wrapped("Hello".to_owned())));
        assert_eq!(message.decode().ok(), Some(Unit::Hello));
        assert_eq!(message.decode().ok(), Some(serde_json::json!("Hello")));
        assert_eq!(message.decode::<&RawValue>().map(RawValue::get).ok(), Some("\"Hello\""));
        let error = message.decode::<u32>().expect_err("no number").to_string();
        assert!(error.contains("invalid type: string \"Hello\", expected u32"), "{error}");
    }

    #[test]
    fn a_handle_wrapped_twice_is_one_handle() {
        let body = Bytes::from_static(b"{\"x\":1}");
        let handle = Line::Handle { kind: Some(Kind::Socket), key: Some("k".to_owned()), body, internal: false };
        let once = r#"{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"x":1},"key":"k"}"#;
        assert_eq!(of(once).as_ref(), Ok(&handle));
        let twice = format!(r#"{{"cmd":"NODE_HANDLE","type":"net.Native","msg":{once}}}"#);
        assert_eq!(classify(twice.into()), Ok(handle));
        let endless = (0..9).fold("1".to_owned(), |msg, _| format!(r#"{{"cmd":"NODE_HANDLE","msg":{msg}}}"#));
        assert!(classify(endless.into()).is_err());
    }

    #[test]
    fn what_is_no_json_is_an_error_that_quotes_it() {
        for bad in ["", "{", "hello", "{\"a\":1}{}", "\u{0}\u{1}"] {
            assert!(matches!(of(bad), Err(ErrorKind::Malformed { .. })), "{bad:?}");
        }
        assert!(classify(Bytes::from_static(b"\"\xff\"")).is_err(), "not UTF-8");
        let empty = of("").map_err(|kind| kind.to_string());
        assert!(empty.is_err_and(|sentence| sentence.ends_with("; the line is empty")));
        let long = classify(Bytes::from(vec![b'x'; 1000])).map_err(|kind| kind.to_string());
        assert!(long.is_err_and(|sentence| sentence.contains("1000 bytes") && sentence.len() < 250));
    }
}
