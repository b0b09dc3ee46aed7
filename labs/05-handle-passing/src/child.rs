//! A child of lab 05: accepts on the socket that it is sent, and says at the end how many connections it answered.

use std::cell::Cell;
use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use forklore::ipc;
use kit::proc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use transcript::Transcript;

pub(crate) async fn child(t: Transcript, name: String) -> kit::Result {
    let parent = ipc::parent()?;
    // The second child has a file open already, as any two programs differ.
    let _open = (name == "child 2").then(|| File::open("/dev/null")).transpose()?;
    // ANCHOR: receive
    let mut message = parent.recv().await?.ok_or("the parent sent nothing")?;
    let handle = message.handle.take().ok_or("the message came without a handle")?;
    // Restored from nothing but the descriptor that the kernel made for us.
    let listener = TcpListener::from_std(handle.into_tcp_listener()?)?;
    let (fd, inode) = (listener.as_raw_fd(), proc::inode(&listener)?);
    t.say(format!("here it is: for me it is fd {fd}, inode {inode}"));
    parent.send(&(fd, inode)).await?;
    // ANCHOR_END: receive

    let answered = Cell::new(0);
    let asked = tokio::select! {
        failed = serve(&listener, &name, &answered) => match failed? {},
        asked = parent.recv() => asked?,
    };
    if asked.is_some() {
        t.say(format!("answered {}", answered.get()));
        parent.send(&answered.get()).await?;
        parent.closed().await;
    }
    Ok(())
}

/// Answers each connection with a name, and counts them.
// ANCHOR: serve
pub(crate) async fn serve(listener: &TcpListener, name: &str, answered: &Cell<usize>) -> io::Result<Infallible> {
    loop {
        let (mut connection, _) = listener.accept().await?;
        connection.write_all(name.as_bytes()).await?;
        answered.set(answered.get() + 1);
    }
}
// ANCHOR_END: serve
