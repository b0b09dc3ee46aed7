//! A child of lab 05: accepts on the socket that it is sent, and tells at the end how many it answered.

use std::error::Error;
use std::fs::File;

use forklore::ipc;
use tokio::net::TcpListener;
use transcript::Transcript;

use crate::socket::{Serving, inode_of};

pub(crate) async fn main(t: Transcript) -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(2).ok_or("a child has a name")?;
    let parent = ipc::parent()?;
    // The second child has a file open already, as any two programs differ.
    let _open = (name == "child 2").then(|| File::open("/dev/null")).transpose()?;
    // ANCHOR: receive
    let mut message = parent.recv().await?.ok_or("the parent sent nothing")?;
    let handle = message.handle.take().ok_or("the message came without a handle")?;
    // Restored from nothing but the descriptor that the kernel made for us.
    let listener = TcpListener::from_std(handle.into_tcp_listener()?)?;
    let socket = inode_of(&listener)?;
    t.say(format!("here it is: for me it is fd {}, inode {}", socket.fd, socket.inode));
    let serving = Serving::start(listener, &name);
    parent.send(&socket).await?;
    // ANCHOR_END: receive

    if parent.recv().await?.is_some() {
        let answered = serving.stop().await?;
        t.say(format!("answered {answered}"));
        parent.send(&answered).await?;
        parent.closed().await;
    }
    Ok(())
}
