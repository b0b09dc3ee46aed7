//! A worker with a stand-in for its primary, which says what a primary of Node's would not say.

mod stand_in;

use std::future::{Future, poll_fn};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::task::Poll;

use forklore::ErrorKind;
use forklore::cluster::{Connection, Listen};
use forklore::ipc::Ending;
use harness::TestResult;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use serde_json::{Value, json};
use stand_in::{accepted, listener, pair};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

#[tokio::test]
async fn messages_are_those_of_node_and_a_connection_is_taken_when_it_is_accepted() -> TestResult {
    let (worker, primary) = pair().await;
    let primary_says = async {
        let asked = json!({
            "act": "queryServer", "index": 0, "data": null, "address": "127.0.0.1", "port": 80, "addressType": 4,
            "flags": 0, "backlog": 0, "closed": true, "seq": 1,
        });
        assert_eq!(primary.next().await, asked);
        let sockname = json!({ "address": "127.0.0.1", "family": "IPv4", "port": 8080 });
        primary.say(json!({ "ack": 1, "key": "K", "errno": null, "data": { "k": 1 }, "sockname": sockname }));
        // Not even the task that asked has run, and the connection finds its server.
        let _client = primary.connect("K", 40).await;
        let listening = primary.next().await;
        assert_eq!(
            (&listening["act"], &listening["port"], &listening["seq"]),
            (&json!("listening"), &json!(8080), &json!(2))
        );
    };
    let (listener, ()) = tokio::join!(worker.listen(Listen::tcp("127.0.0.1", 80)), primary_says);
    let listener = listener?;
    assert_eq!((listener.local_addr(), listener.data()), (Some("127.0.0.1:8080".parse()?), Some(r#"{"k":1}"#)));
    worker.send("first").await?;
    assert_eq!(primary.0.recv().await?.ok_or("the end")?.json(), "\"first\"");
    let connection = accepted(&listener).await;
    assert_eq!(primary.next().await, json!({ "ack": 40, "accepted": true, "seq": 3 }));
    drop(connection);
    listener.close().await;
    assert_eq!(primary.next().await, json!({ "act": "close", "key": "K", "seq": 4 }));
    assert!(listener.accept().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn what_nobody_accepts_goes_back() {
    let (worker, primary) = pair().await;
    let listener = listener(&worker, &primary, "K", json!({})).await;
    listener.max_connections(2);
    let mut clients = Vec::new();
    for seq in 10..13 {
        clients.push(primary.connect("K", seq).await);
    }
    assert_eq!(primary.answer().await, (12, false), "there is room for two");
    clients.push(primary.connect("unknown", 13).await);
    assert_eq!(primary.answer().await, (13, false), "there is no such server");
    primary.say(json!({ "act": "newconn", "key": "K", "seq": 14 }));
    assert_eq!(primary.answer().await, (14, false), "there is no connection");
    let connection = accepted(&listener).await;
    assert_eq!(primary.answer().await, (10, true));
    drop(listener);
    assert_eq!(primary.answer().await, (11, false), "the server is closed");
    primary.asked("close").await;
    drop(connection);
}

#[tokio::test]
async fn a_connection_is_not_touched_before_the_answer_is_written() -> TestResult {
    let (worker, primary) = pair().await;
    let listener = listener(&worker, &primary, "K", json!({})).await;
    let mut client = primary.connect("K", 1).await;
    let mut connection = accepted(&listener).await;
    let mut writing = pin!(connection.write_all(b"ours"));
    let at_once = poll_fn(|context| Poll::Ready(writing.as_mut().poll(context).is_ready())).await;
    assert!(!at_once, "the answer was posted, and not written");
    writing.await?;
    drop(connection);
    assert_eq!(primary.answer().await, (1, true));
    let mut text = String::new();
    client.read_to_string(&mut text)?;
    assert_eq!(text, "ours");
    Ok(())
}

#[tokio::test]
async fn servers_on_one_address_have_numbers_that_begin_anew() {
    let (worker, primary) = pair().await;
    let index = async |key: &str| {
        let says = async {
            let query = primary.next().await;
            primary.say(json!({ "ack": query["seq"], "key": key }));
            primary.asked("listening").await;
            query["index"].as_u64()
        };
        let (listener, index) = tokio::join!(worker.listen(Listen::port(80)), says);
        (listener.expect("granted"), index)
    };
    let (first, second) = (index("0").await, index("1").await);
    assert_eq!((first.1, second.1), (Some(0), Some(1)));
    first.0.close().await;
    assert_eq!(primary.next().await["key"], "0");
    let third = index("2").await;
    assert_eq!(third.1, Some(2));
    drop((second, third));
    assert_eq!((primary.next().await["key"].take(), primary.next().await["key"].take()), (json!("1"), json!("2")));
    let again = index("0").await;
    assert_eq!(again.1, Some(0), "all of them had been closed");
    drop(first);
    let _client = primary.connect("0", 9).await;
    accepted(&again.0).await;
    assert_eq!(primary.answer().await, (9, true), "the old server of this key has closed nothing");
}

#[tokio::test]
async fn what_is_granted_to_nobody_is_closed() {
    let (worker, primary) = pair().await;
    let mut asking = Box::pin(worker.listen(Listen::port(80)));
    let seq = tokio::select! {
        _ = &mut asking => None,
        seq = primary.asked("queryServer") => Some(seq),
    };
    drop(asking);
    primary.say(json!({ "ack": seq, "key": "K" }));
    assert_eq!(primary.next().await, json!({ "act": "close", "key": "K", "seq": 2 }));
}

#[tokio::test]
async fn refusals_are_errors() {
    let (worker, primary) = pair().await;
    let unbound = || socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).expect("a socket");
    let says = async |more: Value, handle: Option<OwnedFd>| {
        let mut reply = json!({ "ack": primary.asked("queryServer").await });
        for (name, value) in more.as_object().into_iter().flatten() {
            reply[name] = value.clone();
        }
        match handle {
            Some(handle) => primary.hand(reply, handle).await,
            None => primary.say(reply),
        }
    };
    for (reply, handle, error) in [
        (json!({ "errno": -98, "key": "K" }), None, "address already in use (EADDRINUSE)"),
        (json!({ "errno": 0, "key": "K" }), Some(unbound()), "address already in use (EADDRINUSE)"),
        (json!({ "errno": -13, "key": "K" }), None, "permission denied (EACCES)"),
        (json!({}), None, "the primary's answer has no key"),
    ] {
        let granted = handle.is_some();
        let (listener, ()) = tokio::join!(worker.listen(Listen::tcp("127.0.0.1", 80)), says(reply, handle));
        assert_eq!(listener.expect_err("refused").to_string(), format!("listen on 127.0.0.1:80: {error}"));
        if granted {
            primary.asked("close").await;
        }
    }
}

#[tokio::test]
async fn a_primary_that_wants_to_know_is_told_what_was_closed() {
    let (worker, primary) = pair().await;
    for wanted in [true, false] {
        let listener = listener(&worker, &primary, "K", json!({ "closed": wanted })).await;
        let (_one, _other) = (primary.connect("K", 1).await, primary.connect("K", 2).await);
        let both = (accepted(&listener).await, accepted(&listener).await);
        assert_eq!((primary.answer().await, primary.answer().await), ((1, true), (2, true)));
        drop(both);
        if wanted {
            let closed = primary.next().await;
            assert_eq!((&closed["act"], &closed["key"], &closed["count"]), (&json!("closed"), &json!("K"), &json!(2)));
        }
        drop(listener);
        primary.asked("close").await;
    }
}

#[tokio::test]
async fn the_primary_asks_to_leave() -> TestResult {
    let (worker, primary) = pair().await;
    let listener = listener(&worker, &primary, "K", json!({ "closed": true })).await;
    let _client = primary.connect("K", 1).await;
    let connection = accepted(&listener).await;
    primary.answer().await;
    let mut asking = Box::pin(worker.listen(Listen::port(81)));
    tokio::select! {
        _ = &mut asking => panic!("answered by nobody"),
        _ = primary.asked("queryServer") => {}
    }
    primary.say(json!({ "act": "disconnect" }));
    primary.asked("close").await;
    worker.disconnecting().await;
    assert_eq!(asking.await.expect_err("given up").kind(), &ErrorKind::ChannelClosed);
    let late = worker.listen(Listen::port(81)).await.expect_err("too late");
    assert_eq!(late.to_string(), "listen on *:81: the channel is closed");
    assert!(listener.accept().await?.is_none() && worker.exited_after_disconnect());
    assert!(primary.0.ending().is_none(), "a connection is open");
    drop(connection);
    primary.asked("closed").await;
    worker.disconnected().await;
    assert!(primary.0.recv_internal().await?.is_none(), "nothing more is said");
    assert_eq!(primary.0.closed().await, Ending::PeerClosed);
    Ok(())
}

#[tokio::test]
async fn a_worker_that_leaves_says_so_and_waits_for_the_answer() -> TestResult {
    for kill in [false, true] {
        let (worker, primary) = pair().await;
        let listener = listener(&worker, &primary, "K", json!({})).await;
        let says = async {
            if !kill {
                primary.asked("close").await;
            }
            let seq = primary.asked("exitedAfterDisconnect").await;
            assert!(primary.0.ending().is_none());
            primary.say(json!({ "ack": seq }));
        };
        let leaving = async { if kill { worker.kill().await } else { worker.disconnect().await } };
        tokio::join!(says, leaving);
        assert!(worker.exited_after_disconnect() && listener.accept().await?.is_none());
        primary.0.closed().await;
    }
    Ok(())
}

#[tokio::test]
async fn dropped_or_without_its_primary_a_worker_ends() -> TestResult {
    for dropped in [true, false] {
        let (worker, primary) = pair().await;
        let listener = listener(&worker, &primary, "K", json!({})).await;
        let _client = primary.connect("K", 1).await;
        if dropped {
            drop(worker);
            assert_eq!(primary.answer().await, (1, false));
            primary.asked("close").await;
            primary.0.closed().await;
        } else {
            drop(primary);
            worker.disconnected().await;
            assert!(!worker.exited_after_disconnect());
        }
        assert!(listener.accept().await?.is_none());
    }
    Ok(())
}

/// What hyper asks of a connection.
#[test]
fn a_connection_can_be_anybodys() {
    fn takes<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static>() {}
    takes::<Connection>();
}
