//! Any bytes, cut anywhere, through the decoder: the same messages come out as if nothing had been cut, and none beyond the limit.
//!
//! An input is a byte for the limit, one for the size of each piece, a newline, and the stream. Such a byte is a number, counted from
//! `0` in ASCII; the limit is its cube, a size its square. The pieces begin again when there are no more of them. A `~` in the stream
//! stands for 20,000 letters, so that a short input reaches the edges of long buffers.

use forklore::ipc::frame::{Decoder, Unreadable};

const STRETCHED: usize = 20_000;
/// What comes after so many letters is not stretched, and what comes after so many pieces not cut.
const LONG_ENOUGH: usize = 1_300_000;
const PIECES_ENOUGH: usize = 1000;

/// Panics if the decoder does something wrong.
pub(crate) fn check(input: &[u8]) {
    let Some((plan, text)) = input.iter().position(|byte| *byte == b'\n').map(|end| input.split_at(end)) else {
        return;
    };
    let Some((limit, sizes)) = plan.split_first() else { return };
    let limit = number(limit).pow(3);
    let stream = stretch(&text[1..]);
    let sizes: Vec<usize> = sizes.iter().map(|size| number(size).pow(2).max(1)).collect();

    let expected = Expected::of(&stream, limit);
    expected.compare(limit, [&stream[..]].into_iter());
    let mut rest = &stream[..];
    let pieces = sizes.iter().cycle().take(PIECES_ENOUGH).chain([&usize::MAX]).map(|size| {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        rest = after;
        piece
    });
    expected.compare(limit, pieces);
}

fn number(byte: &u8) -> usize {
    usize::from(byte.wrapping_sub(b'0'))
}

fn stretch(text: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for byte in text {
        match byte {
            b'~' if stream.len() < LONG_ENOUGH => stream.resize(stream.len() + STRETCHED, b'x'),
            byte => stream.push(*byte),
        }
    }
    stream
}

/// What has to come out, found without a decoder.
struct Expected<'a> {
    messages: Vec<&'a [u8]>,
    end: End<'a>,
}

enum End<'a> {
    Incomplete(&'a [u8]),
    TooLong,
    /// A line that begins with a zero, as none of JSON does: another protocol, or rubbish. How soon it is recognised, and as which of
    /// the two, depends on the pieces.
    Zero,
}

impl<'a> Expected<'a> {
    fn of(stream: &'a [u8], limit: usize) -> Expected<'a> {
        let mut messages = Vec::new();
        let mut rest = stream;
        let end = loop {
            let newline = rest.iter().position(|byte| *byte == b'\n');
            match newline {
                _ if rest.first() == Some(&0) => break End::Zero,
                Some(length) if length <= limit => {
                    messages.push(&rest[..length]);
                    rest = &rest[length + 1..];
                }
                None if rest.len() <= limit => break End::Incomplete(rest),
                _ => break End::TooLong,
            }
        };
        Expected { messages, end }
    }

    fn compare<'b>(&self, limit: usize, pieces: impl Iterator<Item = &'b [u8]>) {
        let mut decoder = Decoder::new(limit);
        let mut messages = self.messages.iter();
        for piece in pieces {
            decoder.room().extend_from_slice(piece);
            loop {
                match decoder.next_message() {
                    Ok(Some(message)) => match messages.next() {
                        Some(expected) => assert_eq!(message, expected),
                        None => return assert!(matches!(self.end, End::Zero) && message.first() == Some(&0)),
                    },
                    Ok(None) => break assert!(decoder.incomplete().len() <= limit),
                    Err(unreadable) => {
                        assert_eq!(messages.next(), None, "{unreadable:?} before its time");
                        match self.end {
                            End::Zero => {}
                            End::TooLong => assert_eq!(unreadable, Unreadable::TooLong),
                            End::Incomplete(rest) => panic!("{unreadable:?} for {rest:?}"),
                        }
                        return assert_eq!(decoder.next_message(), Err(unreadable), "there is no way on");
                    }
                }
            }
        }
        assert_eq!(messages.next(), None, "not all has come out");
        match self.end {
            End::Incomplete(rest) => assert_eq!(decoder.incomplete(), rest),
            End::TooLong => panic!("nobody said that it is too long"),
            End::Zero => {}
        }
    }
}
