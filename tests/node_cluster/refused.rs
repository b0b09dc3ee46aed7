//! What cannot be listened on, and how a worker hears of it.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;

use forklore::child_process::Exit;
use forklore::cluster::Options;
use forklore::cluster::schedule::Policy;
use harness::TestResult;
use harness::watched::{IDLE_LIFE, Watched, round_robin, watched};
use nix::errno::Errno;
use nix::unistd::{Uid, geteuid, setfsuid};
use serde_json::{Value, json};

use crate::kit::{POLICIES, all_of, node_with};

/// A listener, and the options of another one at its port.
fn taken_port() -> std::io::Result<(TcpListener, Value)> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let there = json!({ "host": "127.0.0.1", "port": taken.local_addr()?.port() });
    Ok((taken, there))
}

fn error(code: &str, errno: Errno) -> Value {
    json!({ "code": code, "errno": -(errno as i32), "syscall": "bind" })
}

/// What a worker says that wants to listen there. It goes on as if nothing had been.
async fn refusal(policy: Policy, options: &Value) -> Value {
    let announced = Options::default().policy(policy);
    // What is announced is refused for what it is.
    let announced = match options["fd"].as_i64() {
        Some(fd) => announced.allow_descriptor(fd.try_into().expect("a descriptor")),
        None => announced,
    };
    let cluster = Watched::new(announced);
    let worker = cluster.start(node_with("server.js", "net", options));
    let refusal = cluster.message(&worker).await;
    assert_eq!((cluster.primary.listeners(), worker.is_connected()), (vec![], true));
    assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    refusal
}

pub(crate) async fn a_port_in_use_is_refused() -> TestResult {
    let (_taken, there) = taken_port()?;
    for policy in POLICIES {
        assert_eq!(refusal(policy, &there).await, error("EADDRINUSE", Errno::EADDRINUSE));
    }
    Ok(())
}

/// Restores what a thread may do with files.
struct Restored(Uid);

impl Drop for Restored {
    fn drop(&mut self) {
        setfsuid(self.0);
    }
}

/// Root may bind to every port, so this takes a directory that is read-only, and a user without rights.
async fn without_permission(policy: Policy) -> TestResult {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o555))?;
    let there = json!({ "path": folder.path().join("socket") });
    let refused = {
        // The kernel counts it for this thread alone, which has the runtime and so the primary to itself.
        let _restored =
            Restored(setfsuid(Uid::from_raw(if geteuid().is_root() { 65_534 } else { geteuid().as_raw() })));
        refusal(policy, &there).await
    };
    assert_eq!(refused, error("EACCES", Errno::EACCES));
    if TcpListener::bind((Ipv4Addr::LOCALHOST, 1)).is_err_and(|error| error.raw_os_error() == Some(nix::libc::EACCES)) {
        let privileged = json!({ "host": "127.0.0.1", "port": 1 });
        assert_eq!(refusal(policy, &privileged).await, error("EACCES", Errno::EACCES));
    }
    Ok(())
}

pub(crate) async fn an_address_without_permission_is_refused() -> TestResult {
    for policy in POLICIES {
        without_permission(policy).await?;
    }
    Ok(())
}

pub(crate) async fn a_path_in_use_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("socket");
    let taken = std::os::unix::net::UnixListener::bind(&path)?;
    for policy in POLICIES {
        let refused = refusal(policy, &json!({ "path": path })).await;
        assert_eq!(refused, error("EADDRINUSE", Errno::EADDRINUSE));
    }
    // It is somebody else's file, and stays.
    assert!(path.exists());
    drop(taken);
    Ok(())
}

pub(crate) async fn an_address_of_another_host_is_refused() {
    for policy in POLICIES {
        // Reserved for documentation: no host has it.
        let refused = refusal(policy, &json!({ "host": "192.0.2.1", "port": 0 })).await;
        assert_eq!(refused, error("EADDRNOTAVAIL", Errno::EADDRNOTAVAIL));
    }
}

pub(crate) async fn a_descriptor_that_is_no_socket_is_refused() -> TestResult {
    let file = std::fs::File::open("/dev/null")?;
    for policy in POLICIES {
        assert_eq!(refusal(policy, &json!({ "fd": file.as_raw_fd() })).await["code"], "ENOTSOCK");
        assert_eq!(refusal(policy, &json!({ "fd": 9_999 })).await["code"], "EBADF");
    }
    Ok(())
}

pub(crate) async fn a_worker_can_listen_later_where_it_was_refused() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        // Not a port: as soon as that is free, somebody else may take it.
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("socket");
        let taken = std::os::unix::net::UnixListener::bind(&path)?;
        let worker = cluster.start(node_with("server.js", "net", &json!({ "path": path })));
        assert_eq!(cluster.message(&worker).await["code"], "EADDRINUSE");
        drop(taken);
        std::fs::remove_file(&path)?;
        worker.send("again").await?;
        assert_eq!(cluster.listening(&worker).await.to_string(), path.display().to_string());
        assert_eq!(cluster.message(&worker).await, "again");
        assert_eq!(all_of(tokio::net::UnixStream::connect(&path).await?).await, worker.id().to_string());
        cluster.end().await;
    }
    Ok(())
}

pub(crate) async fn an_error_without_a_listener_is_an_exception() -> TestResult {
    let cluster = round_robin();
    let (_taken, there) = taken_port()?;
    let worker = cluster.start(node_with("server.js", "unprepared", &there));
    assert_eq!(cluster.message(&worker).await, error("EADDRINUSE", Errno::EADDRINUSE));
    // It has caught it, and lives until it is told to disconnect.
    worker.disconnect();
    assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
    assert!(worker.exited_after_disconnect());
    cluster.end().await;
    Ok(())
}

pub(crate) async fn a_worker_disconnects_on_an_error() -> TestResult {
    for policy in POLICIES {
        let cluster = watched(policy);
        let (_taken, there) = taken_port()?;
        let worker = cluster.start(node_with("server.js", "net", &there));
        assert_eq!(cluster.message(&worker).await["code"], "EADDRINUSE");
        worker.send("disconnect").await?;
        cluster.disconnected(&worker).await;
        assert!(worker.exited_after_disconnect());
        assert_eq!(cluster.exit(&worker).await, Exit::Code(0));
        assert_eq!(cluster.end().await.of(&worker), IDLE_LIFE);
    }
    Ok(())
}
