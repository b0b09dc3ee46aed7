//! Handles, byte by byte; and what a peer may do wrong with them.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};

use forklore::error::ErrorKind;
use forklore::ipc::{Ending, Handle, Settings, Socket};
use harness::TestResult;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use super::peer::{ACK, NACK, handle_line, inode, is_closed, next, pair, socket, with_settings};

#[tokio::test]
async fn a_handle_goes_with_the_first_byte_of_its_line_and_comes_back_at_the_acknowledgement() -> TestResult {
    let (channel, mut peer) = pair();
    let (one, _other) = socket();
    let number = inode(&one);
    let delivery = channel.post_handle(&1, Socket::from(UnixStream::from(one)).with_key("4:null:0"))?;
    channel.post("behind it")?;
    let line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1,\"key\":\"4:null:0\"}\n";
    assert_eq!(peer.line().await, line);
    assert_eq!(peer.handles.iter().map(inode).collect::<Vec<_>>(), [number]);
    assert!(peer.buffer.is_empty());
    peer.send(ACK, None);
    assert_eq!(inode(delivery.await?), number);
    assert_eq!(peer.line().await, "\"behind it\"\n");
    Ok(())
}

#[tokio::test]
async fn every_kind_has_its_name_and_what_belongs_to_it() -> TestResult {
    let (channel, mut peer) = with_settings(Settings::default().window(9));
    let udp4 = UdpSocket::bind("127.0.0.1:0")?;
    let deliveries = [
        channel.post_handle(&0, TcpListener::bind("127.0.0.1:0")?)?,
        channel.post_handle(&0, Handle::of(&udp4)?)?,
        channel.post_handle(&0, Handle::Native(socket().0))?,
        channel.post_handle(&0, Handle::NativeDatagram(udp4.into()))?,
    ];
    for kind in ["net.Server\"", "dgram.Socket\"", "net.Native\"", "dgram.Native\""] {
        let line = peer.line().await;
        assert!(line.contains(kind), "{line}");
        assert_eq!(line.contains("\"dgramType\":\"udp4\""), kind == "dgram.Socket\"");
        peer.send(ACK, None);
    }
    for delivery in deliveries {
        delivery.await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_no_process_can_be_sent_is_refused_by_name() -> TestResult {
    let (channel, peer) = pair();
    let file: OwnedFd = File::open("/proc/self/exe")?.into();
    let null: OwnedFd = File::open("/dev/null")?.into();
    for (fd, name) in
        [(file, "a regular file"), (null, "a device"), (UnixDatagram::unbound()?.into(), "a Unix datagram")]
    {
        let refused = channel.send_handle("take this", Handle::Native(fd)).await.expect_err("cannot be sent");
        assert!(refused.error.to_string().contains(name), "{refused}");
        assert!(refused.handle.is_some());
    }
    let wrong = channel.send_handle("udp", Handle::Server(UdpSocket::bind("127.0.0.1:0")?.into())).await;
    assert!(wrong.is_err_and(|refused| refused.to_string().contains("a UDP socket by the name of net.Server")));
    assert_eq!(channel.disconnect().await, Ending::Disconnected);
    drop(peer);
    Ok(())
}

#[tokio::test]
async fn a_received_handle_is_acknowledged_once_even_when_nobody_receives() -> TestResult {
    let (channel, mut peer) = pair();
    let (one, _other) = socket();
    peer.send(handle_line("net.Socket", "{\"n\":1}"), Some(&one));
    assert_eq!(peer.line().await, ACK);
    // What Node sends after a refusal: the whole message, wrapped once more.
    let inner = handle_line("net.Socket", "2");
    peer.send(handle_line("net.Native", inner.trim_end()), Some(&one));
    assert_eq!(peer.line().await, ACK);
    for body in ["{\"n\":1}", "2"] {
        let message = next(&channel).await;
        assert_eq!(message.json(), body);
        assert_eq!(message.handle.as_ref().map(inode), Some(inode(&one)));
    }
    channel.send("nothing else was sent").await?;
    assert_eq!(peer.line().await, "\"nothing else was sent\"\n");
    Ok(())
}

#[tokio::test]
async fn a_message_without_its_descriptor_is_refused() -> TestResult {
    let (channel, mut peer) = pair();
    peer.send(handle_line("net.Socket", "1"), None);
    assert_eq!(peer.line().await, NACK);
    let (one, other) = socket();
    peer.send(handle_line("net.NoSuchType", "2"), Some(&one));
    assert_eq!(peer.line().await, NACK);
    peer.send(handle_line("dgram.Socket", "3"), Some(&one));
    assert_eq!(peer.line().await, NACK, "a stream is no dgram.Socket");
    peer.send(handle_line("net.Native", "4"), Some(&File::open("/dev/null")?));
    assert_eq!(peer.line().await, NACK);
    drop(one);
    assert!(is_closed(other), "what was refused is closed");
    peer.send("\"the channel goes on\"\n", None);
    assert_eq!(next(&channel).await.decode::<String>()?, "the channel goes on");
    Ok(())
}

#[tokio::test]
async fn a_descriptor_that_no_message_claims_is_closed() {
    let (channel, mut peer) = pair();
    let (one, other) = socket();
    peer.send("\"plain\"\n", Some(&one));
    drop(one);
    assert_eq!(next(&channel).await.json(), "\"plain\"");
    assert!(is_closed(other));
    peer.send(handle_line("net.Socket", "1"), None);
    assert_eq!(peer.line().await, NACK, "a handle does not get what came before");
}

#[tokio::test]
async fn three_descriptors_at_once_do_not_confuse_the_next_handle() -> TestResult {
    let (channel, mut peer) = pair();
    let (ends, others): (Vec<_>, Vec<_>) = (0..3).map(|_| socket()).unzip();
    let numbers: Vec<i32> = ends.iter().map(std::os::fd::AsRawFd::as_raw_fd).collect();
    let line = handle_line("net.Socket", "1");
    let parts = [std::io::IoSlice::new(line.as_bytes())];
    let socket_number = std::os::fd::AsRawFd::as_raw_fd(&peer.socket);
    sendmsg::<()>(socket_number, &parts, &[ControlMessage::ScmRights(&numbers)], MsgFlags::empty(), None)?;
    let first = inode(&ends[0]);
    drop(ends);
    assert_eq!(peer.line().await, ACK);
    assert_eq!(next(&channel).await.handle.as_ref().map(inode), Some(first));
    let closed: Vec<bool> = others.into_iter().map(is_closed).collect();
    assert_eq!(closed, [true, true, true], "the message and its handle are dropped by now, the others were closed");
    let (one, _other) = socket();
    peer.send(handle_line("net.Socket", "2"), Some(&one));
    assert_eq!(next(&channel).await.handle.as_ref().map(inode), Some(inode(&one)));
    Ok(())
}

#[tokio::test]
async fn a_refused_connection_is_sent_four_times_as_it_is_and_then_comes_back() -> TestResult {
    let (channel, mut peer) = pair();
    let (one, _other) = socket();
    let number = inode(&one);
    let delivery = channel.post_handle(&1, UnixStream::from(one))?;
    channel.post("behind it")?;
    for _ in 0..4 {
        assert_eq!(peer.line().await, handle_line("net.Socket", "1"));
        peer.send(NACK, None);
    }
    assert_eq!(peer.handles.iter().map(inode).collect::<Vec<_>>(), [number; 4]);
    let refused = delivery.await.expect_err("refused");
    assert_eq!(refused.error.kind(), &ErrorKind::HandleRefused { times: 4 });
    assert_eq!(refused.handle.as_ref().map(inode), Some(number));
    assert_eq!(peer.line().await, "\"behind it\"\n");

    let delivery = channel.post_handle(&1, Handle::Native(socket().0))?;
    peer.line().await;
    peer.send(NACK, None);
    assert_eq!(delivery.await.expect_err("refused").error.kind(), &ErrorKind::HandleRefused { times: 1 });
    Ok(())
}

#[tokio::test]
async fn acknowledgements_do_not_wait_behind_a_handle() -> TestResult {
    let (channel, mut peer) = pair();
    let delivery = channel.post_handle("ours", Handle::Native(socket().0))?;
    channel.post("waits")?;
    peer.line().await;
    peer.send(handle_line("net.Native", "1"), Some(&socket().0));
    assert_eq!(peer.line().await, ACK);
    peer.send(ACK, None);
    delivery.await?;
    assert_eq!(peer.line().await, "\"waits\"\n");
    Ok(())
}

#[tokio::test]
async fn an_acknowledgement_of_nothing_ends_the_channel() {
    let (channel, peer) = pair();
    peer.send(ACK, None);
    let error = channel.recv().await.expect_err("nothing was sent");
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn more_handles_than_one_may_be_on_their_way() -> TestResult {
    let (channel, mut peer) = with_settings(Settings::default().window(3));
    let send = |number: u32| channel.post_handle(&number, Handle::Native(socket().0));
    let deliveries = [send(0)?, send(1)?, send(2)?, send(3)?];
    channel.post("last")?;
    for number in 0..3 {
        assert_eq!(peer.line().await, handle_line("net.Native", &number.to_string()));
    }
    assert_eq!(peer.handles.len(), 3);
    peer.two_turns(&channel).await;
    assert!(peer.has_nothing_to_read(), "the window is full");
    peer.send(ACK, None);
    assert_eq!(peer.line().await, handle_line("net.Native", "3"));
    peer.send(format!("{ACK}{ACK}{ACK}"), None);
    for delivery in deliveries {
        delivery.await?;
    }
    assert_eq!(peer.line().await, "\"last\"\n");
    Ok(())
}

#[tokio::test]
async fn a_handle_is_used_only_as_what_the_kernel_says_it_is() -> TestResult {
    let kind = |error: forklore::Error| error.kind().clone();
    let wrong = |actual: &str, expected: &str| ErrorKind::WrongHandle {
        actual: actual.to_owned(),
        expected: expected.to_owned(),
    };
    let listener = || Handle::from(std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
    assert!(listener().into_tcp_listener().is_ok());
    let error = listener().into_tcp_stream().expect_err("it listens");
    assert!(
        error.to_string().ends_with("it is a TCP socket that listens, and not a TCP socket as expected"),
        "{error}"
    );
    assert_eq!(kind(error), wrong("a TCP socket that listens", "a TCP socket"));
    let unix = Handle::of(&socket().0)?.into_unix_listener().map_err(kind);
    assert_eq!(unix.err(), Some(wrong("a Unix stream socket", "a Unix stream socket that listens")));
    let pipe = Handle::of(&std::io::pipe()?.0)?.into_udp_socket().map_err(kind);
    assert_eq!(pipe.err(), Some(wrong("a pipe", "a UDP socket")));
    let udp = std::net::UdpSocket::bind("[::1]:0").or_else(|_| std::net::UdpSocket::bind("127.0.0.1:0"))?;
    assert!(Handle::from(udp).into_udp_socket().is_ok());
    Ok(())
}
