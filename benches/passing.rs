//! Descriptors over a socket, with nothing around them.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::unistd::close;

use crate::order::MessageOrder;
use crate::wire::Wire;

/// Sends one byte and `passed` as often as the order says, if it is for round trips each after the answer to the one before.
///
/// # Errors
///
/// When the other process has ended.
pub fn run(wire: &Wire, order: MessageOrder, passed: BorrowedFd<'_>) -> io::Result<Duration> {
    wire.send(&order.encode())?;
    wire.receive(&mut [0])?;
    let (socket, numbers) = (wire.output().as_raw_fd(), [passed.as_raw_fd()]);
    let start = Instant::now();
    for _ in 0..order.count {
        let rights = [ControlMessage::ScmRights(&numbers)];
        sendmsg::<()>(socket, &[IoSlice::new(&[0])], &rights, MsgFlags::empty(), None)?;
        if order.round_trip {
            wire.receive(&mut [0])?;
        }
    }
    if !order.round_trip {
        wire.receive(&mut [0])?;
    }
    Ok(start.elapsed())
}

/// The other process's part: takes each descriptor and closes it.
///
/// # Errors
///
/// When ours ends in the middle of it.
pub fn serve(wire: &Wire) -> io::Result<()> {
    let mut order = [0; MessageOrder::LENGTH];
    while wire.receive(&mut order).is_ok() {
        let order = MessageOrder::decode(order);
        wire.send(&[0])?;
        let mut control = cmsg_space!([RawFd; 1]);
        for _ in 0..order.count {
            take(wire.output().as_raw_fd(), &mut control)?;
            if order.round_trip {
                wire.send(&[0])?;
            }
        }
        if !order.round_trip {
            wire.send(&[0])?;
        }
    }
    Ok(())
}

fn take(socket: RawFd, control: &mut [u8]) -> io::Result<()> {
    let mut byte = [0];
    let mut room = [IoSliceMut::new(&mut byte)];
    let message = recvmsg::<()>(socket, &mut room, Some(control), MsgFlags::MSG_CMSG_CLOEXEC)?;
    if message.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            for number in numbers {
                close(number)?;
            }
        }
    }
    Ok(())
}
