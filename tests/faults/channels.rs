//! The channels of workers: their settings, why they end, and who ends them.

use forklore::child_process::{Command, Exit, Signal, Stdio};
use forklore::cluster::{Disconnection, Options};
use forklore::ipc::{Ending, Handle, Settings};
use harness::watched::{Watched, round_robin};
use harness::{TestResult, until};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::clients::Clients;
use crate::kit::{PROGRAMS, rust, stop};

fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script]).stdin(Stdio::Pipe)
}

/// Starts it, and ends it when its channel has ended. How the channel has ended.
async fn ending_of(cluster: &Watched, command: Command) -> Disconnection {
    let worker = cluster.start(command);
    let how = cluster.disconnected(&worker).await;
    let same = worker.disconnection().expect("it has ended");
    assert_eq!((how.ending, format!("{:?}", how.error)), (same.ending, format!("{:?}", same.error)));
    drop(worker.with_child(|child| child.stdin.take()));
    cluster.exit(&worker).await;
    how
}

/// The sentence of an error that ended a channel.
fn sentence(how: &Disconnection) -> String {
    assert_eq!(how.ending, Ending::Failed);
    how.error.as_ref().expect("an error").to_string()
}

pub(crate) async fn the_reason_of_the_end_is_reported() -> TestResult {
    let cluster = Watched::new(Options::default().message_limit(1000));
    let said = [
        ("echo no JSON >&3; exec cat", "no JSON"),
        (r#"printf "%02000d\n" 7 >&3; exec cat"#, "a message of more than 1000 bytes"),
        (r#"printf "\0\0\0\1\377\017\n" >&3; exec cat"#, "\"advanced\""),
    ];
    for (script, reason) in said {
        let sentence = sentence(&ending_of(&cluster, shell(script)).await);
        assert!(sentence.contains(reason), "{sentence}");
    }
    // In the middle of a message, and between two.
    for (script, ending) in
        [("printf half >&3; exec 3>&-; exec cat", Ending::CutShort), ("exec 3>&-; exec cat", Ending::PeerClosed)]
    {
        let how = ending_of(&cluster, shell(script)).await;
        assert_eq!((how.ending, how.error.is_none()), (ending, true));
    }
    let killed = cluster.start(shell("exec cat"));
    assert!(killed.disconnection().is_none());
    assert!(killed.kill(Signal::SIGKILL)?);
    let how = cluster.disconnected(&killed).await;
    assert_eq!((how.ending, how.error.is_none()), (Ending::PeerClosed, true));
    assert_eq!(cluster.exit(&killed).await, Exit::Signal(Signal::SIGKILL));
    let (leaving, _) = cluster.server(rust("answer")).await;
    leaving.disconnect();
    let how = cluster.disconnected(&leaving).await;
    assert_eq!((how.ending, how.error.is_none()), (Ending::PeerClosed, true));
    cluster.end().await;
    Ok(())
}

/// A worker's own settings hold unless the options say otherwise.
pub(crate) async fn settings_of_a_channel_are_merged() {
    let long =
        || shell(r#"printf "%02000d\n" 7 >&3; exec cat"#).channel_settings(Settings::default().message_limit(500));
    let limit = |how: Disconnection| sentence(&how).split_whitespace().find_map(|word| word.parse::<u32>().ok());
    let cluster = round_robin();
    assert_eq!(limit(ending_of(&cluster, long()).await), Some(500));
    cluster.end().await;
    let cluster = Watched::new(Options::default().message_limit(1500));
    assert_eq!(limit(ending_of(&cluster, long()).await), Some(1500));
    cluster.end().await;
}

/// Four handles are on their way although the cluster's own window is one.
pub(crate) async fn a_window_of_a_channel_is_kept() -> TestResult {
    let cluster = Watched::new(Options::default().window(1));
    let command = Command::new("sh").args(["-c", "exec cat <&3"]).stdout(Stdio::Pipe);
    let worker = cluster.start(command.channel_settings(Settings::default().window(4)));
    let mut sending = JoinSet::new();
    for _ in 0..4 {
        let (worker, socket) = (worker.clone(), UdpSocket::bind("127.0.0.1:0").await?.into_std()?);
        // None is acknowledged: `cat` only copies.
        sending.spawn(async move { worker.send_handle("take this", Handle::NativeDatagram(socket.into())).await });
    }
    let output = worker.with_child(|child| child.stdout.take()).expect("a pipe");
    let mut lines = BufReader::new(output).lines();
    for _ in 0..4 {
        assert!(lines.next_line().await?.expect("a line").contains("NODE_HANDLE"));
    }
    cluster.kill(&worker).await;
    while let Some(sent) = sending.join_next().await {
        assert!(sent?.is_err());
    }
    cluster.end().await;
    Ok(())
}

/// A stopped worker can do nothing for the end of its channel.
pub(crate) async fn a_channel_is_closed_at_once() {
    let cluster = round_robin();
    let (stopped, address) = cluster.server(rust("answer")).await;
    stop(&stopped).await;
    let crowd = Clients::of(5, address).await;
    until(|| stopped.unanswered() == 1).await;
    stopped.close_channel();
    assert_eq!(cluster.disconnected(&stopped).await.ending, Ending::PeerClosed);
    assert!(!stopped.is_connected() && !stopped.is_dead());
    // Its connection has come back, and is the first of those that wait.
    cluster.waiting(5).await;
    let (other, _) = cluster.server(rust("answer")).await;
    assert_eq!(crowd.workers().await, [other.id(); 5]);
    cluster.kill(&stopped).await;
    cluster.end().await;
}

/// A worker that runs learns it from the end of its channel, and exits.
pub(crate) async fn a_worker_exits_when_its_channel_is_closed() {
    for program in PROGRAMS {
        let cluster = round_robin();
        let (worker, _) = cluster.server(program("answer")).await;
        worker.close_channel();
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        cluster.end().await;
    }
}
