//! A child of lab 06: serves on each socket that it is sent, until it is told to close them.

use kit::Result;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use transcript::Transcript;

use crate::serve;

pub(crate) async fn child(t: Transcript, name: String) -> Result {
    let parent = forklore::ipc::parent()?;
    let mut servers = JoinSet::new();
    // Ends with the channel, and with it all that is served here.
    // ANCHOR: children
    while let Some(mut message) = parent.recv().await? {
        match message.handle.take() {
            Some(handle) => {
                let protocol: String = message.decode()?;
                let listener = TcpListener::from_std(handle.into_tcp_listener()?)?;
                t.say(format!("serving {protocol} on port {}", listener.local_addr()?.port()));
                servers.spawn(serve::accept(listener, protocol, name.clone()));
            }
            None => {
                servers.shutdown().await;
                t.say("closed all that I had");
            }
        }
        // It may have died meanwhile; then there is nobody to serve for.
        if parent.send("done").await.is_err() {
            break;
        }
    }
    // ANCHOR_END: children
    Ok(())
}
