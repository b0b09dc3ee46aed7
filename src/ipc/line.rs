//! What a line means to the channel, and the lines that the channel writes itself.

use bytes::Bytes;
use serde::Serialize;

use super::frame;
use super::handle::{Handle, HandleType};
use super::message::{Message, Unescaped, malformed};
use crate::error::{ErrorKind, Result};

// ANCHOR: acknowledgements
/// A handle has arrived and was taken.
pub(super) const ACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_ACK\"}\n";

/// A message announced a handle, and none arrived that can be used.
pub(super) const NACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_NACK\"}\n";
// ANCHOR_END: acknowledgements

/// How many `NODE_HANDLE` messages may be nested. Node wraps a retransmission once.
const DEEPEST: usize = 8;

/// What a line is to the channel.
#[derive(Debug)]
pub(super) enum Line {
    /// For the user, and perhaps not JSON; or internal and not the channel's own business: `NODE_CLUSTER`, or an unknown
    /// command.
    Message(Message),
    /// A message that announces a handle, of this type and with this key.
    Handle {
        handle_type: Option<HandleType>,
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

/// Finds out what a line is.
///
/// # Errors
///
/// [`ErrorKind::Malformed`] when the line is an internal message without a member that it must have, or is not JSON. A
/// user's message that only looks like JSON at both ends is not an error here, but for its receiver.
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
            return Err(malformed("a NODE_HANDLE wrapped in itself too often", message.json().as_bytes()));
        }
        let handle_type = message.member("type").and_then(|Unescaped(name)| HandleType::named(&name));
        announced = Some((handle_type, message.member("key")));
        message = message.unwrapped();
    }
    match announced {
        Some((handle_type, key)) => Ok(Line::Handle { handle_type, key, message }),
        None => Ok(command(&message)?.unwrap_or(Line::Message(message))),
    }
}

/// The channel's own commands; `None` for any other message.
fn command(message: &Message) -> Result<Option<Line>, ErrorKind> {
    let Some(cmd) = message.cmd() else { return Ok(None) };
    let key =
        || message.member("key").ok_or_else(|| malformed(format!("{cmd} without a key"), message.json().as_bytes()));
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

// ANCHOR: with_handle
/// The line of a message that comes with a handle.
pub(super) fn with_handle(message: &(impl Serialize + ?Sized), handle: &Handle) -> serde_json::Result<Vec<u8>> {
    let mut line = format!("{{\"cmd\":\"NODE_HANDLE\",\"type\":\"{}\",\"msg\":", handle.type_name()).into_bytes();
    frame::encode(message, &mut line)?;
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
    use serde_json::value::RawValue;

    use super::*;

    /// What a line is to the channel and to the receiver of a message.
    fn of(line: &str) -> Result<Line, ErrorKind> {
        match classify(Bytes::copy_from_slice(line.as_bytes()))? {
            Line::Message(message) => message.checked().map(Line::Message),
            other => Ok(other),
        }
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
        let many = (0..101).fold("{\"cmd\":\"NODE_X\"".to_owned(), |json, n| format!("{json},\"{n}\":0")) + "}";
        assert!(!message(&many).is_internal(), "no message of Node's has as many members");
    }

    #[test]
    fn a_handle_wrapped_twice_is_one_handle() {
        let once = r#"{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"cmd":"NODE_X","x":1},"key":"k"}"#;
        let twice = format!(r#"{{"cmd":"NODE_HANDLE","type":"net.Native","msg":{once}}}"#);
        for line in [once, &twice] {
            let Ok(Line::Handle { handle_type: Some(HandleType::Socket), key: Some(key), message }) = of(line) else {
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
    fn what_cannot_be_internal_is_left_to_its_receiver() {
        let arrives = |line: &'static str| classify(Bytes::from_static(line.as_bytes())).is_ok();
        for left in [r#"{"a":1}{}"#, " [} ]\r", r#""""#, r#"" NODE_ \u00"x""#, r#"{\u0100:"node_"}"#, "{}}"] {
            assert!(arrives(left), "{left}");
        }
        for bad in ["\"", "{", "[", r#"[1}"#, "\"a\" x", "nul", "00", r#"{NODE_}"#, r#"{\u004e}"#] {
            assert!(!arrives(bad), "{bad}");
        }
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
