//! The parent's half of the conversation: what `node/parent.js` does.

use forklore::ipc::Handle;
use kit::{Result, clients};
use tokio::net::{TcpListener, TcpStream};

use crate::child::heard;
use crate::message::{Kind, Message, Results};
use crate::peer::Peer;
use crate::socket;

pub(crate) async fn converse(peer: &Peer) -> Result<Results> {
    let results = Results {
        said: say(peer).await?,
        asked: ask(peer).await?,
        socket_taken: take_socket(peer, "from child\n").await?,
        server_taken: take_server(peer).await?,
        socket_given: give_socket(peer).await?,
        server_given: give_server(peer).await?,
    };
    peer.tell(Message::Bye { bye: true }).await?;
    Ok(results)
}

pub(crate) async fn say(peer: &Peer) -> Result<bool> {
    peer.tell(Message::Say { say: "hello".to_owned() }).await?;
    Ok(matches!(peer.hear().await?.0, Message::Heard { heard, .. } if heard == "hello"))
}

async fn ask(peer: &Peer) -> Result<bool> {
    peer.tell(Message::Ask { ask: "are you there?".to_owned() }).await?;
    let (Message::Say { say }, None) = peer.hear().await? else { return Ok(false) };
    peer.tell(heard(say)).await?;
    Ok(matches!(peer.hear().await?.0, Message::Understood { understood: true }))
}

/// Reads what the peer wrote, from the other end.
async fn written(peer: &Peer, connection: TcpStream, expected: &str) -> Result<bool> {
    let text = clients::rest(connection).await?;
    peer.transcript.say(format!("the other end reads {text:?}"));
    Ok(text == expected)
}

pub(crate) async fn take_socket(peer: &Peer, expected: &str) -> Result<bool> {
    let (kept, given) = socket::joined().await?;
    drop(peer.hand(Message::Take { take: Kind::Socket }, Handle::try_from(given)?).await?);
    written(peer, kept, expected).await
}

async fn take_server(peer: &Peer) -> Result<bool> {
    let server = socket::listen().await?;
    let address = server.local_addr()?;
    let ours = peer.hand(Message::Take { take: Kind::Server }, Handle::try_from(server)?).await?;
    let serving = matches!(peer.hear().await?.0, Message::Serving { serving: true });
    drop(ours); // the peer alone accepts now
    Ok(serving && written(peer, TcpStream::connect(address).await?, "served by child\n").await?)
}

async fn give_socket(peer: &Peer) -> Result<bool> {
    peer.tell(Message::Give { give: Kind::Socket }).await?;
    let (_, Some(Handle::Socket(connection))) = peer.hear().await? else { return Ok(false) };
    socket::write(connection.into_stream()?, "from parent\n").await?;
    Ok(matches!(peer.hear().await?.0, Message::Read { read } if read == "from parent\n"))
}

async fn give_server(peer: &Peer) -> Result<bool> {
    peer.tell(Message::Give { give: Kind::Server }).await?;
    let (_, Some(handle)) = peer.hear().await? else { return Ok(false) };
    let server = TcpListener::from_std(handle.into_tcp_listener()?)?;
    peer.tell(Message::Serving { serving: true }).await?;
    let (connection, _) = server.accept().await?;
    socket::write(connection, "served by parent\n").await?;
    Ok(matches!(peer.hear().await?.0, Message::Read { read } if read == "served by parent\n"))
}
