//! The child: it does what `node/child.js` does, and its parent cannot tell the two apart but by the name that it gives.

use forklore::ipc::{self, Channel, Handle};
use kit::{Result, clients};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::socket;

/// The answer to a word that was said.
#[derive(Serialize)]
pub(crate) struct Heard<'a> {
    pub(crate) heard: &'a Value,
    pub(crate) by: &'static str,
}

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
        let handle = message.handle.take();
        let members: Map<String, Value> = message.decode()?;
        let (verb, object) = members.iter().next().ok_or("a message without a verb")?;
        match (verb.as_str(), handle) {
            ("say", None) => parent.send(&Heard { heard: object, by: "rust" }).await?,
            ("ask", None) => question(parent, object).await?,
            ("take", Some(handle)) => use_it(parent, object, handle).await?,
            ("give", None) if object == "socket" => give_socket(parent).await?,
            ("give", None) if object == "server" => give_server(parent).await?,
            ("bye", None) => drop(parent.disconnect().await),
            _ => return Err(format!("nobody had asked for {members:?}").into()),
        }
    }
    Ok(())
}

async fn question(parent: &Channel, word: &Value) -> Result {
    parent.send(&json!({ "say": word })).await?;
    let answer: Value = parent.recv_as().await?.ok_or("no answer")?;
    Ok(parent.send(&json!({ "understood": answer["heard"] == *word })).await?)
}

// ANCHOR: take
async fn use_it(parent: &Channel, kind: &Value, handle: Handle) -> Result {
    match handle {
        Handle::Socket(connection) if kind == "socket" => {
            socket::write(connection.into_stream()?, "from child\n").await?;
        }
        Handle::Server(_) if kind == "server" => {
            let server = TcpListener::from_std(handle.into_tcp_listener()?)?;
            parent.send(&json!({ "serving": true })).await?;
            let (connection, _) = server.accept().await?;
            socket::write(connection, "served by child\n").await?;
        }
        handle => return Err(format!("told of a {kind}, and a {} came", handle.type_name()).into()),
    }
    Ok(())
}
// ANCHOR_END: take

async fn give_socket(parent: &Channel) -> Result {
    let (kept, given) = socket::joined().await?;
    // As long as we hold it, too, the other end of this connection does not see its end.
    drop(parent.send_handle(&json!({ "take": "socket" }), Handle::try_from(given)?).await?);
    let read = clients::rest(kept).await?;
    Ok(parent.send(&json!({ "read": read })).await?)
}

async fn give_server(parent: &Channel) -> Result {
    let server = socket::listen().await?;
    let address = server.local_addr()?;
    let ours = parent.send_handle(&json!({ "take": "server" }), Handle::try_from(server)?).await?;
    parent.recv().await?.ok_or("nobody serves")?;
    drop(ours); // our parent alone accepts now
    let read = clients::rest(TcpStream::connect(address).await?).await?;
    Ok(parent.send(&json!({ "read": read })).await?)
}
