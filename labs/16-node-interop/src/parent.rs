//! The parent's half of the conversation: what `node/parent.js` does.

use std::collections::BTreeMap;

use forklore::ipc::Handle;
use kit::{Result, clients};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::child::Heard;
use crate::peer::Peer;
use crate::socket;

/// Which parts of a conversation went well, by the names that `node/parent.js` gives them.
pub(crate) type Results = BTreeMap<String, bool>;

pub(crate) async fn converse(peer: &Peer) -> Result<Results> {
    let results = [
        ("said", say(peer).await?),
        ("asked", ask(peer).await?),
        ("socketTaken", take_socket(peer, "from child\n").await?),
        ("serverTaken", take_server(peer).await?),
        ("socketGiven", give_socket(peer).await?),
        ("serverGiven", give_server(peer).await?),
    ];
    peer.tell(&json!({ "bye": true })).await?;
    Ok(results.map(|(part, well)| (part.to_owned(), well)).into())
}

pub(crate) async fn say(peer: &Peer) -> Result<bool> {
    peer.tell(&json!({ "say": "hello" })).await?;
    Ok(peer.hear().await?.0["heard"] == "hello")
}

async fn ask(peer: &Peer) -> Result<bool> {
    peer.tell(&json!({ "ask": "are you there?" })).await?;
    peer.tell(&Heard { heard: &peer.hear().await?.0["say"], by: "rust" }).await?;
    Ok(peer.hear().await?.0["understood"] == true)
}

/// Reads what the peer wrote, from the other end.
async fn written(peer: &Peer, connection: TcpStream, expected: &str) -> Result<bool> {
    let text = clients::rest(connection).await?;
    peer.transcript.say(format!("the other end reads {text:?}"));
    Ok(text == expected)
}

pub(crate) async fn take_socket(peer: &Peer, expected: &str) -> Result<bool> {
    let (kept, given) = socket::joined().await?;
    drop(peer.hand(&json!({ "take": "socket" }), Handle::try_from(given)?).await?);
    written(peer, kept, expected).await
}

async fn take_server(peer: &Peer) -> Result<bool> {
    let server = socket::listen().await?;
    let address = server.local_addr()?;
    let ours = peer.hand(&json!({ "take": "server" }), Handle::try_from(server)?).await?;
    let serving = peer.hear().await?.0["serving"] == true;
    drop(ours); // the peer alone accepts now
    Ok(serving && written(peer, TcpStream::connect(address).await?, "served by child\n").await?)
}

async fn give_socket(peer: &Peer) -> Result<bool> {
    peer.tell(&json!({ "give": "socket" })).await?;
    let (_, Some(Handle::Socket(connection))) = peer.hear().await? else { return Ok(false) };
    socket::write(connection.into_stream()?, "from parent\n").await?;
    Ok(peer.hear().await?.0["read"] == "from parent\n")
}

async fn give_server(peer: &Peer) -> Result<bool> {
    peer.tell(&json!({ "give": "server" })).await?;
    let (_, Some(handle)) = peer.hear().await? else { return Ok(false) };
    let server = TcpListener::from_std(handle.into_tcp_listener()?)?;
    peer.tell(&json!({ "serving": true })).await?;
    let (connection, _) = server.accept().await?;
    socket::write(connection, "served by parent\n").await?;
    Ok(peer.hear().await?.0["read"] == "served by parent\n")
}
