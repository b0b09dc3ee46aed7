//! Takes the bytes and the descriptors that went through a call out of its arguments.

use crate::{Call, Payload};

/// How much of a payload is kept, in bytes. The recorder has strace write as much.
pub(crate) const PAYLOAD: usize = 4096;

/// Tells whether a call puts bytes into a descriptor.
pub(crate) fn gives_bytes(name: &str) -> bool {
    ["write", "writev", "pwrite64", "sendto", "sendmsg"].contains(&name)
}

/// Tells whether a call takes bytes out of a descriptor.
pub(crate) fn takes_bytes(name: &str) -> bool {
    ["read", "readv", "pread64", "recvfrom", "recvmsg"].contains(&name)
}

/// Moves the payload and the passed descriptors of a call out of its second argument, in which `"…"` takes the payload's place.
pub(crate) fn decode(call: &mut Call) {
    if !gives_bytes(&call.call) && !takes_bytes(&call.call) {
        return;
    }
    let bytes = call.number().unwrap_or(0);
    let Some(argument) = call.arguments.get_mut(1) else { return };
    call.passed = std::mem::take(&mut argument.descriptors);
    let whole = std::mem::take(&mut argument.text);
    let mut payload = Vec::new();
    let mut rest = whole.as_str();
    while let Some((outside, string)) = rest.split_once('"') {
        argument.text.push_str(outside);
        // Other strings are paths, of a socket's address.
        let is_payload = outside.is_empty() || outside.ends_with("iov_base=");
        let mut bytes = Vec::new();
        let length = unescape(string, &mut bytes);
        let shown = if is_payload && length > 1 { "…\"" } else { &string[..length] };
        argument.text.push('"');
        argument.text.push_str(shown);
        rest = string[length..].trim_start_matches("...");
        if is_payload {
            payload.append(&mut bytes);
        }
    }
    argument.text.push_str(rest);
    payload.truncate(PAYLOAD);
    let text = String::from_utf8_lossy(&payload).into_owned();
    call.payload = (bytes > 0).then_some(Payload { text, bytes });
}

/// Appends the bytes that strace wrote as `text"`, and returns how long that is with its quotation mark.
fn unescape(text: &str, bytes: &mut Vec<u8>) -> usize {
    let escaped = text.as_bytes();
    let mut at = 0;
    while at < escaped.len() && escaped[at] != b'"' {
        if escaped[at] != b'\\' {
            bytes.push(escaped[at]);
            at += 1;
            continue;
        }
        at += 1;
        let octal = escaped[at..].iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
        if octal > 0 {
            let value =
                escaped[at..at + octal].iter().fold(0_u8, |value, digit| value.wrapping_mul(8) + (digit - b'0'));
            bytes.push(value);
            at += octal;
        } else if let Some(letter) = escaped.get(at) {
            bytes.push(match letter {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'v' => 0x0b,
                b'f' => 0x0c,
                other => *other,
            });
            at += 1;
        }
    }
    (at + 1).min(escaped.len())
}

#[cfg(test)]
mod tests {
    use crate::strace::{Seen, parse};
    use crate::{Call, Descriptor};

    fn call(text: &str) -> Call {
        let Some(Seen::Call(call)) = parse(&format!("1 1.000000 {text}")).pop().map(|entry| entry.what) else {
            panic!("{text} is a call");
        };
        call
    }

    #[test]
    fn a_message_gives_up_its_text_and_its_descriptors() {
        let sent = call(
            r#"sendmsg(16<UNIX-STREAM:[7->8]>, {msg_name=NULL, msg_iov=[{iov_base="{\"a\":\"\303\251\"}", iov_len=9}, {iov_base="\n", iov_len=1}], msg_iovlen=2, msg_control=[{cmsg_len=20, cmsg_type=SCM_RIGHTS, cmsg_data=[12<TCP:[127.0.0.1:34603]>]}], msg_flags=0}, 0) = 10"#,
        );
        let payload = sent.payload.as_ref().expect("bytes went through");
        assert_eq!((payload.text.as_str(), payload.bytes), ("{\"a\":\"é\"}\n", 10));
        assert_eq!(sent.passed, [Descriptor { fd: 12, is: "TCP:[127.0.0.1:34603]".to_owned() }]);
        assert!(
            sent.text(1).contains(r#"{iov_base="…", iov_len=9}"#)
                && sent.text(1).ends_with("cmsg_data=[12]}], msg_flags=0}")
        );
    }

    #[test]
    fn what_is_not_text_and_what_did_not_go_through() {
        let got = call(r#"read(3<pipe:[5]>, "\1\377ab"..., 65536) = 65536"#);
        let payload = got.payload.as_ref().expect("bytes went through");
        assert_eq!((payload.text.as_str(), payload.bytes), ("\u{1}\u{fffd}ab", 65536));
        assert_eq!(got.text(1), "\"…\"");
        assert_eq!(call(r#"write(3<pipe:[5]>, "x", 1) = -1 EAGAIN (Resource temporarily unavailable)"#).payload, None);
        assert_eq!(call(r#"read(3<pipe:[5]>, "", 1) = 0"#).text(1), "\"\"");
    }
}
