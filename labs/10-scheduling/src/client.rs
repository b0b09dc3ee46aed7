//! One connection, one answer.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// An answer at once.
    Equal = b'=' as isize,
    /// The same, but the first worker is to take its time.
    OneSlow = b's' as isize,
}

/// The number of the worker that answers, when asked from 127.0.0.`last`: all of 127.0.0.0/8 is this machine.
// ANCHOR: ask
pub(crate) async fn ask(last: u8, server: SocketAddr, ask: Ask) -> io::Result<u32> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
    // Closed by a reset, it is gone at once. Otherwise the kernel keeps a thousand of them for a minute (TIME_WAIT).
    socket.set_zero_linger()?;
    let mut connection = socket.connect(server).await?;
    connection.write_u8(ask as u8).await?;
    connection.read_u32().await
}
// ANCHOR_END: ask
