//! How workers are asked to go, and go by themselves.

use forklore::child_process::Exit;
use forklore::cluster::schedule::Policy;
use forklore::cluster::{Event, Options, Primary, Worker};
use harness::watched::{IDLE_LIFE, WHOLE_LIFE, round_robin, watched};
use harness::{TestResult, marked};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::kit::{POLICIES, all_of, node};

pub(crate) async fn an_idle_worker_can_be_disconnected() {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "idle"));
    cluster.online(&worker).await;
    worker.disconnect();
    assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
    assert!(worker.exited_after_disconnect());
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
}

/// Node's worker closes its channel once more for each time that it is told, and dies of the second one.
pub(crate) async fn a_worker_that_is_told_twice_to_disconnect_exits_once() -> TestResult {
    let cluster = round_robin();
    let idle = cluster.start(node("worker.js", "idle"));
    cluster.online(&idle).await;
    let (busy, address) = cluster.server(node("server.js", "lasting")).await;
    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"well?").await?;
    assert_eq!(client.read_u8().await?, b't');
    for worker in [&idle, &busy] {
        worker.disconnect();
        worker.disconnect();
    }
    // The second time, it would not have waited for this one either.
    client.shutdown().await?;
    assert_eq!(all_of(client).await, "rue\nbye\n");
    for worker in [&idle, &busy] {
        assert_eq!(cluster.exit(worker).await, Exit::Code(0));
    }
    let life = cluster.end().await;
    assert_eq!((life.of(&idle), life.of(&busy)), (IDLE_LIFE.to_vec(), WHOLE_LIFE.to_vec()));
    Ok(())
}

pub(crate) async fn the_primary_can_be_disconnected_while_a_worker_disconnects() {
    let cluster = round_robin();
    let (worker, other) = (cluster.start(node("worker.js", "idle")), cluster.start(node("worker.js", "idle")));
    cluster.online(&worker).await;
    worker.disconnect();
    cluster.disconnected(&worker).await;
    let life = cluster.end().await;
    assert_eq!((life.of(&worker), life.of(&other).last()), (IDLE_LIFE.to_vec(), Some(&"exit")));
}

pub(crate) async fn disconnect_resolves_when_no_worker_is_left() {
    let cluster = round_robin();
    let workers = [cluster.start(node("worker.js", "idle")), cluster.start(node("worker.js", "echo"))];
    assert_eq!(cluster.primary.workers(), workers);
    cluster.primary.disconnect().await;
    assert_eq!(cluster.primary.workers(), []);
    assert!(workers.iter().all(|worker| worker.is_dead() && worker.exited_after_disconnect()));
    cluster.end().await;
}

pub(crate) async fn a_primary_without_workers_disconnects() -> TestResult {
    let primary = Primary::new(Options::default());
    primary.disconnect().await;
    assert!(primary.next_event().await.is_none());
    // And again. It can also go on after that.
    primary.disconnect().await;
    let worker = primary.fork(marked(node("worker.js", "idle")))?;
    primary.disconnect().await;
    let mut events = Vec::new();
    while let Some(event) = primary.next_event().await {
        events.push(event);
    }
    assert!(matches!(&events[..], [Event::Fork(_), .., Event::Exit(exited, _)] if *exited == worker), "{events:?}");
    Ok(())
}

pub(crate) async fn a_worker_can_be_disconnected_before_it_is_up() {
    for policy in POLICIES {
        for what in ["idle", "echo"] {
            let cluster = watched(policy);
            let worker = cluster.start(node("worker.js", what));
            worker.disconnect();
            assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
            // It may have asked where to listen, and got no answer.
            assert_eq!(cluster.primary.listeners(), []);
            assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
        }
    }
}

/// One goes that has no server; another one has.
async fn a_worker_without_a_server_goes(script: &str, what: &str) {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (server, idle) = (cluster.start(node(script, what)), cluster.start(node("worker.js", "idle")));
        cluster.listening(&server).await;
        cluster.online(&idle).await;
        idle.disconnect();
        assert_eq!(cluster.exit(&idle).await, Exit::Code(0));
        assert_eq!((cluster.primary.workers(), cluster.primary.listeners().len()), (vec![server.clone()], 1));
        let life = cluster.end().await;
        assert_eq!((life.of(&idle), life.of(&server)), (IDLE_LIFE.to_vec(), WHOLE_LIFE.to_vec()));
    }
}

pub(crate) async fn a_worker_without_a_server_exits_while_another_has_one() {
    a_worker_without_a_server_goes("server.js", "net").await;
}

pub(crate) async fn a_worker_without_a_server_exits_while_another_has_udp() {
    a_worker_without_a_server_goes("datagram.js", "receives").await;
}

pub(crate) async fn a_worker_that_kills_or_disconnects_itself_exits_in_order() -> TestResult {
    for policy in POLICIES {
        for way in ["kill", "disconnect", "destroy"] {
            let cluster = watched(policy);
            let (worker, _) = cluster.server(node("worker.js", "leaves")).await;
            assert!(!worker.exited_after_disconnect());
            worker.send(way).await?;
            cluster.disconnected(&worker).await;
            assert!(worker.exited_after_disconnect(), "{way}");
            assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
            assert!(worker.exited_after_disconnect(), "{way}");
            assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
        }
    }
    Ok(())
}

pub(crate) async fn a_worker_can_destroy_itself_at_once_or_while_it_leaves() {
    let cluster = round_robin();
    for way in ["destroysItself", "destroysItselfLeaving"] {
        let worker = cluster.start(node("worker.js", way));
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert!(worker.exited_after_disconnect(), "{way}");
    }
    cluster.end().await;
}

pub(crate) async fn the_end_of_the_channel_is_seen_on_both_sides() {
    let cluster = round_robin();
    let worker = cluster.start(node("worker.js", "checksTheEnd"));
    cluster.online(&worker).await;
    assert!(worker.is_connected());
    worker.disconnect();
    cluster.disconnected(&worker).await;
    assert!(!worker.is_connected());
    // Its code says that it is not connected there either.
    assert_eq!(cluster.exit(&worker).await, Exit::Code(7));
    cluster.end().await;
}

pub(crate) async fn a_worker_that_is_disconnected_may_exit_with_its_own_code() {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (worker, _) = cluster.server(node("worker.js", "exitsInItsHandler")).await;
        assert!(worker.is_connected() && !worker.exited_after_disconnect());
        worker.disconnect();
        assert!(worker.exited_after_disconnect() && !worker.is_dead());
        assert_eq!(cluster.exit(&worker).await, Exit::Code(42));
        assert!(worker.exited_after_disconnect() && worker.is_dead() && !worker.is_connected());
        assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    }
}

pub(crate) async fn disconnect_waits_for_the_connections() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (worker, address) = cluster.server(node("server.js", "lasting")).await;
        let mut client = tokio::io::BufReader::new(TcpStream::connect(address).await?);
        let mut say = async |what: &[u8]| -> std::io::Result<String> {
            client.write_all(what).await?;
            let mut line = String::new();
            tokio::io::AsyncBufReadExt::read_line(&mut client, &mut line).await?;
            Ok(line)
        };
        assert_eq!(say(b"well?").await?, "true\n");
        worker.disconnect();
        // Its server is closed, and it still answers on the connection that it has.
        while say(b"well?").await? == "true\n" {}
        assert!(!worker.is_dead() && worker.is_connected());
        assert_eq!(say(b"well?").await?, "false\n");
        client.shutdown().await?;
        assert_eq!(all_of(client).await, "bye\n");
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert!(worker.exited_after_disconnect());
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn both_workers_of_a_shared_socket_exit_with_a_connection_open() -> TestResult {
    let cluster = watched(Policy::Shared);
    let (workers, address) = cluster.servers(2, || node("server.js", "lasting")).await;
    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"well?").await?;
    let mut line = [0; 5];
    client.read_exact(&mut line).await?;
    workers.iter().for_each(Worker::disconnect);
    // Gone without a word, from one of them.
    client.set_zero_linger()?;
    drop(client);
    let life = cluster.end().await;
    for worker in &workers {
        assert_eq!(life.of(worker), WHOLE_LIFE);
    }
    Ok(())
}
