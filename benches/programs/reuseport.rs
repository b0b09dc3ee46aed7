//! Two processes that share a port and nothing else: each has a socket of its own with SO_REUSEPORT (socket(7)), and the kernel spreads the
//! connections over the sockets.

mod answer;

use std::error::Error;
use std::net::SocketAddr;

use forklore::child_process::{Command, Signal, Stdio};
use tokio::net::TcpSocket;

const WORKERS: usize = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        None => parent().await,
        Some(address) => serve(address.parse()?).await,
    }
}

async fn parent() -> Result<(), Box<dyn Error>> {
    // Bound and never listening: it keeps the port, and gets no connection.
    let keeper = bound("127.0.0.1:0".parse()?)?;
    let address = keeper.local_addr()?.to_string();
    let mut children = Vec::new();
    for _ in 0..WORKERS {
        let command = Command::new(std::env::current_exe()?).arg(&address).stdin(Stdio::Ignore);
        let command = command.stdout(Stdio::Inherit).stderr(Stdio::Inherit).parent_death_signal(Signal::SIGKILL);
        children.push(command.spawn()?);
    }
    for child in &children {
        child.exit().await?;
    }
    Err("the workers have ended".into())
}

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let listener = bound(address)?.listen(511)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(answer::answer(connection));
    }
}
