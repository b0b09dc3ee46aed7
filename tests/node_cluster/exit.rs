//! How workers end that are not asked to, and what keeps them alive.

use forklore::child_process::{Exit, Signal};
use harness::TestResult;
use harness::watched::{IDLE_LIFE, WHOLE_LIFE, round_robin, watched};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::kit::{POLICIES, ask, node};

pub(crate) async fn a_worker_that_exits_at_once_has_its_code() {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "exits"));
    assert_eq!(cluster.exit(&worker).await, Exit::Code(42));
    assert!(!worker.exited_after_disconnect() && worker.is_dead() && !worker.is_connected());
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
}

pub(crate) async fn a_worker_that_exits_while_it_listens_does_so_once() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (worker, _) = cluster.server(node("worker.js", "exitsLater")).await;
        worker.send(&42).await?;
        assert_eq!(cluster.exit(&worker).await, Exit::Code(42));
        assert!(!worker.exited_after_disconnect());
        // In the callback itself Node has not told us of it yet.
        let early = cluster.start(node("worker.js", "exitsListening"));
        assert_eq!(cluster.exit(&early).await, Exit::Code(42));
        let life = cluster.end().await;
        assert_eq!((life.of(&worker), life.of(&early)), (WHOLE_LIFE.to_vec(), IDLE_LIFE.to_vec()));
    }
    Ok(())
}

pub(crate) async fn a_worker_that_closes_its_channel_ends_well() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let worker = cluster.start(node("worker.js", "hangsUp"));
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert!(!worker.exited_after_disconnect());
        assert_eq!(cluster.end().await.of(&worker).last(), Some(&"exit"));
    }
}

pub(crate) async fn a_killed_worker_has_its_signal() -> TestResult {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let cluster = round_robin();
        let (worker, _) = cluster.server(node("worker.js", "echo")).await;
        assert!(worker.kill(signal)?);
        cluster.disconnected(&worker).await;
        assert_eq!(cluster.exit(&worker).await, Exit::Signal(signal));
        assert!(!worker.exited_after_disconnect() && worker.is_dead());
        assert_eq!(cluster.primary.workers(), []);
        // It is gone, and nobody else is hit.
        assert!(!worker.kill(signal)?);
        assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    }
    Ok(())
}

pub(crate) async fn a_process_that_is_killed_is_a_worker_that_ends() -> TestResult {
    let cluster = round_robin();
    let (worker, _) = cluster.server(node("worker.js", "echo")).await;
    assert!(worker.with_child(|child| child.kill(Signal::SIGTERM))?);
    assert_eq!(cluster.exit(&worker).await, Exit::Signal(Signal::SIGTERM));
    assert!(!worker.exited_after_disconnect());
    assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    Ok(())
}

pub(crate) async fn a_worker_that_was_disconnected_can_still_be_killed() -> TestResult {
    let cluster = round_robin();
    let (worker, address) = cluster.server(node("server.js", "lasting")).await;
    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"well?").await?;
    assert_eq!(client.read_u8().await?, b't');
    // The connection keeps it.
    worker.disconnect();
    assert!(worker.kill(Signal::SIGTERM)?);
    assert_eq!(cluster.exit(&worker).await, Exit::Signal(Signal::SIGTERM));
    assert!(worker.exited_after_disconnect());
    assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    Ok(())
}

pub(crate) async fn a_worker_in_an_endless_loop_can_be_ended() -> TestResult {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "spins"));
    assert_eq!(cluster.message(&worker).await, "spinning");
    assert!(worker.kill(Signal::SIGTERM)?);
    assert_eq!(cluster.exit(&worker).await, Exit::Signal(Signal::SIGTERM));
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    Ok(())
}

pub(crate) async fn a_server_that_is_closed_or_has_no_reference_does_not_keep_its_worker_alive() {
    for (policy, what) in POLICIES.iter().flat_map(|policy| [(*policy, "closedAlone"), (*policy, "notKeptAlive")]) {
        let cluster = watched(policy);
        let worker = cluster.start(node("server.js", what));
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert!(!worker.exited_after_disconnect());
        assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    }
}

pub(crate) async fn a_server_keeps_its_worker_alive() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (worker, address) = cluster.server(node("server.js", "keptAlive")).await;
        assert_eq!(cluster.message(&worker).await, "alive");
        for _ in 0..3 {
            assert_eq!(ask(address).await, worker.id().to_string());
        }
        assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    }
}

pub(crate) async fn a_server_that_is_referenced_again_is_closed_in_order() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let worker = cluster.start(node("server.js", "keptAliveAgain"));
        assert_eq!(cluster.message(&worker).await, "closed");
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    }
}
