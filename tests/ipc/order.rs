//! Whatever is sent, and however it is cut: it arrives whole, in order, with the right handle.

use std::future::Future;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use forklore::ipc::{Channel, Handle, Settings};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use proptest::prelude::*;

use super::peer::{ACK, handle_line, inode, next, socket};

#[derive(Debug, Clone)]
enum Item {
    Text(String),
    /// A handle whose message has this many bytes.
    Handle(usize),
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let item = prop_oneof!["\\PC{0,30}".prop_map(Item::Text), (0usize..40_000).prop_map(Item::Handle)];
    prop::collection::vec(item, 1..25)
}

/// Receives `count` messages: the text of those without a handle, the inodes announced and received of those with one.
async fn collect(channel: Channel, count: usize) -> Vec<Result<String, (u64, u64)>> {
    let mut received = Vec::new();
    for _ in 0..count {
        let message = next(&channel).await;
        received.push(match &message.handle {
            None => Ok(message.decode().expect("text")),
            Some(handle) => Err((message.decode::<(u64, String)>().expect("an inode").0, inode(handle))),
        });
    }
    received
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

fn expect_items(items: &[Item], received: &[Result<String, (u64, u64)>]) {
    for (item, received) in items.iter().zip(received) {
        match (item, received) {
            (Item::Text(sent), Ok(text)) => assert_eq!(sent, text),
            (Item::Handle(_), Err((announced, got))) => assert_eq!(announced, got, "the wrong handle"),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_splitting_of_messages_and_handles_arrives_whole_with_the_right_handle(
        items in items(),
        pieces in prop::collection::vec(1usize..20_000, 1..12),
    ) {
        let sent = items.clone();
        run(async move {
            let (ours, theirs) = UnixStream::pair().expect("a pair");
            let channel = Channel::over(ours, "the peer", Settings::default()).expect("a channel");
            let sender = std::thread::spawn(move || write_in_pieces(theirs, &sent, &pieces));
            expect_items(&items, &collect(channel.clone(), items.len()).await);
            channel.disconnect().await;
            sender.join().expect("no panic");
        });
    }

    #[test]
    fn two_channels_keep_the_order_at_any_window(items in items(), window in 1usize..6) {
        run(async move {
            let (ours, theirs) = UnixStream::pair().expect("a pair");
            let sender = Channel::over(ours, "the receiver", Settings::default().window(window)).expect("a channel");
            let receiver = Channel::over(theirs, "the sender", Settings::default()).expect("a channel");
            let received = tokio::spawn(collect(receiver, items.len()));
            let mut deliveries = Vec::new();
            for item in &items {
                match item {
                    Item::Text(text) => sender.send(text).await.expect("sent"),
                    Item::Handle(length) => {
                        let fd = socket().0;
                        let message = (inode(&fd), "x".repeat(*length));
                        deliveries.push(sender.post_handle(&message, Handle::Native(fd)).expect("sent"));
                    }
                }
            }
            expect_items(&items, &received.await.expect("no panic"));
            for delivery in deliveries {
                delivery.await.expect("acknowledged");
            }
        });
    }
}

/// What a peer sends that cuts its lines anywhere; each descriptor goes with the first byte of its line. It reads the answers.
fn write_in_pieces(socket: UnixStream, items: &[Item], pieces: &[usize]) {
    let mut sizes = pieces.iter().cycle().copied();
    let mut reader = socket.try_clone().expect("a socket");
    let answers = std::thread::spawn(move || {
        let mut answers = Vec::new();
        let _ = reader.read_to_end(&mut answers);
        answers
    });
    for item in items {
        let (line, fd) = match item {
            Item::Text(text) => (serde_json::to_string(text).expect("JSON") + "\n", None),
            Item::Handle(length) => {
                let fd = super::peer::socket().0;
                let message = serde_json::to_string(&(inode(&fd), "x".repeat(*length))).expect("JSON");
                (handle_line("net.Native", &message), Some(fd))
            }
        };
        let (mut rest, mut fd) = (line.as_bytes(), fd);
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(1).min(rest.len());
            match fd.take() {
                None => (&socket).write_all(&rest[..size]).expect("the receiver reads"),
                Some(fd) => {
                    let number = [fd.as_raw_fd()];
                    let rights = [ControlMessage::ScmRights(&number)];
                    let part = [std::io::IoSlice::new(&rest[..size])];
                    let this = socket.as_raw_fd();
                    let sent = sendmsg::<()>(this, &part, &rights, MsgFlags::empty(), None);
                    assert_eq!(sent, Ok(size));
                }
            }
            rest = &rest[size..];
        }
    }
    let handles = items.iter().filter(|item| matches!(item, Item::Handle(_))).count();
    assert_eq!(String::from_utf8_lossy(&answers.join().expect("no panic")), ACK.repeat(handles));
}
