//! What passes through the pipes: written block by block, and compared when it comes back.

use std::sync::LazyLock;

use forklore::child_process::{Readable, Writable};
use kit::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many bytes pass.
pub(crate) const TOTAL: usize = 100 << 20;
/// As much as a pipe holds (pipe(7)).
pub(crate) const BLOCK: usize = 64 * 1024;

/// The stream repeats after so many bytes, a prime: behind a block that is lost, or comes twice, nothing fits any more.
const PERIOD: usize = 251;
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| (0..PERIOD + BLOCK).map(|place| (place % PERIOD) as u8).collect());

/// Up to a block of the stream, from `place` on.
fn bytes_at(place: usize, length: usize) -> &'static [u8] {
    &BYTES[place % PERIOD..][..length]
}

// ANCHOR: flow
pub(crate) async fn pour(mut into: Writable) -> Result<usize> {
    let mut sent = 0;
    while sent < TOTAL {
        into.write_all(bytes_at(sent, BLOCK)).await?;
        sent += BLOCK;
    }
    Ok(sent)
}

/// Reads to the end; returns the number of bytes, and whether they were those of `pour`.
pub(crate) async fn drain(mut from: Readable) -> Result<(usize, bool)> {
    let mut buffer = vec![0; BLOCK];
    let (mut received, mut same) = (0, true);
    loop {
        let count = from.read(&mut buffer).await?;
        same &= buffer[..count] == *bytes_at(received, count);
        received += count;
        if count == 0 {
            return Ok((received, same));
        }
    }
}
// ANCHOR_END: flow
