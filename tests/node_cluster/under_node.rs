//! Our worker under a Node primary, with each of its two policies.

use forklore::child_process::{Command, exec_file};
use harness::nodes::node;
use harness::started::RunningProgram;
use harness::{Case, TestResult, marked, named, root};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const WORKER: &str = env!("CARGO_BIN_EXE_test-cluster-worker");

/// Node's names of its policies: the primary accepts, or the workers do.
const POLICIES: [&str; 2] = ["rr", "none"];

fn primary(policy: &str, what: &str) -> Command {
    let script = root().join("tests/node/primary.js");
    marked(Command::new(node()).arg(script).args([WORKER, what]).env("NODE_CLUSTER_SCHED_POLICY", policy))
}

/// What a Node primary says that it has seen.
async fn seen(command: Command) -> Value {
    let said = exec_file(command).await.expect("the primary ends well");
    assert_eq!(String::from_utf8_lossy(&said.stderr), "", "nothing on stderr");
    serde_json::from_slice(&said.stdout).expect("JSON")
}

/// How a worker ends that was asked to: code, signal, `exitedAfterDisconnect`.
fn well() -> Value {
    json!([0, null, true])
}

/// What a Node primary sees in each of its policies.
pub(crate) fn cases_in_both_policies() -> Vec<Case> {
    let cut = json!([0, null, false]);
    let endings = json!({
        "leave": well(), "kill": well(), "disconnect": cut, "cut": cut,
        "fail": [7, null, false], "killed": [null, "SIGKILL", false],
    });
    let taken = "listen on 127.0.0.1:PORT: address already in use (EADDRINUSE)";
    let several = [json!(["127.0.0.1", "127.0.0.1", null, "own"]), json!(4), json!(["1", "1", "1", "1"]), well()];
    let expected = [
        ("1,000 connections leave no descriptor", "thousand", json!([1_000, [0, 0]])),
        ("an open connection delays a disconnect", "drain", json!(["still there?", false, true, well()])),
        ("each ending is what it is in Node", "endings", endings),
        ("a worker that leaves waits for its connection", "leave", json!(["still there?", null, well()])),
        ("a full worker gives connections back", "limited", json!([{ "2": 20 }, well()])),
        ("a UDP socket is shared", "udp", json!(["udp4", true, { "true": 50 }])),
        ("a taken port is an error", "taken", json!([taken, "\"are you there?\"", well()])),
        ("a worker may have several servers", "several", json!(several)),
        ("a host name is resolved in the worker", "named", json!([true, "1", well()])),
        // Node 24 and 26 lost `disconnect`, and with it the callback of `cluster.disconnect`, in a third of the runs.
        ("a busy primary learns of each end before the exit", "busy", json!([50, { "disconnect exit": 100 }])),
    ];
    let case = |(name, what, expected): (_, _, Value)| {
        named(&format!("under Node: {name}"), move || {
            let expected = expected.clone();
            async move {
                for policy in POLICIES {
                    assert_eq!(seen(primary(policy, what)).await, expected, "{policy}");
                }
            }
        })
    };
    expected.into_iter().map(case).collect()
}

pub(crate) async fn the_events_of_a_worker_are_those_of_nodes_own() {
    for policy in POLICIES {
        let said = seen(primary(policy, "events")).await;
        let rest = json!({ "addressType": 4, "address": "127.0.0.1" });
        assert_eq!((&said["same"], &said["rest"]), (&json!(true), &rest), "{policy}");
        assert_eq!((&said["states"], &said["asked"]), (&json!(["listening", true, false]), &json!([true, true])));
        let ends = |id| [json!(["disconnect", id]), json!(["exit", id, 0, null])];
        let events = [vec![json!(["online", 1]), json!(["online", 2])], [ends(1), ends(2)].concat()].concat();
        assert_eq!(said["seen"], json!(events), "{policy}");
    }
}

pub(crate) async fn connections_are_split_evenly() -> TestResult {
    let split = seen(primary("rr", "split")).await;
    assert_eq!(split, json!({ "1": 100, "2": 100, "3": 100, "4": 100 }));
    let split = seen(primary("none", "split")).await;
    let total: u64 = split.as_object().ok_or("no counts")?.values().filter_map(Value::as_u64).sum();
    assert_eq!(total, 400, "{split}");
    Ok(())
}

/// Only where the primary accepts: in the other policy a worker that accepts nothing takes nothing.
pub(crate) async fn what_waits_at_a_stuck_worker_goes_back_when_it_closes() {
    assert_eq!(seen(primary("rr", "stuck")).await, json!([{ "2": 20 }, "closed", "2"]));
}

pub(crate) async fn a_unix_socket_is_shared() -> TestResult {
    for (policy, texts) in [("rr", json!(["1", "2"])), ("none", json!(null))] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("server.sock");
        let said = seen(primary(policy, "unix").arg(&path)).await;
        assert_eq!(said[0], json!({ "addressType": -1, "address": path, "port": -1 }), "{policy}");
        assert!(texts.is_null() || said[1] == texts, "{policy}: {said}");
        assert!(said[1].as_array().is_some_and(|texts| texts.len() == 2), "{policy}: {said}");
    }
    Ok(())
}

pub(crate) async fn a_socket_that_the_primary_was_started_with_is_served() -> TestResult {
    for policy in POLICIES {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port().to_string();
        let command = primary(policy, "fd").arg(port).descriptor(5, listener.into());
        assert_eq!(seen(command).await, json!([5, "1", well()]), "{policy}");
    }
    Ok(())
}

pub(crate) async fn a_worker_of_nodes_serves_beside_ours() -> TestResult {
    let split = seen(primary("rr", "mixed")).await;
    assert_eq!(split, json!({ "1": 10, "node": 10 }));
    let split = seen(primary("none", "mixed")).await;
    let total: u64 = split.as_object().ok_or("no counts")?.values().filter_map(Value::as_u64).sum();
    assert_eq!(total, 20, "{split}");
    Ok(())
}

pub(crate) async fn workers_exit_with_their_primary() {
    for policy in POLICIES {
        let mut command = std::process::Command::new(node());
        command.arg(root().join("tests/node/primary.js")).args([WORKER, "doomed"]);
        let primary = RunningProgram::new({
            command.env("NODE_CLUSTER_SCHED_POLICY", policy);
            command
        });
        primary.wait_for_output("\"both listen\"");
        primary.signal(Signal::SIGKILL);
        assert_eq!(primary.mark.leftovers(), Vec::<String>::new(), "{policy}");
        primary.end();
    }
}

pub(crate) async fn a_worker_may_survive_its_primary() -> TestResult {
    for policy in POLICIES {
        let said = exec_file(primary(policy, "survivor")).await?;
        let lines = String::from_utf8(said.stdout)?;
        assert_eq!(lines, "ended: true, asked: false\n[0,null,false]\n", "{policy}");
    }
    Ok(())
}
