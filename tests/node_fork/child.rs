//! A Node child under our parent: messages, and the life of the channel.

use std::io::Write;

use forklore::child_process::{Event, Exit, Signal, Stdio};
use forklore::ipc::Ending;
use harness::TestResult;
use serde_json::json;

use crate::kit::{connection, end, fork, next, script, text};

pub(crate) async fn values_and_handles_come_back() -> TestResult {
    let (child, channel) = fork("echo");
    for value in [json!("wörld\n"), json!(null), json!([1.5, {"a": [true]}]), json!("é".repeat(400_000))] {
        channel.send(&value).await?;
        assert_eq!(next(&channel).await, value);
    }
    let (socket, client) = connection();
    channel.send_handle("a socket", socket).await?;
    let message = channel.recv().await?.ok_or("the end")?;
    let mut socket = message.handle.ok_or("no handle")?.into_tcp_stream()?;
    socket.write_all(b"there and back")?;
    drop(socket);
    assert_eq!(end(child, channel).await, Exit::Code(0));
    assert_eq!(text(client).await, "there and back");
    Ok(())
}

pub(crate) async fn a_hundred_thousand_messages_to_node() -> TestResult {
    let (child, channel) = fork("count");
    for number in 0..100_000 {
        channel.send(&number).await?;
    }
    channel.send("how many?").await?;
    assert_eq!(next(&channel).await, 100_000);
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn a_hundred_thousand_messages_from_node() -> TestResult {
    let (mut child, channel) = fork("numbers");
    channel.send("go").await?;
    for number in 0..100_000 {
        let message = channel.recv().await?.ok_or("the end")?;
        assert_eq!(message.decode::<u32>()?, number);
    }
    assert!(channel.recv().await?.is_none());
    assert_eq!((channel.closed().await, child.close().await?), (Ending::PeerClosed, Exit::Code(0)));
    Ok(())
}

pub(crate) async fn only_a_name_that_goes_on_after_node_is_internal() -> TestResult {
    let (child, channel) = fork("internal");
    for cmd in ["NODE_X", "NODE_", "node_x", "end"] {
        channel.send(&json!({ "cmd": cmd })).await?;
    }
    let seen = json!(["internal NODE_X", "user NODE_", "user node_x", "user end"]);
    assert_eq!(next(&channel).await, seen);
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn a_throw_in_a_handler_loses_no_message() -> TestResult {
    let (child, channel) = fork("throwing");
    for number in 0..4 {
        channel.post(&number)?;
    }
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(next(&channel).await.to_string());
    }
    answers.sort();
    assert_eq!(answers, ["\"caught one\"", "0", "2", "3"]);
    assert_eq!(end(child, channel).await, Exit::Code(0));
    Ok(())
}

pub(crate) async fn a_listener_keeps_the_child_alive_until_we_disconnect() {
    let (child, channel) = fork("listener");
    assert_eq!(next(&channel).await, "up");
    assert!(channel.is_connected());
    assert_eq!(end(child, channel).await, Exit::Code(7));
}

pub(crate) async fn a_child_that_does_not_listen_ends_by_itself() -> TestResult {
    let (mut child, channel) = fork("deaf");
    assert_eq!(next(&channel).await, "fd 3, undefined");
    assert_eq!(child.exit().await?, Exit::Code(0));
    assert_eq!(channel.closed().await, Ending::PeerClosed);
    assert_eq!(child.close().await?, Exit::Code(0));
    Ok(())
}

pub(crate) async fn what_a_child_sent_before_it_was_killed_arrives() -> TestResult {
    let (mut child, channel) = fork("dying");
    let mut events = Vec::new();
    while let Some(event) = child.next_event().await? {
        events.push(event);
    }
    let exit = Exit::Signal(Signal::SIGKILL);
    assert_eq!(events, [Event::Spawn, Event::Exit(exit), Event::Close(exit)]);
    for number in 0..100 {
        assert_eq!(next(&channel).await, number);
    }
    assert!(channel.recv().await?.is_none());
    assert_eq!(channel.ending(), Some(Ending::PeerClosed));
    Ok(())
}

pub(crate) async fn the_channel_can_be_at_any_descriptor() -> TestResult {
    for number in [0, 1, 7] {
        let source = "process.send([process.channel.fd, process.env.NODE_CHANNEL_FD ?? 'gone'])";
        let command = script(source).env("NODE_CHANNEL_FD", "77");
        let (mut child, channel) = command.descriptor(number, Stdio::Ipc).fork()?;
        assert_eq!(next(&channel).await, json!([number, "gone"]));
        assert_eq!(child.close().await?, Exit::Code(0));
    }
    Ok(())
}

pub(crate) async fn a_child_can_hold_a_pipe_besides_the_channel() -> TestResult {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let source =
        "const s = new (require('net').Socket)({ fd: 4 }); s.on('data', (d) => s.end(`${d}!`)); process.send('up')";
    let command = script(source).descriptor(4, Stdio::Pipe);
    let (mut child, channel) = command.fork()?;
    assert_eq!(next(&channel).await, "up");
    let mut pipe = child.take_pipe(4).ok_or("no pipe")?;
    pipe.write_all(b"through the pipe").await?;
    let mut text = String::new();
    pipe.read_to_string(&mut text).await?;
    assert_eq!(text, "through the pipe!");
    drop(pipe);
    assert_eq!(child.close().await?, Exit::Code(0));
    Ok(())
}

pub(crate) async fn a_send_calls_back_when_it_is_written() {
    let (child, channel) = fork("callback");
    assert_eq!(next(&channel).await, "first");
    assert_eq!(next(&channel).await, "called back with null");
    end(child, channel).await;
}
