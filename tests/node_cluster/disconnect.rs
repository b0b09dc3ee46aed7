//! How workers are asked to go, and go by themselves.

use forklore::child_process::Exit;
use forklore::cluster::Worker;
use forklore::cluster::schedule::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::kit::{Outcome, POLICIES, all_of};
use crate::watched::{IDLE_LIFE, WHOLE_LIFE, round_robin, watched};

pub(crate) async fn an_idle_worker_can_be_disconnected() -> Outcome {
    let mut cluster = round_robin();
    let worker = cluster.fork("worker.js", "idle");
    cluster.online(&worker).await;
    worker.disconnect();
    assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
    assert!(worker.exited_after_disconnect());
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    Ok(())
}

/// Node's worker closes its channel once more for each time that it is told, and dies of the second one.
pub(crate) async fn a_worker_that_is_told_twice_goes_once() -> Outcome {
    let mut cluster = round_robin();
    let idle = cluster.fork("worker.js", "idle");
    cluster.online(&idle).await;
    let (busy, address) = cluster.server("server.js", "lasting").await;
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

pub(crate) async fn the_primary_can_be_disconnected_while_a_worker_disconnects() -> Outcome {
    let mut cluster = round_robin();
    let (worker, other) = (cluster.fork("worker.js", "idle"), cluster.fork("worker.js", "idle"));
    cluster.online(&worker).await;
    worker.disconnect();
    cluster.disconnect(&worker).await;
    let life = cluster.end().await;
    assert_eq!((life.of(&worker), life.of(&other).last()), (IDLE_LIFE.to_vec(), Some(&"exit")));
    Ok(())
}

pub(crate) async fn disconnect_resolves_when_nobody_is_left() -> Outcome {
    let cluster = round_robin();
    let workers = [cluster.fork("worker.js", "idle"), cluster.fork("worker.js", "echo")];
    assert_eq!(cluster.primary.workers(), workers);
    cluster.primary.disconnect().await;
    assert_eq!(cluster.primary.workers(), []);
    assert!(workers.iter().all(|worker| worker.is_dead() && worker.exited_after_disconnect()));
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_primary_without_workers_disconnects() -> Outcome {
    let cluster = round_robin();
    cluster.primary.disconnect().await;
    assert!(cluster.primary.next_event().await.is_none());
    // And again, and it can go on after that.
    cluster.primary.disconnect().await;
    let worker = cluster.fork("worker.js", "idle");
    let life = cluster.end().await;
    assert_eq!((life.of(&worker).first(), life.of(&worker).last()), (Some(&"fork"), Some(&"exit")));
    Ok(())
}

pub(crate) async fn a_worker_can_be_disconnected_before_it_is_up() -> Outcome {
    for policy in POLICIES {
        for what in ["idle", "echo"] {
            let mut cluster = watched(policy);
            let worker = cluster.fork("worker.js", what);
            worker.disconnect();
            assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
            // It may have asked where to listen, and got no answer.
            assert_eq!(cluster.primary.listeners(), []);
            assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
        }
    }
    Ok(())
}

/// One goes that has no server; another one has.
async fn a_worker_without_a_server_goes(script: &str, what: &str) -> Outcome {
    for policy in POLICIES {
        let mut cluster = watched(policy);
        let (server, idle) = (cluster.fork(script, what), cluster.fork("worker.js", "idle"));
        cluster.listening(&server).await;
        cluster.online(&idle).await;
        idle.disconnect();
        assert_eq!(cluster.exit(&idle).await, Exit::Code(0));
        assert_eq!((cluster.primary.workers(), cluster.primary.listeners().len()), (vec![server.clone()], 1));
        let life = cluster.end().await;
        assert_eq!((life.of(&idle), life.of(&server)), (IDLE_LIFE.to_vec(), WHOLE_LIFE.to_vec()));
    }
    Ok(())
}

pub(crate) async fn a_worker_without_a_server_goes_while_another_has_one() -> Outcome {
    a_worker_without_a_server_goes("server.js", "net").await
}

pub(crate) async fn a_worker_without_a_server_goes_while_another_has_udp() -> Outcome {
    a_worker_without_a_server_goes("datagram.js", "receives").await
}

pub(crate) async fn a_worker_that_kills_or_disconnects_itself_goes_in_order() -> Outcome {
    for policy in POLICIES {
        for way in ["kill", "disconnect", "destroy"] {
            let mut cluster = watched(policy);
            let (worker, _) = cluster.server("worker.js", "leaves").await;
            assert!(!worker.exited_after_disconnect());
            worker.send(way).await?;
            cluster.disconnect(&worker).await;
            assert!(worker.exited_after_disconnect(), "{way}");
            assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
            assert!(worker.exited_after_disconnect(), "{way}");
            assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
        }
    }
    Ok(())
}

pub(crate) async fn a_worker_can_destroy_itself_at_once_or_while_it_leaves() -> Outcome {
    let mut cluster = round_robin();
    for way in ["destroysItself", "destroysItselfLeaving"] {
        let worker = cluster.fork("worker.js", way);
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert!(worker.exited_after_disconnect(), "{way}");
    }
    cluster.end().await;
    Ok(())
}

pub(crate) async fn the_end_of_the_channel_is_seen_on_both_sides() -> Outcome {
    let mut cluster = round_robin();
    let worker = cluster.fork("worker.js", "checksTheEnd");
    cluster.online(&worker).await;
    assert!(worker.is_connected());
    worker.disconnect();
    cluster.disconnect(&worker).await;
    assert!(!worker.is_connected());
    // Its code says that it is not connected there either.
    assert_eq!(cluster.exit(&worker).await, Exit::Code(7));
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_that_is_disconnected_may_exit_with_its_own_code() -> Outcome {
    for policy in POLICIES {
        let mut cluster = watched(policy);
        let (worker, _) = cluster.server("worker.js", "exitsInItsHandler").await;
        assert!(worker.is_connected() && !worker.exited_after_disconnect());
        worker.disconnect();
        assert!(worker.exited_after_disconnect() && !worker.is_dead());
        assert_eq!(cluster.exit(&worker).await, Exit::Code(42));
        assert!(worker.exited_after_disconnect() && worker.is_dead() && !worker.is_connected());
        assert_eq!(cluster.end().await.of(&worker), WHOLE_LIFE);
    }
    Ok(())
}

pub(crate) async fn disconnect_waits_for_the_connections() -> Outcome {
    for policy in POLICIES {
        let mut cluster = watched(policy);
        let (worker, address) = cluster.server("server.js", "lasting").await;
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

pub(crate) async fn both_workers_of_a_shared_socket_go_with_a_connection_open() -> Outcome {
    let mut cluster = watched(Policy::Shared);
    let workers = [cluster.fork("server.js", "lasting"), cluster.fork("server.js", "lasting")];
    let address = cluster.listening_at(&workers[0]).await;
    assert_eq!(cluster.listening_at(&workers[1]).await, address);
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
