//! Workers that send without end, and never read what they are answered. They are shell programs: `yes` and `seq` write faster than anything
//! here reads.

use forklore::child_process::{Exit, Signal};
use forklore::cluster::schedule::Policy;
use harness::{Case, TestResult, named};
use serde_json::{Value, json};

use crate::clients::Load;
use crate::kit::WORKER;
use crate::malice::query_with;
use crate::remote::{Remote, Theirs};

/// How far the primary's memory may rise above what it has without a flood, in KiB.
const MEMORY: u64 = 64 * 1024;

/// How many descriptors a flood may cost: 256 listeners, 16 of them on their way twice, and some of the primary's own.
const DESCRIPTORS: usize = 300;

/// How long a worker may leave its messages unread here, in milliseconds.
const STALL_LIMIT: u64 = 1000;

/// Sends a line again and again.
const AGAIN: [&str; 3] = ["sh", "-c", r#"exec yes "$0" >&3"#];

/// Sends a line again and again, each time with another number where it has a `%`.
const COUNTING: [&str; 3] = ["sh", "-c", r#"exec seq -f "$0" 1 99999999 >&3"#];

/// A query for a port of its own each time.
fn new_each_time(others: &Value) -> String {
    query_with(1, others).to_string().replace(r#""index":0"#, r#""index":%.0f"#)
}

/// A primary with an honest worker and a few clients of it, and a worker that floods.
async fn flooded(policy: Policy, how: [&str; 3], line: &str) -> (Remote, Theirs, Load, u64) {
    let mut primary = Remote::wished(policy, &json!({ "stallLimit": STALL_LIMIT })).await;
    let (_, address) = primary.server(&[WORKER, "answer", "127.0.0.1:0"]).await;
    let load = Load::of(4, address);
    load.more(100).await;
    let before = primary.memory("VmRSS");
    let flooding = primary.fork("fork", &[&how[..], &[line]].concat()).await;
    (primary, flooding, load, before)
}

/// The primary ends a worker that floods it and reads nothing, and stays small. Its clients are served all the time.
async fn is_ended(policy: Policy, how: [&str; 3], line: String) {
    let (mut primary, flooding, load, before) = flooded(policy, how, &line).await;
    load.more(100).await;
    let mut descriptors = 0;
    loop {
        descriptors = descriptors.max(primary.descriptors());
        tokio::select! {
            biased;
            _ = primary.sees("stalled", flooding) => break,
            () = load.more(10) => {}
        }
    }
    let killed: Result<Exit, ()> = Ok(Exit::Signal(Signal::SIGKILL));
    assert_eq!(primary.sees("exit", flooding).await["how"], format!("{killed:?}"));
    load.more(100).await;
    load.stop().await;
    let grown = primary.memory("VmHWM").saturating_sub(before);
    assert!(grown <= MEMORY, "it grew by {grown} KiB");
    assert!(descriptors <= DESCRIPTORS, "it had {descriptors} descriptors");
    let told = primary.rest().await;
    assert!(told.iter().all(|what| what == "disconnect"), "{told:?}");
}

/// The floods that a primary ends.
pub(crate) fn cases() -> Vec<Case> {
    let again = |name, line: &str| (name, Policy::RoundRobin, AGAIN, line.to_owned());
    let counting = |name, policy, others: Value| (name, policy, COUNTING, new_each_time(&others));
    let floods = [
        again("counts are asked for", r#"{"cmd":"NODE_SOCKET_GET_COUNT","key":"none"}"#),
        again("the same listener is asked for", &query_with(1, &json!({ "index": 7 })).to_string()),
        counting("new listeners are asked for", Policy::RoundRobin, json!({})),
        counting("new shared listeners are asked for", Policy::Shared, json!({})),
        counting("UDP sockets are asked for", Policy::RoundRobin, json!({ "addressType": "udp4" })),
        again("the same UDP socket is asked for", &query_with(1, &json!({ "addressType": "udp4" })).to_string()),
        again("handles are announced that do not come", r#"{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}"#),
        again("it says that it leaves", r#"{"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":1}"#),
    ];
    let case = |(name, policy, how, line): (&str, _, _, String)| {
        named(&format!("flood: {name}"), move || is_ended(policy, how, line.clone()))
    };
    floods.into_iter().map(case).collect()
}

/// Floods the events of a user that receives none. The worker is not to blame, and is not ended: it waits.
async fn waits_for_a_slow_user(line: &str) -> TestResult {
    let mut primary = Remote::wished(Policy::RoundRobin, &json!({ "stallLimit": STALL_LIMIT })).await;
    let (_, address) = primary.server(&[WORKER, "answer", "127.0.0.1:0"]).await;
    let load = Load::of(4, address);
    load.more(100).await;
    let before = primary.memory("VmRSS");
    primary.tell(&json!("deaf")).await;
    let words = [&AGAIN[..], &[line]].concat();
    primary.tell(&json!({ "fork": words })).await;
    // The primary reads nothing more when `yes` sleeps in a write and is not woken, however long the others are served.
    let (mut last, mut same) = (None, 0);
    while same < 50 {
        load.more(20).await;
        let sleeps = primary.sleeps("yes");
        same = if sleeps.is_some() && sleeps == last { same + 1 } else { 0 };
        last = sleeps;
    }
    let grown = primary.memory("VmHWM").saturating_sub(before);
    assert!(grown <= MEMORY, "it grew by {grown} KiB");
    load.stop().await;
    // The first of what it has kept; the rest goes on without end.
    primary.tell(&json!("hear")).await;
    primary.next("fork").await;
    primary.child.kill(Signal::SIGKILL)?;
    primary.child.exit().await?;
    Ok(())
}

pub(crate) async fn a_slow_user_is_told_that_it_listens() -> TestResult {
    let line = r#"{"cmd":"NODE_CLUSTER","act":"listening","address":null,"port":1,"addressType":4,"seq":1}"#;
    waits_for_a_slow_user(line).await
}

pub(crate) async fn a_slow_user_is_sent_messages() -> TestResult {
    waits_for_a_slow_user(r#"{"a message":"of some length, of which there are many"}"#).await
}

/// A worker that floods and reads, as far as a shell does, is never ended. The others' clients are all served.
pub(crate) async fn one_does_not_starve_the_others() {
    let noise = r#"{"cmd":"NODE_CLUSTER","act":"close","key":"no such listener"}"#;
    let (primary, flooding, load, before) = flooded(Policy::RoundRobin, AGAIN, noise).await;
    load.more(2000).await;
    load.stop().await;
    let grown = primary.memory("VmHWM").saturating_sub(before);
    assert!(grown <= MEMORY, "it grew by {grown} KiB");
    assert!(std::path::Path::new(&format!("/proc/{}", flooding.pid)).exists(), "it was never silent");
    assert_eq!(primary.rest().await, [""; 0]);
}
