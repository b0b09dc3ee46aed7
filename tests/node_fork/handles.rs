//! A Node child under our parent: handles.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use forklore::child_process::Exit;
use forklore::ipc::{Handle, Settings, Socket};
use harness::TestResult;
use tokio::io::AsyncReadExt;

use crate::kit::{connection, end, fork, loopback, next, node, script, text};

pub(crate) async fn a_thousand_handles_from_node() -> TestResult {
    let (child, channel) = fork("connections");
    let listener = loopback();
    channel.send(&listener.local_addr()?.port()).await?;
    for number in 0..1_000 {
        let message = channel.recv().await?.ok_or("the end")?;
        let (sent, port): (u32, u16) = message.decode()?;
        let stream = message.handle.ok_or("no handle")?.into_tcp_stream()?;
        assert_eq!((sent, port), (number, stream.local_addr()?.port()));
        listener.accept()?;
    }
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn a_thousand_handles_to_node_and_back(window: usize) -> TestResult {
    let (child, channel) = node("echo").channel_settings(Settings::default().window(window)).fork()?;
    let listener = loopback();
    let mut deliveries = Vec::new();
    let mut clients = Vec::new();
    for number in 0..1_000 {
        let client = TcpStream::connect(listener.local_addr()?)?;
        let port = client.local_addr()?.port();
        deliveries.push(channel.post_handle(&(number, port), listener.accept()?.0)?);
        clients.push(client);
        if number % 100 != 99 {
            continue;
        }
        // The limit on open descriptors may be low: a hundred at a time.
        for delivery in deliveries.drain(..) {
            delivery.await?;
        }
        for expected in number - 99..=number {
            let message = channel.recv().await?.ok_or("the end")?;
            let (sent, port): (u32, u16) = message.decode()?;
            let stream = message.handle.ok_or("no handle")?.into_tcp_stream()?;
            assert_eq!((sent, port), (expected, stream.peer_addr()?.port()), "the wrong handle");
        }
        clients.clear();
    }
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn a_thousand_handles_one_at_a_time() -> TestResult {
    a_thousand_handles_to_node_and_back(1).await
}

pub(crate) async fn a_thousand_handles_thirty_at_a_time() -> TestResult {
    a_thousand_handles_to_node_and_back(30).await
}

pub(crate) async fn a_socket_passed_is_used_and_ended_by_node() -> TestResult {
    let (child, channel) = fork("socket");
    let (socket, client) = connection();
    drop(channel.send_handle("hello", socket).await?);
    assert_eq!(text(client).await, "hello from node");
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn both_write_to_a_socket_that_is_kept_open() -> TestResult {
    let (child, channel) = fork("share");
    let (socket, mut client) = connection();
    let mut kept = channel.send_handle("hello", socket).await?.into_tcp_stream()?;
    kept.write_all(b"from us!!")?;
    let read = tokio::task::spawn_blocking(move || {
        let mut both = [0; 18];
        client.read_exact(&mut both).map(|()| String::from_utf8_lossy(&both).into_owned())
    });
    let both = read.await??;
    assert!(both == "from us!!from node" || both == "from nodefrom us!!", "{both}");
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn node_answers_on_our_server_and_so_do_we() -> TestResult {
    let (child, channel) = fork("server");
    let listener = loopback();
    channel.send_handle("take", Handle::of(&listener)?).await?;
    assert_eq!(next(&channel).await, "listening");
    // Only node accepts at this moment: our runtime does nothing with the listener.
    assert_eq!(text(TcpStream::connect(listener.local_addr()?)?).await, "from node");
    assert_eq!(end(child, channel).await, Exit::Code(0));
    let client = TcpStream::connect(listener.local_addr()?)?;
    listener.set_nonblocking(false)?;
    listener.accept()?.0.write_all(b"from us")?;
    assert_eq!(text(client).await, "from us");
    Ok(())
}

pub(crate) async fn a_udp_socket_receives_in_node() -> TestResult {
    let (child, channel) = fork("udp");
    let (ours, client) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    let address = ours.local_addr()?;
    channel.send_handle("take", ours).await?;
    assert_eq!(next(&channel).await, "Socket");
    client.send_to(b"ping", address)?;
    let answer = tokio::task::spawn_blocking(move || {
        let mut buffer = [0; 64];
        client.recv(&mut buffer).map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())
    });
    assert_eq!(answer.await??, "ping, says node");
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn node_counts_the_sockets_that_it_was_passed() -> TestResult {
    let (child, channel) = fork("keep");
    let mut clients = Vec::new();
    for number in 1..=3 {
        let (socket, client) = connection();
        channel.send_handle("keep", Socket::from(socket).with_key("4:null:0")).await?;
        assert_eq!(next(&channel).await, number);
        clients.push(client);
    }
    assert_eq!(channel.open_sockets("4:null:0").await?, 3);
    for left in [2, 1, 0] {
        channel.send("close one").await?;
        assert_eq!(next(&channel).await, left);
    }
    channel.all_closed("4:null:0").await?;
    assert_eq!(channel.open_sockets("4:null:0").await?, 0);
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn eighty_children_each_pass_a_socket_back() -> TestResult {
    let listener = loopback();
    let source = "process.once('message', (p) => { const s = require('net').connect(p, '127.0.0.1', () => process.send(p, s)); })";
    let port = listener.local_addr()?.port();
    // Ten at a time: two processors have better things to do than start eighty programs at once.
    for _ in 0..8 {
        let mut children = Vec::new();
        for _ in 0..10 {
            let (child, channel) = script(source).fork()?;
            channel.send(&port).await?;
            children.push((child, channel));
        }
        for (mut child, channel) in children {
            let message = channel.recv().await?.ok_or("the end")?;
            let stream = message.handle.ok_or("no handle")?.into_tcp_stream()?;
            assert_eq!(stream.peer_addr()?.port(), port);
            assert_eq!(child.close().await?, Exit::Code(0));
        }
    }
    Ok(())
}

pub(crate) async fn a_socket_from_node_is_read_here() -> TestResult {
    let (child, channel) = fork("gives");
    let handle = channel.recv().await?.and_then(|mut message| message.handle.take()).ok_or("no handle")?;
    let mut text = String::new();
    tokio::net::TcpStream::from_std(handle.into_tcp_stream()?)?.read_to_string(&mut text).await?;
    assert_eq!(text, "from node");
    end(child, channel).await;
    Ok(())
}
