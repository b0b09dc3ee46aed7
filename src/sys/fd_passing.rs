//! A Unix socket passes an open file description, not a descriptor number.
//!
//! The project relies on these rules of the kernel (unix(7), and observed):
//!
//! - bytes sent with a descriptor are a buffer of their own; a read may return plain bytes sent before **and** that
//!   buffer, but it ends where the buffer ends, and returns the descriptor with the buffer's first byte;
//! - so a read returns at most one message that carries descriptors, as the last one in it;
//! - a receiver without a free descriptor still gets the bytes; the descriptor is lost, and only `MSG_CTRUNC` says so.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use bytes::BytesMut;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

/// The number of descriptors that one [`receive`] has room for, as in Node. A well-behaved peer sends one at a time.
const ROOM: usize = 64;

/// The result of one [`receive_bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// The number of bytes that were appended; 0 at the end of the stream.
    pub bytes: usize,
    /// Whether descriptors were lost for lack of room, here or in this process's table (`MSG_CTRUNC`).
    pub truncated: bool,
}

/// Sends bytes, with a descriptor on the first byte if one is given. Returns the number of bytes that the kernel
/// accepted. Never blocks and never raises SIGPIPE.
///
/// ```c
/// ssize_t sendmsg(int sockfd, const struct msghdr *msg, MSG_DONTWAIT | MSG_NOSIGNAL);   // sendmsg(2), unix(7)
/// ```
///
/// If the kernel accepted only part of the bytes, the descriptor is sent: send the rest without it.
///
/// # Errors
///
/// `EAGAIN` when the socket is full, `EPIPE` or `ECONNRESET` when the other end is closed, `ETOOMANYREFS` when more
/// descriptors are in flight than this user may have open.
// ANCHOR: send
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], passed: Option<BorrowedFd<'_>>) -> Result<usize, Errno> {
    let numbers: Option<[RawFd; 1]> = passed.map(|fd| [fd.as_raw_fd()]);
    let rights = numbers.as_ref().map(|numbers| ControlMessage::ScmRights(numbers));
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    loop {
        match sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(bytes)], rights.as_slice(), flags, None) {
            Err(Errno::EINTR) => {}
            answer => return answer,
        }
    }
}
// ANCHOR_END: send

/// A buffer for the control message of [`ROOM`] descriptors, aligned like its header.
#[repr(C)]
union Control {
    _header: libc::cmsghdr,
    _bytes: [u8; control_space()],
}

const fn control_space() -> usize {
    // SAFETY: CMSG_SPACE is arithmetic on its argument.
    unsafe { libc::CMSG_SPACE((ROOM * size_of::<RawFd>()) as u32) as usize }
}

/// Receives at most `most` bytes into the spare capacity of `buffer`, and close-on-exec descriptors into `passed`. Never blocks.
///
/// ```c
/// ssize_t recvmsg(int sockfd, struct msghdr *msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);   // recvmsg(2), cmsg(3)
/// ```
///
/// nix's `recvmsg` cannot be used: for a truncated control message it returns an error, and the descriptors that did
/// arrive would stay open for ever, their numbers unknown.
///
/// # Errors
///
/// `EAGAIN` when there is nothing to receive, `ECONNRESET` when the other end was closed with unread bytes.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut BytesMut,
    most: usize,
    passed: &mut impl Extend<OwnedFd>,
) -> Result<Received, Errno> {
    let room = buffer.spare_capacity_mut();
    let mut vector = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len().min(most) };
    let mut control = MaybeUninit::<Control>::uninit();
    // SAFETY: All zeroes is an empty msghdr. (Some platforms pad it, so it cannot be written out by its members.)
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of::<Control>();
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    let taken = loop {
        // SAFETY: The header points to the spare capacity of the buffer and to `control`, which both outlive the call.
        match Errno::result(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) }) {
            Err(Errno::EINTR) => {}
            answer => break answer? as usize,
        }
    };
    let filled = buffer.len() + taken;
    // SAFETY: The kernel has written `taken` bytes behind the old length, within the spare capacity.
    unsafe { buffer.set_len(filled) };

    // SAFETY: The kernel has filled the header; msg_controllen is the length of what it wrote to `control`.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    while !message.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR return null or a whole, aligned header inside `control`.
        let &libc::cmsghdr { cmsg_len, cmsg_level, cmsg_type, .. } = unsafe { &*message };
        // ANCHOR: rights
        if (cmsg_level, cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: Arithmetic on its argument.
            let count = (cmsg_len - unsafe { libc::CMSG_LEN(0) } as usize) / size_of::<RawFd>();
            // SAFETY: The data of a control message follows its header.
            let numbers = unsafe { libc::CMSG_DATA(message) }.cast::<RawFd>();
            passed.extend((0..count).map(|index| {
                // SAFETY: `cmsg_len` counts this number, so it lies within `control`.
                let place = unsafe { numbers.add(index) };
                // SAFETY: The kernel has written it, perhaps unaligned.
                let number = unsafe { place.read_unaligned() };
                // SAFETY: The kernel has just created this descriptor, and nothing else owns it.
                unsafe { OwnedFd::from_raw_fd(number) }
            }));
        }
        // ANCHOR_END: rights
        // SAFETY: `message` is a control message of this header, as above.
        message = unsafe { libc::CMSG_NXTHDR(&raw const header, message) };
    }
    Ok(Received { bytes: taken, truncated: header.msg_flags & libc::MSG_CTRUNC != 0 })
}

/// Sends like the channel, for a test's own end of one: see [`receive_bytes`].
///
/// # Errors
///
/// Those of [`receive_bytes`]; `EPIPE` when the other end is closed, `ETOOMANYREFS` when too many descriptors are in flight.
pub fn send_bytes(socket: BorrowedFd<'_>, bytes: &[u8], passed: Option<BorrowedFd<'_>>) -> io::Result<usize> {
    Ok(send(socket, bytes, passed)?)
}

/// Receives like the channel: bytes into the spare capacity of `buffer`, and close-on-exec descriptors into `passed`.
///
/// # Errors
///
/// `EAGAIN` instead of blocking, `ECONNRESET` when the other end was closed with unread bytes.
pub fn receive_bytes(
    socket: BorrowedFd<'_>,
    buffer: &mut BytesMut,
    passed: &mut impl Extend<OwnedFd>,
) -> io::Result<Received> {
    Ok(receive(socket, buffer, usize::MAX, passed)?)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use nix::fcntl::{FcntlArg, FdFlag, fcntl};

    use super::*;

    #[test]
    fn a_descriptor_comes_with_the_first_byte_of_its_message_and_ends_the_read() {
        let (left, right) = UnixStream::pair().expect("a pair");
        let (passed, _other) = UnixStream::pair().expect("a pair");
        assert_eq!(send(left.as_fd(), b"plain ", None), Ok(6));
        assert_eq!(send(left.as_fd(), b"with it", Some(passed.as_fd())), Ok(7));
        assert_eq!(send(left.as_fd(), b" after", None), Ok(6));
        let (mut buffer, mut descriptors) = (BytesMut::with_capacity(1024), Vec::new());
        let first = receive(right.as_fd(), &mut buffer, usize::MAX, &mut descriptors);
        assert_eq!(first, Ok(Received { bytes: 13, truncated: false }));
        assert_eq!((&buffer[..], descriptors.len()), (&b"plain with it"[..], 1));
        let flags = fcntl(&descriptors[0], FcntlArg::F_GETFD).map(FdFlag::from_bits_retain);
        assert_eq!(flags, Ok(FdFlag::FD_CLOEXEC));
        let second = receive(right.as_fd(), &mut buffer, usize::MAX, &mut descriptors);
        assert_eq!(second, Ok(Received { bytes: 6, truncated: false }));
        assert_eq!(descriptors.len(), 1);
        assert_eq!(receive(right.as_fd(), &mut buffer, usize::MAX, &mut descriptors), Err(Errno::EAGAIN));
        drop(left);
        let end = receive(right.as_fd(), &mut buffer, usize::MAX, &mut descriptors);
        assert_eq!(end, Ok(Received { bytes: 0, truncated: false }));
        assert_eq!(send(right.as_fd(), b"x", None), Err(Errno::EPIPE));
    }
}
