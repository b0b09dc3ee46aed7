//! A channel whose peer writes any bytes with any descriptors: nothing panics, every line that speaks of a handle is answered once, and
//! no descriptor stays open.
//!
//! An input is a byte for the settings ([`Plan`]) and packets: what goes with one `sendmsg`, its descriptors first, a letter each
//! (`kit.rs`), and after a "`" its bytes, up to the next "`". A `.` among the letters lets the channel run before the packet is sent.

#[path = "foresight.rs"]
mod foresight;
#[path = "kit.rs"]
mod kit;

use std::fs;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use forklore::ipc::{Channel, Delivery, Ending, Handle, Message, Settings};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use kit::Kit;

const PACKETS: usize = 64;
const SMALL: usize = 100;
const LARGE: usize = 1 << 20;

/// A question whose answer says that all that was sent before has been dealt with.
const QUESTION: &[u8] = b"\n{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":\"all read\"}\n";
const ANSWER: &[u8] = b"{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"all read\",\"count\":0}\n";
const KEY: &[u8] = b"all read";

/// The settings, as the bits of a byte above `0` in ASCII: `0` is none of them, `1` the first, `?` the first four.
#[derive(Debug)]
struct Plan {
    /// Somebody receives.
    receives: bool,
    /// Internal messages are asked for.
    internal: bool,
    /// A message may have few bytes only.
    small: bool,
    /// We send handles, too, so that an acknowledgement can be right.
    sends: bool,
    /// We disconnect first, and not the peer.
    first: bool,
    /// There is room for one more descriptor in this process.
    crowded: bool,
}

impl Plan {
    fn of(byte: u8) -> Plan {
        let bit = |number: u8| byte.wrapping_sub(b'0') & (1 << number) != 0;
        Plan { receives: bit(0), internal: bit(1), small: bit(2), sends: bit(3), first: bit(4), crowded: bit(5) }
    }
}

/// Panics if the channel does something wrong. No other thread may open or close descriptors meanwhile.
pub(crate) fn check(input: &[u8]) {
    thread_local! {
        static STAGE: (Runtime, Kit) =
            (Builder::new_current_thread().enable_all().build().expect("a runtime"), Kit::new());
    }
    let Some((plan, text)) = input.split_first() else { return };
    if text.windows(KEY.len()).any(|part| part == KEY) {
        return;
    }
    let plan = Plan::of(*plan);
    let fields: Vec<&[u8]> = text.split(|byte| *byte == b'`').take(2 * PACKETS).collect();
    let mut packets: Vec<(&[u8], &[u8])> = fields.chunks_exact(2).map(|field| (field[0], field[1])).collect();
    packets.push((
        b"",
        if packets.last().is_some_and(|(_, bytes)| bytes.ends_with(b"\n")) { &QUESTION[1..] } else { QUESTION },
    ));
    STAGE.with(|(runtime, kit)| {
        let before = open_descriptors();
        runtime.block_on(async {
            let time = Duration::from_secs(20);
            tokio::time::timeout(time, play(&plan, kit, &packets, before)).await.expect("the channel comes to its end");
            settle(before).await;
        });
    });
}

async fn play(plan: &Plan, kit: &Kit, packets: &[(&[u8], &[u8])], before: usize) {
    let (ours, peer) = std::os::unix::net::UnixStream::pair().expect("a pair");
    peer.set_nonblocking(true).expect("a flag");
    let mut peer = UnixStream::from_std(peer).expect("a socket");
    let limit = if plan.small { SMALL } else { LARGE };
    let settings = Settings::default().message_limit(limit);
    let settings = if plan.internal { settings.internal_messages() } else { settings };
    let channel = Channel::over(ours, "the fuzzer", settings).expect("a channel");
    let deliveries = if plan.sends { send_some(&channel, kit) } else { Vec::new() };

    let stream: Vec<u8> = packets.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    let foreseen = foresight::foresee(&stream, limit);
    let fails_its_receiver = plan.receives && foreseen.fails_its_receiver;

    let talk = async {
        let heard = {
            let _crowd = plan.crowded.then(Crowd::gather);
            write(&peer, kit, packets).await;
            if plan.sends { overhear(&peer).await } else { hear(&mut peer).await }
        };
        let all_read = heard.ends_with(ANSWER);
        if all_read && plan.receives && !plan.sends && !fails_its_receiver {
            settle(before + 2).await; // the two ends of the channel
        }
        if plan.first && !plan.sends {
            channel.disconnect().await;
        }
        drop(peer);
        channel.closed().await;
        (heard, all_read)
    };
    let ((heard, all_read), (handles, errors), (internal_handles, _)) =
        tokio::join!(talk, receive(plan.receives, &channel, false), receive(plan.receives, &channel, true));

    let ending = channel.ending().expect("it has ended");
    let lines: Vec<&[u8]> = heard.split(|byte| *byte == b'\n').collect();
    let count = |wanted: &[u8]| lines.iter().filter(|line| **line == wanted).count();
    let acknowledged = count(b"{\"cmd\":\"NODE_HANDLE_ACK\"}");
    let answered = acknowledged + count(b"{\"cmd\":\"NODE_HANDLE_NACK\"}");
    assert!(answered <= foreseen.handles || plan.sends, "{answered} answers for {} handles", foreseen.handles);
    if fails_its_receiver && !plan.sends {
        // When it is noticed, more may have been read or not.
        assert_eq!(errors, 1, "it ended with {ending:?}");
        return;
    }
    if !plan.sends {
        assert_eq!(all_read, !foreseen.fails, "it ended with {ending:?}");
        assert_eq!(ending == Ending::Failed, foreseen.fails, "it ended with {ending:?}");
    }
    if all_read && !plan.sends {
        assert_eq!(answered, foreseen.handles, "answers and handles");
        assert_ne!(ending, Ending::CutShort);
        if plan.receives && plan.internal {
            assert_eq!(handles + internal_handles, acknowledged, "what is acknowledged is delivered");
        }
    }
    for delivery in deliveries {
        let _ = delivery.await;
    }
}

/// Two handles on their way to the peer: a connection, which is sent again if it is refused, and a server, which is not.
fn send_some(channel: &Channel, kit: &Kit) -> Vec<Delivery> {
    let handles = [Handle::of(&kit.connection), Handle::of(&kit.listener)];
    let sent = handles.into_iter().map(|handle| channel.post_handle("one", handle.expect("a handle")));
    sent.map(|delivery| delivery.expect("it can be sent")).collect()
}

/// Receives and uses until the end; gives how many handles and errors came.
async fn receive(wanted: bool, channel: &Channel, internal: bool) -> (usize, usize) {
    let (mut handles, mut errors) = (0, 0);
    if !wanted {
        return (handles, errors);
    }
    loop {
        let message = if internal { channel.recv_internal().await } else { channel.recv().await };
        match message {
            Ok(Some(message)) => handles += usize::from(used(message)),
            Ok(None) => return (handles, errors),
            // Once, and then there is nothing.
            Err(_) => errors += 1,
        }
    }
}

/// Whether it came with a handle.
fn used(mut message: Message) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(message.json()).expect("what is received is JSON");
    let Some(handle) = message.handle.take() else { return false };
    let flags = fcntl(handle.as_fd(), FcntlArg::F_GETFD).map(FdFlag::from_bits_retain).expect("it is open");
    assert!(flags.contains(FdFlag::FD_CLOEXEC), "close-on-exec from the beginning");
    let flags = fcntl(handle.as_fd(), FcntlArg::F_GETFL).map(OFlag::from_bits_retain).expect("it is open");
    assert!(flags.contains(OFlag::O_NONBLOCK), "no handle makes its receiver wait");
    match handle {
        Handle::Socket(socket) => drop(socket.into_stream()),
        other => drop(OwnedFd::from(other)),
    }
    true
}

/// Sends the packets, until nobody takes them any more.
async fn write(peer: &UnixStream, kit: &Kit, packets: &[(&[u8], &[u8])]) {
    for (letters, bytes) in packets {
        let mut made = Vec::new();
        let (pauses, kinds): (Vec<u8>, Vec<u8>) = letters.iter().partition(|letter| **letter == b'.');
        if !pauses.is_empty() {
            breathe().await;
        }
        let mut numbers: Vec<RawFd> = kinds.iter().take(3).map(|kind| kit.find(*kind, &mut made)).collect();
        let mut rest = *bytes;
        while !rest.is_empty() {
            let rights = [ControlMessage::ScmRights(&numbers)];
            let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
            let sent = peer.async_io(Interest::WRITABLE, || {
                let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
                sendmsg::<()>(peer.as_raw_fd(), &[IoSlice::new(rest)], rights, flags, None).map_err(io::Error::from)
            });
            match sent.await {
                Ok(sent) => rest = &rest[sent..],
                // In a crowd the kernel counts what is on its way, too.
                Err(error) if error.raw_os_error() == Some(Errno::ETOOMANYREFS as i32) => {}
                Err(_) => return,
            }
            numbers.clear();
        }
    }
}

/// Reads up to the answer to our question, or to the end.
async fn hear(peer: &mut UnixStream) -> Vec<u8> {
    let mut heard = Vec::new();
    while !heard.ends_with(ANSWER) {
        if !matches!(peer.read_buf(&mut heard).await, Ok(1..)) {
            break;
        }
    }
    heard
}

/// Reads what comes soon. Our question is of no use where the channel waits for acknowledgements: its answer waits, too.
async fn overhear(peer: &UnixStream) -> Vec<u8> {
    let mut heard = Vec::new();
    for _ in 0..4 {
        breathe().await;
        while let Ok(1..) = peer.try_read_buf(&mut heard) {}
    }
    heard
}

/// Lets the other tasks run.
async fn breathe() {
    for _ in 0..4 {
        yield_now().await;
    }
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("/proc").count()
}

/// Waits until as many descriptors are open as have to be, for as long as that can take.
async fn settle(expected: usize) {
    for _ in 0..16 {
        if open_descriptors() == expected {
            return;
        }
        breathe().await;
    }
    let links = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    let open: Vec<_> = links.map(|link| (link.file_name(), fs::read_link(link.path()).unwrap_or_default())).collect();
    panic!("{expected} descriptors should be open, and not {open:?}");
}

/// There is room for one more descriptor in this process, as long as this lives.
struct Crowd {
    before: (u64, u64),
    /// What fills the gaps: how many a process has below its highest number depends on who started it.
    _fillers: Vec<OwnedFd>,
}

impl Crowd {
    fn gather() -> Crowd {
        let before = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        let numbers = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
        let highest = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok()).max();
        setrlimit(Resource::RLIMIT_NOFILE, highest.unwrap_or_default() + 1, before.1).expect("less is always allowed");
        let mut fillers: Vec<OwnedFd> = std::iter::from_fn(|| io::stderr().as_fd().try_clone_to_owned().ok()).collect();
        fillers.pop();
        Crowd { before, _fillers: fillers }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let (soft, hard) = self.before;
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("as it was");
    }
}
