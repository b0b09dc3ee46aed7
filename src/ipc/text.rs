//! Long texts, quickly: serde_json looks at each byte of a string by itself, which costs more than all else that a long message costs.
//! A message that is one long text without anything to escape is found out here, on both sides; every other goes the usual way.

use std::fmt;

use serde::de::value::{self, BorrowedStrDeserializer};
use serde::ser::{Impossible, Serializer};
use serde::{Deserialize, Serialize};

/// Shorter ones gain nothing.
const LONG: usize = 256;

/// Appends `value` as JSON if it is a long text that needs no escaping; whether it did.
pub(super) fn append(value: &(impl Serialize + ?Sized), line: &mut Vec<u8>) -> bool {
    value.serialize(LongText(line)).is_ok()
}

/// Whether a line is JSON for sure, because it is one text with nothing escaped.
pub(super) fn is_one(line: &[u8]) -> bool {
    let inside = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\""));
    inside.is_some_and(|text| is_plain(text) && std::str::from_utf8(text).is_ok())
}

/// The value of such a line; `None` when its type takes no text as it is, but perhaps in a wrapping that serde_json knows of.
pub(super) fn decode<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Option<T> {
    let inside = line.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let text = std::str::from_utf8(inside).ok()?;
    T::deserialize(BorrowedStrDeserializer::<value::Error>::new(text)).ok()
}

/// Whether no byte must be written in another way: no quote, no backslash, no control character.
fn is_plain(text: &[u8]) -> bool {
    // Without a way out in the middle of a piece, so that the compiler looks at many bytes at once.
    let plain = |piece: &[u8]| {
        piece.iter().fold(true, |plain, byte| plain & (*byte >= b' ') & (*byte != b'"') & (*byte != b'\\'))
    };
    text.chunks(1024).all(plain)
}

/// Takes long plain texts and nothing else.
struct LongText<'a>(&'a mut Vec<u8>);

#[derive(Debug)]
struct SomethingElse;

impl fmt::Display for SomethingElse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no long text")
    }
}

impl std::error::Error for SomethingElse {}

impl serde::ser::Error for SomethingElse {
    fn custom<T: fmt::Display>(_: T) -> SomethingElse {
        SomethingElse
    }
}

/// Methods that answer "something else", each with its arguments and what it would return.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$ok, SomethingElse> {
            Err(SomethingElse)
        }
    )*};
}

type Never = Impossible<(), SomethingElse>;

impl Serializer for LongText<'_> {
    type Ok = ();
    type Error = SomethingElse;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    fn serialize_str(self, text: &str) -> Result<(), SomethingElse> {
        if text.len() < LONG || !is_plain(text.as_bytes()) {
            return Err(SomethingElse);
        }
        self.0.reserve(text.len() + 3);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), SomethingElse> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SomethingElse> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), SomethingElse> {
        Err(SomethingElse)
    }

    // Not asked for its text: formatting it twice would cost more than is gained.
    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), SomethingElse> {
        Err(SomethingElse)
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_it_takes_it_writes_as_serde_json_does(text in "[ -~äß€]{200,400}|[ -~\n\u{0}-\u{1f}]{250,300}|[a-z€]{256,2000}") {
            let mut line = Vec::new();
            if append(&text, &mut line) {
                prop_assert_eq!(&line, &serde_json::to_vec(&text).expect("text is JSON"));
                prop_assert!(is_one(&line));
            } else {
                prop_assert!(line.is_empty());
                prop_assert!(text.len() < LONG || text.contains(|c: char| c < ' ' || c == '"' || c == '\\'));
            }
        }
    }

    proptest! {
        #[test]
        fn what_it_takes_for_a_text_is_one(line in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), any::<u8>()], 0..6)) {
            prop_assert!(!is_one(&line) || serde_json::from_slice::<String>(&line).is_ok());
        }
    }

    #[test]
    fn it_takes_texts_alone() {
        let long = "x".repeat(LONG);
        assert!(append(&Some(&long), &mut Vec::new()));
        assert!(!append(&[&long], &mut Vec::new()) && !append(&"short", &mut Vec::new()));
    }
}
