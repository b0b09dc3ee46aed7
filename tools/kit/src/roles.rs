//! The roles of a lab: its own program, started again, with a seat in the transcript.
//!
//! # Errors
//!
//! Every function fails when the process cannot be started, has ended, or says something else than is asked for.

use std::path::PathBuf;

use forklore::child_process::{Child, Command, Exit, Stdio};
use forklore::ipc::Channel;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transcript::Transcript;

use crate::Result;

/// Returns the role that this process was started to play, or `None` in a lab's first process.
pub fn played() -> Option<String> {
    std::env::args().nth(1).filter(|word| !word.starts_with('-'))
}

/// Prepares this program in another role: it speaks as `speaker`, has an empty stdin and our stderr, and is killed when it is dropped.
pub fn command(t: &Transcript, speaker: &str, role: &str) -> Result<Command> {
    let command = Command::new(program()?).arg(role).kill_on_drop();
    Ok(t.seat(speaker, command.stdin(Stdio::Ignore).stderr(Stdio::Inherit))?)
}

/// Returns this program. When cargo has replaced its file meanwhile, the kernel still has the old one, which is what this process runs.
fn program() -> Result<PathBuf> {
    let file = std::env::current_exe()?;
    Ok(if file.exists() { file } else { PathBuf::from("/proc/self/exe") })
}

/// A role that runs, with a channel to it.
#[derive(Debug)]
pub struct Role {
    /// The name under which it speaks in the transcript.
    pub speaker: String,
    /// The process.
    pub process: Child,
    /// Our end of its channel.
    pub channel: Channel,
}

/// Starts this program in another role, with a channel. It speaks as `speaker`.
pub fn fork(t: &Transcript, speaker: &str, role: &str) -> Result<Role> {
    let (process, channel) = command(t, speaker, role)?.stdout(Stdio::Ignore).fork()?;
    Ok(Role { speaker: speaker.to_owned(), process, channel })
}

impl Role {
    /// Sends a message and receives the next one that comes.
    pub async fn ask<T: DeserializeOwned>(&self, message: &(impl Serialize + ?Sized)) -> Result<T> {
        self.channel.send(message).await?;
        self.answer().await
    }

    /// Receives the next message.
    pub async fn answer<T: DeserializeOwned>(&self) -> Result<T> {
        let answer = self.channel.recv_as().await?;
        answer.ok_or_else(|| format!("{} ended without an answer", self.speaker).into())
    }

    /// Disconnects the channel and waits for the process to exit.
    pub async fn end(mut self) -> Result<Exit> {
        self.channel.disconnect().await;
        Ok(self.process.close().await?)
    }
}
