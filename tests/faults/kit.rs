//! What every trial here starts from.

use forklore::child_process::{Command, Signal};
use forklore::cluster::Worker;
use harness::watched::Watched;
use harness::{process, root, until};
use serde_json::{Value, json};

pub(crate) const WORKER: &str = env!("CARGO_BIN_EXE_test-cluster-worker");
pub(crate) const IMPOSTOR: &str = env!("CARGO_BIN_EXE_test-cluster-impostor");

/// Both kinds of worker, by what they do.
pub(crate) const PROGRAMS: [fn(&str) -> Command; 2] = [rust, node];

pub(crate) fn rust(what: &str) -> Command {
    Command::new(WORKER).args([what, "127.0.0.1:0"])
}

pub(crate) fn node(what: &str) -> Command {
    let [node, script, what] = faulty(what);
    Command::new(node).args([script, what])
}

/// The words of a worker's command in Node.
pub(crate) fn faulty(what: &str) -> [String; 3] {
    let node = harness::find("node").expect("node").display().to_string();
    [node, root().join("tests/node/faulty.js").display().to_string(), what.to_owned()]
}

/// Stops a worker, and waits until it has stopped: it may be running on another processor at this moment.
pub(crate) async fn stop(worker: &Worker) {
    assert!(worker.kill(Signal::SIGSTOP).expect("it may"));
    until(|| process::state(worker.pid()) == Some('T')).await;
}

/// Has an impostor say something to its primary, and returns what the primary answers.
pub(crate) async fn say(cluster: &Watched, impostor: &Worker, what: &Value) -> Value {
    impostor.send(&json!({ "say": what })).await.expect("sent");
    cluster.message(impostor).await["heard"].take()
}
