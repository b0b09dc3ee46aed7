//! Text can share the buffer that a read filled, without a copy: the standard library's text types own their memory or
//! borrow it.
#![allow(unsafe_code)]

use std::ops::{Deref, Range};
use std::str::{Utf8Error, from_utf8, from_utf8_unchecked};

use bytes::Bytes;

/// A part of a shared buffer, checked once to be UTF-8.
#[derive(Debug, Clone)]
pub(crate) struct SharedText(Bytes);

impl SharedText {
    /// Checks `bytes`, which must come from a read: a [`Bytes`] with an owner of its own might change later.
    ///
    /// # Errors
    ///
    /// Where the bytes are not UTF-8, with the bytes.
    pub(crate) fn new(bytes: Bytes) -> Result<SharedText, (Utf8Error, Bytes)> {
        match from_utf8(&bytes) {
            Ok(_) => Ok(SharedText(bytes)),
            Err(error) => Err((error, bytes)),
        }
    }

    pub(crate) fn from_static(text: &'static str) -> SharedText {
        SharedText(Bytes::from_static(text.as_bytes()))
    }

    /// Returns a part that shares the same buffer.
    ///
    /// # Panics
    ///
    /// When `range` is not within the text, or cuts a character.
    pub(crate) fn part(&self, range: Range<usize>) -> SharedText {
        SharedText(self.0.slice_ref(self[range].as_bytes()))
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: `new` has checked these bytes, or `part` has cut them out of checked ones at the edges of characters.
        // Bytes that were read never change: a buffer gives out each part once.
        unsafe { from_utf8_unchecked(&self.0) }
    }
}
