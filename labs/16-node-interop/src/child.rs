//! The child: it does what `node/child.js` does, and its parent cannot tell the two apart but by the name that it gives.

use forklore::ipc::{self, Channel, Handle};
use kit::{Result, clients};
use tokio::net::{TcpListener, TcpStream};

use crate::message::{Kind, Message};
use crate::socket;

/// The child's whole life. It ends with the channel, wherever it is: our parent may end at any moment.
pub(crate) async fn run() -> Result {
    let parent = ipc::parent()?;
    tokio::select! {
        ended = answer(&parent) => ended,
        _ = parent.closed() => Ok(()),
    }
}

async fn answer(parent: &Channel) -> Result {
    while let Some(mut message) = parent.recv().await? {
        match message.decode()? {
            Message::Say { say } => parent.send(&heard(say)).await?,
            Message::Ask { ask } => question(parent, ask).await?,
            Message::Take { take } => use_it(parent, take, message.handle.take().ok_or("no handle came")?).await?,
            Message::Give { give: Kind::Socket } => give_socket(parent).await?,
            Message::Give { give: Kind::Server } => give_server(parent).await?,
            Message::Bye { .. } => drop(parent.disconnect().await),
            answer => return Err(format!("nobody had asked for {answer:?}").into()),
        }
    }
    Ok(())
}

pub(crate) fn heard(word: String) -> Message {
    Message::Heard { heard: word, by: "rust".to_owned() }
}

async fn question(parent: &Channel, word: String) -> Result {
    parent.send(&Message::Say { say: word.clone() }).await?;
    let answer = parent.recv().await?.ok_or("no answer")?;
    let understood = matches!(answer.decode()?, Message::Heard { heard, .. } if heard == word);
    Ok(parent.send(&Message::Understood { understood }).await?)
}

// ANCHOR: take
async fn use_it(parent: &Channel, kind: Kind, handle: Handle) -> Result {
    match (kind, handle) {
        (Kind::Socket, Handle::Socket(connection)) => socket::write(connection.into_stream()?, "from child\n").await?,
        (Kind::Server, handle @ Handle::Server(_)) => {
            let server = TcpListener::from_std(handle.into_tcp_listener()?)?;
            parent.send(&Message::Serving { serving: true }).await?;
            let (connection, _) = server.accept().await?;
            socket::write(connection, "served by child\n").await?;
        }
        (kind, handle) => return Err(format!("told of a {kind:?}, and a {} came", handle.type_name()).into()),
    }
    Ok(())
}
// ANCHOR_END: take

async fn give_socket(parent: &Channel) -> Result {
    let (kept, given) = socket::joined().await?;
    let ours = parent.send_handle(&Message::Take { take: Kind::Socket }, Handle::try_from(given)?).await?;
    // As long as we hold it, too, nobody reads its end.
    drop(ours);
    let read = clients::rest(kept).await?;
    Ok(parent.send(&Message::Read { read }).await?)
}

async fn give_server(parent: &Channel) -> Result {
    let server = socket::listen().await?;
    let address = server.local_addr()?;
    let ours = parent.send_handle(&Message::Take { take: Kind::Server }, Handle::try_from(server)?).await?;
    parent.recv().await?.ok_or("nobody serves")?;
    drop(ours); // our parent alone accepts now
    let read = clients::rest(TcpStream::connect(address).await?).await?;
    Ok(parent.send(&Message::Read { read }).await?)
}
