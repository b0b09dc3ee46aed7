//! A child with a channel, told and heard in the transcript. It says nothing there itself: it may be any program.

use std::ffi::OsStr;

use forklore::child_process::{Child, Command, Stdio};
use forklore::ipc::{Channel, Handle};
use kit::Result;
use serde::Serialize;
use serde_json::Value;
use transcript::{ArrowKind, Transcript};

pub(crate) struct Peer {
    child: Child,
    channel: Channel,
    /// The name of the child.
    name: &'static str,
    pub(crate) transcript: Transcript,
}

/// A program of another language, and the script that it is to run, in a folder of this lab.
pub(crate) fn script(program: impl AsRef<OsStr>, path: &str) -> Command {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    Command::new(program).arg(path).stdin(Stdio::Ignore).stdout(Stdio::Ignore).kill_on_drop()
}

impl Peer {
    // ANCHOR: peer
    pub(crate) fn start(t: &Transcript, name: &'static str, command: Command) -> Result<Peer> {
        // Before it can speak.
        t.arrow(ArrowKind::Start, name, "a new program, with a channel to us");
        let (child, channel) = command.fork()?;
        Ok(Peer { child, channel, name, transcript: t.clone() })
    }
    // ANCHOR_END: peer

    // ANCHOR: hand
    pub(crate) async fn tell(&self, message: &impl Serialize) -> Result {
        self.transcript.arrow(ArrowKind::Message, self.name, serde_json::to_string(message)?);
        Ok(self.channel.send(message).await?)
    }
    // ANCHOR_END: hand

    /// Gives the child a handle; the answer is our own, when the child has its one.
    pub(crate) async fn hand(&self, message: &Value, handle: Handle) -> Result<Handle> {
        self.transcript.arrow(ArrowKind::Handle, self.name, message);
        Ok(self.channel.send_handle(message, handle).await?)
    }

    /// Its next message, and the handle that came with it. If it ends instead, that is an error.
    pub(crate) async fn hear(&self) -> Result<(Value, Option<Handle>)> {
        let mut message = self.receive().await?;
        let kind = if message.handle.is_some() { ArrowKind::Handle } else { ArrowKind::Message };
        self.transcript.voice(self.name).arrow(kind, "parent", message.json());
        Ok((message.decode()?, message.handle.take()))
    }

    pub(crate) async fn receive(&self) -> Result<forklore::ipc::Message> {
        let message = self.channel.recv().await?;
        message.ok_or_else(|| format!("{} ended in the middle", self.name).into())
    }

    /// Closes the channel, if the child has not, and waits for the child's end.
    pub(crate) async fn end(mut self) -> Result {
        self.channel.disconnect().await;
        let exit = self.child.close().await?;
        self.transcript.voice(self.name).arrow(ArrowKind::Exit, "parent", exit);
        if exit.success() { Ok(()) } else { Err(format!("{} ended with {exit}", self.name).into()) }
    }
}
