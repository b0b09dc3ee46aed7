//! Bytes ↔ messages: one JSON value a line. Nothing here knows a socket; an incomplete message is a value, `None`.
//!
//! A raw newline cannot occur inside JSON text (in a string it is written `\n`), so a line is a message. No byte of a
//! longer UTF-8 character equals the newline.

use std::cell::Cell;
use std::io::{self, Write};

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// The default limit for the length of a message: 64 MiB. Node has no limit, so that a peer can fill all of its memory.
pub const DEFAULT_MESSAGE_LIMIT: usize = 64 * 1024 * 1024;

/// How much is read at a time: as much as Node reads; more when messages are long, up to about what a socket holds.
const CHUNK: usize = 64 * 1024;
const LONGEST_CHUNK: usize = 256 * 1024;

/// With less room than this a new chunk begins: many short reads would cost more than moving the rest.
const LEAST_ROOM: usize = 16 * 1024;

/// How a frame of Node's other mode begins after its length: V8's tag for a version, and the versions of Node.
const V8_HEADERS: [[u8; 2]; 2] = [[0xff, 0x0f], [0xff, 0x0d]];

/// Why the stream cannot be split into messages any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A message has more bytes than the limit.
    TooLong,
    /// The peer uses the mode `advanced`: each message is a length of four bytes, big-endian, and a V8 value.
    Advanced,
}

/// Splits a stream of bytes into messages, however the stream was cut.
///
/// A message is a part of the buffer that it was read into. It is not copied, and keeps the buffer alive.
#[derive(Debug)]
pub struct Decoder {
    /// What arrived and was not returned.
    buffer: BytesMut,
    /// How much of it is known to contain no newline.
    searched: usize,
    /// The longest message in bytes, without its newline.
    limit: usize,
    /// The size of a new buffer.
    chunk: usize,
}

impl Decoder {
    /// Makes a decoder for messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Decoder {
        Decoder { buffer: BytesMut::new(), searched: 0, limit, chunk: CHUNK }
    }

    /// Returns the buffer, to append what arrived. It has room for some kilobytes at least.
    pub fn room(&mut self) -> &mut BytesMut {
        let held = self.buffer.len();
        if self.buffer.capacity() - held < LEAST_ROOM {
            // At most a chunk in all, so that the old one is used again when all of its messages are gone. A long
            // message has its room doubled, so that it is moved only a few times.
            self.buffer.reserve(self.chunk.saturating_sub(held).max(LEAST_ROOM).max(held));
        }
        &mut self.buffer
    }

    /// Returns the next message, without its newline; `None` when it is not complete.
    ///
    /// # Errors
    ///
    /// What makes the rest of the stream unreadable. Every later call returns the same error.
    pub fn next_message(&mut self) -> Result<Option<Bytes>, Unreadable> {
        // No JSON begins with a zero, and every frame below 16 MiB does. What follows it may look like a newline.
        match self.buffer[..] {
            [0, _, _, _, tag, version, ..] if V8_HEADERS.contains(&[tag, version]) => return Err(Unreadable::Advanced),
            [0, ref more @ ..] if more.len() < 5 && self.limit >= 5 => return Ok(None),
            _ => {}
        }
        // ANCHOR: split
        match memchr(b'\n', &self.buffer[self.searched..]) {
            Some(found) if self.searched + found <= self.limit => {
                let message = self.buffer.split_to(self.searched + found).freeze();
                self.buffer.advance(1);
                self.searched = 0;
                if message.len() > CHUNK / 4 {
                    self.chunk = LONGEST_CHUNK;
                }
                if message.len() > 2 * LONGEST_CHUNK {
                    // Otherwise short messages would keep the memory of one long message as long as the channel lives.
                    self.buffer = BytesMut::from(&self.buffer[..]);
                }
                Ok(Some(message))
            }
            None if self.buffer.len() <= self.limit => {
                self.searched = self.buffer.len();
                Ok(None)
            }
            _ => Err(Unreadable::TooLong),
        }
        // ANCHOR_END: split
    }

    /// Returns the beginning of a message that is not complete.
    pub fn incomplete(&self) -> &[u8] {
        &self.buffer
    }
}

thread_local! {
    /// Memory for a line. A message is written here before it is queued, so that no code of a value runs under the
    /// queue's lock.
    pub(super) static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Appends the line that carries `value`.
///
/// # Errors
///
/// When `value` cannot be written as JSON, such as a map with lists as keys. Nothing is appended then.
pub fn encode(value: &(impl Serialize + ?Sized), line: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = line.len();
    let written = value.serialize(&mut Serializer::with_formatter(&mut *line, OneLine));
    written.inspect_err(|_| line.truncate(start))?;
    line.push(b'\n');
    Ok(())
}

/// Only a value that brings its own JSON text can contain a newline, between its tokens, where a blank means the same.
struct OneLine;

impl Formatter for OneLine {
    fn write_raw_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(fragment.replace('\n', " ").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// All messages that come out when `stream` is read in pieces of these sizes, over and over.
    fn decode(stream: &[u8], pieces: &[usize], limit: usize) -> Result<Vec<Vec<u8>>, Unreadable> {
        let (mut decoder, mut rest, mut messages) = (Decoder::new(limit), stream, Vec::new());
        for size in pieces.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            decoder.room().extend_from_slice(piece);
            while let Some(message) = decoder.next_message()? {
                messages.push(message.to_vec());
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(decoder.incomplete(), stream.rsplit(|byte| *byte == b'\n').next().unwrap_or_default());
        Ok(messages)
    }

    proptest! {
        #[test]
        fn every_splitting_of_every_stream_arrives_whole_and_in_order(
            texts in prop::collection::vec("\\PC{0,40}", 0..30),
            long in 0usize..200_000,
            pieces in prop::collection::vec(1usize..70_000, 1..20),
        ) {
            let mut stream = Vec::new();
            let long = "x".repeat(long);
            let texts: Vec<&str> = texts.iter().map(String::as_str).chain([&*long, "last"]).collect();
            for text in &texts {
                encode(text, &mut stream).expect("text is JSON");
            }
            stream.extend_from_slice(b"\"half a mess");
            let messages = decode(&stream, &pieces, DEFAULT_MESSAGE_LIMIT).expect("readable");
            let read: Vec<String> =
                messages.iter().map(|message| serde_json::from_slice(message).expect("JSON")).collect();
            prop_assert_eq!(read, texts);
        }

        #[test]
        fn no_bytes_make_it_panic(
            stream: Vec<u8>,
            pieces in prop::collection::vec(1usize..9, 1..5),
            limit in 0usize..40,
        ) {
            let _ = decode(&stream, &pieces, limit);
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_too_long_with_and_without_its_newline() {
        assert_eq!(decode(b"12345\n1234", &[3], 5), Ok(vec![b"12345".to_vec()]));
        assert_eq!(decode(b"123456\n", &[7], 5), Err(Unreadable::TooLong));
        assert_eq!(decode(b"123456", &[1], 5), Err(Unreadable::TooLong));
    }

    #[test]
    fn a_frame_of_the_other_mode_is_recognised() {
        let acknowledgement = b"\0\0\0\x1b\xff\x0fo\"\x03cmd\"\x0fNODE_HANDLE_ACK{\x01";
        assert_eq!(decode(acknowledgement, &[2], 1000), Err(Unreadable::Advanced));
        // A length of ten, which is a newline, wherever the frame is cut.
        let ten = b"\x00\x00\x00\x0a\xff\x0f\x22\x06abcdef";
        for first in 1..ten.len() {
            assert_eq!(decode(ten, &[first, ten.len()], 1000), Err(Unreadable::Advanced), "cut after {first}");
        }
    }

    #[test]
    fn a_newline_between_the_tokens_of_raw_json_does_not_end_the_line() {
        let raw = RawValue::from_string("{\n  \"a\": 1\n}".to_owned()).expect("JSON");
        let mut line = Vec::new();
        encode(&raw, &mut line).expect("JSON");
        assert_eq!(line, b"{   \"a\": 1 }\n");
    }

    #[test]
    fn what_cannot_be_json_leaves_nothing() {
        let mut line = b"before".to_vec();
        let keys_are_lists = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert!(encode(&keys_are_lists, &mut line).is_err());
        assert_eq!(line, b"before");
    }
}
