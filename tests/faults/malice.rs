//! Workers that say what no worker says.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use forklore::child_process::{Command, Exit, Stdio};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{State, Worker};
use harness::watched::{Watched, round_robin};
use harness::{TestResult, until};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::clients::{all_of, ask, heard, number};
use crate::kit::{IMPOSTOR, rust, say};

/// What a worker asks that wants to listen on any port.
pub(crate) fn query(seq: u64) -> Value {
    json!({
        "cmd": "NODE_CLUSTER", "act": "queryServer", "index": 0, "data": null, "address": "127.0.0.1", "port": 0,
        "addressType": 4, "flags": 0, "backlog": 0, "seq": seq,
    })
}

/// The same with other members.
pub(crate) fn query_with(seq: u64, others: &Value) -> Value {
    let mut query = query(seq);
    for (name, value) in others.as_object().expect("an object") {
        query[name] = value.clone();
    }
    query
}

/// A worker that serves, where, and an impostor that does, too, at the same place.
async fn with_impostor() -> (Watched, Worker, SocketAddr, Worker) {
    let cluster = round_robin();
    let (other, address) = cluster.server(rust("answer")).await;
    let impostor = cluster.start(Command::new(IMPOSTOR));
    let reply = say(&cluster, &impostor, &query(1)).await;
    assert_eq!((&reply["ack"], &reply["sockname"]["port"]), (&json!(1), &json!(address.port())));
    (cluster, other, address, impostor)
}

/// Clients connect, until it is the impostor that is handed a connection; that client, and the number of the message.
async fn handed(cluster: &Watched, impostor: &Worker, address: SocketAddr) -> (TcpStream, u64) {
    let before = impostor.given();
    loop {
        let client = TcpStream::connect(address).await.expect("a connection");
        let all = || cluster.primary.workers().iter().map(|worker| worker.given()).sum::<u64>();
        let given = all();
        until(|| all() > given || impostor.given() > before).await;
        if impostor.given() > before {
            let newconn = cluster.message(impostor).await["heard"].take();
            assert_eq!(newconn["act"], "newconn");
            return (client, newconn["seq"].as_u64().expect("a number"));
        }
        number(&all_of(client).await);
    }
}

/// Answers that are none: they name no question, or are no answers at all.
const NOISE: [&str; 22] = [
    r#"{"cmd":"NODE_CLUSTER"}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":99999,"accepted":true,"seq":1}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":99999,"accepted":false,"seq":1}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":-1,"accepted":true,"seq":-1}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":18446744073709551615,"accepted":true}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":1e400,"accepted":true}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":"0","accepted":"yes"}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":0,"ack":0,"accepted":true}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"dance"}"#,
    r#"{"cmd":"NODE_CLUSTER","act":5,"seq":[]}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"newconn","key":"127.0.0.1:0:4:undefined:0","seq":5}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"disconnect","seq":5}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"close"}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"close","key":"somebody's"}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"close","key":7}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"closed","key":"127.0.0.1:0:4:undefined:0","count":18446744073709551615}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"closed","key":"127.0.0.1:0:4:undefined:0","count":-1}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer"}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":-1,"seq":5}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":1e30,"port":1e30,"seq":5}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","address":{"host":"::"},"flags":-1,"seq":5}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"listening","address":"127.0.0.1","port":"http","addressType":4,"seq":-5}"#,
];

pub(crate) async fn noise_is_ignored() -> TestResult {
    let (cluster, other, address, impostor) = with_impostor().await;
    let deep = format!(r#"{{"cmd":"NODE_CLUSTER","act":"close","key":{}0{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    for noise in NOISE.iter().chain([&&*deep]) {
        let say = RawValue::from_string((*noise).to_owned())?;
        impostor.send(&std::collections::BTreeMap::from([("say", say)])).await?;
    }
    // All of it was heard, and this was answered all the same.
    let reply = say(&cluster, &impostor, &query(7)).await;
    assert_eq!((&reply["ack"], &reply["errno"]), (&json!(7), &Value::Null));
    cluster.kill(&impostor).await;
    assert_eq!(number(&ask(address).await), other.id());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn of_two_answers_the_first_counts() -> TestResult {
    let answer =
        |ack, accepted| json!({ "say": { "cmd": "NODE_CLUSTER", "ack": ack, "accepted": accepted, "seq": 9 } });
    let (cluster, other, address, impostor) = with_impostor().await;
    let (taken, number) = handed(&cluster, &impostor, address).await;
    for accepted in [true, true, false] {
        impostor.send(&answer(number, accepted)).await?;
    }
    let (refused, number) = handed(&cluster, &impostor, address).await;
    for accepted in [false, true, false] {
        impostor.send(&answer(number, accepted)).await?;
    }
    assert_eq!(all_of(refused).await, format!("{}\n", other.id()));
    assert_eq!((impostor.taken(), impostor.unanswered()), (1, 0));
    cluster.kill(&impostor).await;
    // It had been its own, and it kept it until its end.
    assert_eq!(heard(taken).await.0, "");
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_listener_of_another_worker_is_not_closed() -> TestResult {
    let cluster = round_robin();
    let (other, address) = cluster.server(rust("answer")).await;
    let impostor = cluster.start(Command::new(IMPOSTOR));
    let key = "127.0.0.1:0:4:undefined:0";
    impostor.send(&json!({ "say": { "cmd": "NODE_CLUSTER", "act": "close", "key": key, "seq": 1 } })).await?;
    // On another port, so that it is none of those who serve here.
    let reply = say(&cluster, &impostor, &query_with(2, &json!({ "index": 5 }))).await;
    assert_ne!(reply["sockname"]["port"], address.port());
    assert_eq!((cluster.primary.listeners()[0].workers, number(&ask(address).await)), (1, other.id()));
    cluster.kill(&impostor).await;
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_bad_address_is_refused() -> TestResult {
    for policy in [Policy::RoundRobin, Policy::Shared] {
        let cluster = harness::watched::watched(policy);
        let impostor = cluster.start(Command::new(IMPOSTOR));
        let (file, (stream, _other_end)) = (std::fs::File::open("/dev/null")?, UnixStream::pair()?);
        let bad = [
            json!({ "address": "nowhere" }),
            json!({ "address": "" }),
            json!({ "address": "1.2.3.4.5" }),
            json!({ "address": "fe80::1%no-such-interface", "addressType": 6 }),
            json!({ "address": "x".repeat(100_000) }),
            json!({ "address": "nul\0" }),
            json!({ "port": 65_536 }),
            json!({ "port": -5 }),
            json!({ "port": i64::MAX, "index": u64::MAX }),
            json!({ "addressType": "udp6" , "address": "127.0.0.1:80" }),
            json!({ "addressType": -1, "address": format!("/tmp/{}", "x".repeat(200)) }),
            json!({ "addressType": -1, "address": "/no/such/folder/socket" }),
            json!({ "addressType": -1, "address": "/tmp" }),
            json!({ "addressType": -1, "address": "" }),
            json!({ "addressType": -1, "address": null }),
            json!({ "addressType": -1, "address": "/tmp/nul\0/socket" }),
            json!({ "addressType": -1, "address": format!("\0{}", "x".repeat(200)) }),
            json!({ "addressType": null, "address": null, "port": null, "fd": 999_999 }),
            json!({ "addressType": null, "address": null, "port": null, "fd": i64::MAX }),
            json!({ "addressType": null, "address": null, "port": null, "fd": file.as_raw_fd() }),
            json!({ "addressType": null, "address": null, "port": null, "fd": stream.as_raw_fd() }),
            json!({ "addressType": "udp4", "address": null, "port": null, "fd": stream.as_raw_fd() }),
        ];
        for (seq, bad) in (10..).zip(bad) {
            let reply = say(&cluster, &impostor, &query_with(seq, &bad)).await;
            assert_eq!(reply["ack"], seq, "{bad}");
            assert!(reply["errno"].as_i64().is_some_and(|errno| errno < 0), "{policy}: {bad:.300}: {reply}");
        }
        assert_eq!(cluster.primary.listeners(), []);
        // None of its descriptors was announced, which the user is told once.
        cluster.descriptor_refused(&impostor).await;
        // It may be wrong as often as it likes.
        let reply = say(&cluster, &impostor, &query(99)).await;
        assert!(matches!(reply["errno"].as_i64(), None | Some(0)), "{reply}");
        cluster.kill(&impostor).await;
        cluster.end().await;
    }
    Ok(())
}

/// What ends a channel, and no other one.
const GARBAGE: [&str; 5] = [
    "no JSON",
    r#"{"cmd":"NODE_HANDLE_ACK"}"#,
    r#"{"cmd":"NODE_HANDLE_NACK"}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"online""#,
    "\\0\\0\\0\\1\\377\\017",
];

pub(crate) async fn garbage_ends_its_channel_and_no_other() {
    let cluster = round_robin();
    let (other, address) = cluster.server(rust("answer")).await;
    for garbage in GARBAGE {
        // The process goes on: it is a program that knows nothing of a channel.
        let script = r#"printf "$0\n" >&3; exec cat"#;
        let command = Command::new("sh").args(["-c", script, garbage]).stdin(Stdio::Pipe);
        let speaking = cluster.start(command);
        cluster.disconnected(&speaking).await;
        assert_eq!((speaking.state(), speaking.is_connected()), (State::Disconnected, false), "{garbage}");
        assert_eq!(number(&ask(address).await), other.id());
        drop(speaking.with_child(|child| child.stdin.take()));
        assert_eq!(cluster.exit(&speaking).await, Exit::Code(0));
    }
    cluster.end().await;
}
