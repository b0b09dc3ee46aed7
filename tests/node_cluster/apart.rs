//! A primary in a process of its own: how it ends is what matters, or where it runs. This test program is that process,
//! too.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use forklore::child_process::{Command, Exit, Signal, Stdio};
use forklore::cluster::Options;
use harness::watched::{Watched, watched};
use harness::{TestResult, marked, nodes};
use manifest::programs::NODES;
use serde_json::json;

use crate::kit::{POLICIES, all_of, node};

/// What a process is to be, in its environment.
const ROLE: &str = "FORKLORE_TEST_PRIMARY";

/// Plays the role that this process has, if it has one.
pub(crate) fn role() -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    Some(runtime.block_on(play(&role)).expect("no error"))
}

fn primary(role: &str) -> Command {
    marked(Command::new(std::env::current_exe().expect("a program")).env(ROLE, role).env(NODES, nodes::node()))
}

async fn play(role: &str) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if role == "far away" {
        return serves_a_long_path().await.map(|()| ExitCode::SUCCESS);
    }
    // What they do by themselves is to be seen, if the kernel is not to end them with us.
    let cluster = Watched::new(Options::default().kill_orphans(role == "takes them along"));
    for _ in 0..2 {
        cluster.server(node("worker.js", "speaks")).await;
    }
    println!("{role}");
    match role {
        "panics" => panic!("as it should"),
        "catches" => {
            let caught = std::panic::catch_unwind(|| panic!("as it should"));
            Ok(ExitCode::from(if caught.is_err() { 42 } else { 0 }))
        }
        "returns" => Ok(ExitCode::from(7)),
        _ => std::future::pending().await,
    }
}

/// What it and its workers say until nobody is left to say anything, and how it ended.
async fn outcome(role: &str) -> (Vec<String>, Exit) {
    let stderr = Stdio::Ignore;
    let mut child = primary(role).stdout(Stdio::Pipe).stderr(stderr).spawn().expect("it starts");
    let stdout = child.stdout.take().expect("a pipe");
    let mut lines = Vec::new();
    let mut said = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stdout));
    // Its end is that of the last process which has it.
    while let Some(line) = said.next_line().await.expect("readable") {
        if ["is killed", "takes them along"].contains(&&*line) {
            assert!(child.kill(Signal::SIGKILL).expect("it is there"));
        }
        lines.push(line);
    }
    (lines, child.exit().await.expect("it can be waited for"))
}

/// Checks that both workers exit by themselves when the primary ends like this.
async fn both_exit(role: &str, exit: Exit) {
    let said = [role, "a worker exits with 0", "a worker exits with 0"].map(str::to_owned);
    assert_eq!(outcome(role).await, (said.to_vec(), exit));
}

pub(crate) async fn no_worker_is_left_when_the_primary_panics() {
    both_exit("panics", Exit::Code(101)).await;
}

pub(crate) async fn a_primary_keeps_control_over_a_panic() {
    both_exit("catches", Exit::Code(42)).await;
}

pub(crate) async fn no_worker_is_left_when_the_primary_returns() {
    both_exit("returns", Exit::Code(7)).await;
}

pub(crate) async fn no_worker_is_left_when_the_primary_is_killed() {
    both_exit("is killed", Exit::Signal(Signal::SIGKILL)).await;
}

pub(crate) async fn the_kernel_ends_the_workers_with_their_primary() {
    let (lines, exit) = outcome("takes them along").await;
    // They have no time to say anything, but perhaps they see it first.
    assert_eq!(lines[0], "takes them along");
    assert!(lines[1..].iter().all(|line| line == "a worker exits with 0"), "{lines:?}");
    assert_eq!(exit, Exit::Signal(Signal::SIGKILL));
}

/// A folder whose name alone nearly fills the 107 bytes that an address has room for.
const FAR: &str = "a/folder/with/a/name/that/is/rather/long/but/not/as/long/as/the/whole/of/it";

pub(crate) async fn a_long_path_is_served_by_its_short_name() -> TestResult {
    let folder = tempfile::tempdir()?;
    let deep = folder.path().join("x".repeat(40));
    std::fs::create_dir_all(deep.join(FAR))?;
    let child = primary("far away").cwd(&deep).spawn()?;
    assert_eq!(child.exit().await?, Exit::Code(0));
    assert!(!deep.join(FAR).join("socket").exists());
    Ok(())
}

/// In a current directory from which the path is short enough.
async fn serves_a_long_path() -> TestResult {
    let short: PathBuf = Path::new(FAR).join("socket");
    let long = std::env::current_dir()?.join(&short);
    assert!(short.as_os_str().len() <= 107 && long.as_os_str().len() > 107, "{}", long.display());
    for policy in POLICIES {
        let cluster = watched(policy);
        let options = json!({ "path": "socket" }).to_string();
        let worker = cluster.start(node("server.js", "net").arg(options).cwd(FAR));
        assert_eq!(cluster.listening(&worker).await.to_string(), long.display().to_string());
        let client = tokio::net::UnixStream::connect(&short).await?;
        assert_eq!(all_of(client).await, worker.id().to_string());
        cluster.end().await;
        assert!(!short.exists());
    }
    Ok(())
}
