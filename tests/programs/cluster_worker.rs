//! A worker of a cluster, for primaries of any kind. Its first argument says what it does with each connection, the
//! others on what it listens: `HOST:PORT`, `*:PORT`, a path with a slash, `fd:NUMBER`, each perhaps with `exclusive,`
//! before it.
//!
//! `answer`: writes its number and closes. `count`: the same, with how many it has answered. `echo`: writes its
//! number, then everything back. `limited`: the same, one connection at a time. `once`: answers one, and exits with
//! code 3. `hold`: accepts, and says nothing. `stuck`: accepts nothing. `udp`: answers datagrams with its number.
//! `survivor`: goes on without its primary, and prints how it learnt that.
//!
//! Messages of its primary: `leave`, `kill`, `disconnect`, `close` (the listeners), `descriptors` (how many are
//! open), `fail` (with code 7), `fill` (leaves no descriptor free), `drain` (has them free again), `spin` (says that
//! it has heard it, and does nothing any more); another one is sent back. A server that cannot listen is reported as
//! a message, the error; one that the primary does not know, too: its port.

mod filling;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use filling::Filling;
use forklore::cluster::{self, Connection, Listen, Listener, Udp, WorkerProcess, WorkerSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    if what == "survivor" {
        return survivor().await;
    }
    let worker = cluster::worker()?;
    let mut listeners = Vec::new();
    for address in arguments {
        if what == "udp" {
            tokio::spawn(datagrams(worker.clone(), udp(&address)));
            continue;
        }
        match worker.listen(listen(&address)).await {
            Ok(listener) => {
                if address.starts_with("exclusive,") {
                    worker.send(&listener.local_addr().map(|address| address.port())).await?;
                }
                listeners.push(Arc::new(listener));
            }
            Err(error) => worker.send(&error.to_string()).await?,
        }
    }
    for listener in &listeners {
        match &*what {
            "stuck" => {}
            "once" => {
                if let Some(connection) = listener.accept().await? {
                    answer(format!("{}\n", worker.id()), connection).await;
                }
                return Ok(ExitCode::from(3));
            }
            "limited" => {
                listener.max_connections(1);
                tokio::spawn(serve(worker.id(), listener.clone(), "echo".to_owned()));
            }
            _ => drop(tokio::spawn(serve(worker.id(), listener.clone(), what.clone()))),
        }
    }
    tokio::select! {
        outcome = obey(&worker, &listeners) => outcome,
        () = worker.disconnected() => Ok(ExitCode::SUCCESS),
    }
}

fn listen(address: &str) -> Listen {
    let (exclusive, address) = address.strip_prefix("exclusive,").map_or((false, address), |address| (true, address));
    let listen = match address.rsplit_once(':') {
        Some(("*", port)) => Listen::port(port.parse().expect("a port")),
        Some(("fd", number)) => Listen::fd(number.parse().expect("a number")),
        Some((host, port)) => Listen::tcp(host, port.parse().expect("a port")),
        None => Listen::unix(address),
    };
    if exclusive { listen.exclusive() } else { listen }
}

fn udp(address: &str) -> Udp {
    let (host, port) = address.rsplit_once(':').expect("HOST:PORT");
    Udp::new(host, port.parse().expect("a port"))
}

async fn serve(id: u32, listener: Arc<Listener>, what: String) {
    let mut held = Vec::new();
    while let Some(connection) = listener.accept().await.expect("a connection") {
        match &*what {
            "hold" => held.push(connection),
            "answer" => drop(tokio::spawn(answer(format!("{id}\n"), connection))),
            "count" => drop(tokio::spawn(answer(format!("{id} {}\n", number()), connection))),
            _ => drop(tokio::spawn(echo(id, connection))),
        }
    }
    // Still held: they keep us from leaving.
    std::future::pending::<()>().await;
}

/// From 1, one more each time.
fn number() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// A client may go whenever it likes: none of its errors is ours.
async fn answer(text: String, mut connection: Connection) {
    let _ = connection.write_all(text.as_bytes()).await;
    let _ = connection.shutdown().await;
}

async fn echo(id: u32, mut connection: Connection) {
    let mut buffer = [0; 4096];
    let _ = connection.write_all(format!("{id}\n").as_bytes()).await;
    while let Ok(length @ 1..) = connection.read(&mut buffer).await {
        let _ = connection.write_all(&buffer[..length]).await;
    }
}

async fn datagrams(worker: WorkerProcess, udp: Udp) {
    let socket = worker.bind_udp(udp).await.expect("a socket");
    let mut buffer = [0; 512];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let (length, from) = received.expect("a datagram");
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let _ = socket.send_to(format!("{} {text}", worker.id()).as_bytes(), from).await;
            }
            () = worker.disconnecting() => break,
        }
    }
}

async fn obey(worker: &WorkerProcess, listeners: &[Arc<Listener>]) -> Result<ExitCode, Box<dyn Error>> {
    let mut filling = Filling::default();
    while let Some(message) = worker.recv().await? {
        match message.decode::<String>().as_deref().unwrap_or_default() {
            "leave" => {
                worker.disconnect().await;
                return Ok(ExitCode::SUCCESS);
            }
            "kill" => {
                worker.kill().await;
                return Ok(ExitCode::SUCCESS);
            }
            "disconnect" => drop(worker.channel().disconnect().await),
            "fail" => return Ok(ExitCode::from(7)),
            "close" => {
                for listener in listeners {
                    listener.close().await;
                }
                worker.send("closed").await?;
            }
            "fill" => {
                filling = Filling::but(0)?;
                worker.send("full").await?;
            }
            "drain" => {
                drop(std::mem::take(&mut filling));
                worker.send("empty").await?;
            }
            "spin" => {
                worker.send("spinning").await?;
                worker.channel().flush().await?;
                loop {
                    std::hint::spin_loop();
                }
            }
            "descriptors" => worker.send(&std::fs::read_dir("/proc/self/fd")?.count()).await?,
            _ => worker.send(message.json()).await?,
        }
    }
    // The end of the channel is for the worker itself to deal with.
    std::future::pending().await
}

async fn survivor() -> Result<ExitCode, Box<dyn Error>> {
    let worker = cluster::worker_with(WorkerSettings::default().survive_primary())?;
    let listener = worker.listen(Listen::tcp("127.0.0.1", 0)).await?;
    let none = listener.accept().await?.is_none();
    worker.disconnected().await;
    println!("ended: {none}, asked: {}", worker.exited_after_disconnect());
    Ok(ExitCode::SUCCESS)
}
