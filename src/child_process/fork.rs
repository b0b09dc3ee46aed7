//! A child with a channel: Node's `fork`, for any program.

use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;

use super::stdio::OpenGuard;
use super::{Child, Command, Stdio};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::{CHANNEL_FD, Channel, SERIALIZATION_MODE};

/// The descriptor of the channel in Node's `fork`.
const DEFAULT_NUMBER: RawFd = 3;

impl Command {
    /// Starts the program with a channel to this process. Defaults, as in Node: the child inherits stdin, stdout and
    /// stderr, and has the channel at descriptor 3; [`Stdio::Ipc`] moves it.
    ///
    /// The program can be a Node script (`Command::new("node").arg("child.js")`), one that calls
    /// [`ipc::parent`](crate::ipc::parent), or any other that follows the convention: the environment variable
    /// `NODE_CHANNEL_FD` is the descriptor, and each line there is a JSON value.
    ///
    /// ```no_run
    /// # async fn example() -> forklore::Result<()> {
    /// use forklore::child_process::Command;
    ///
    /// let (mut child, channel) = Command::new("node").arg("child.js").fork()?;
    /// channel.send(&["hello", "child"]).await?;
    /// if let Some(answer) = channel.recv().await? {
    ///     println!("{}", answer.decode::<String>()?);
    /// }
    /// channel.disconnect().await;
    /// println!("{}", child.close().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// When this process ends, for whatever reason, the child sees the end of the channel and decides whether to exit.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Command::spawn); [`ErrorKind::InvalidInput`] if descriptor 3 is in use and is the only
    /// choice.
    ///
    /// # Panics
    ///
    /// Like [`spawn`](Command::spawn).
    pub fn fork(mut self) -> Result<(Child, Channel)> {
        for number in 0..3 {
            self.stdio.entry(number).or_insert(Stdio::Inherit);
        }
        if self.channel_number()?.is_none() && self.stdio.insert(DEFAULT_NUMBER, Stdio::Ipc).is_some() {
            let text = "descriptor 3 is in use, so Stdio::Ipc must be set at another one";
            return Err(Error::invalid("fork", self.name(), text));
        }
        let name = self.name();
        let mut child = self.spawn()?;
        let channel = child.channel.take();
        let channel = channel.ok_or_else(|| Error::new("fork", name, ErrorKind::ChannelClosed))?;
        Ok((child, channel))
    }

    /// Returns the descriptor of the child's channel.
    fn channel_number(&self) -> Result<Option<RawFd>> {
        let mut numbers = self.stdio.iter().filter(|(_, stdio)| matches!(stdio, Stdio::Ipc)).map(|(number, _)| *number);
        let number = numbers.next();
        if numbers.next().is_some() {
            let text = "a child has at most one channel, and Stdio::Ipc is at more than one descriptor";
            return Err(Error::invalid("spawn", self.name(), text));
        }
        Ok(number)
    }

    // ANCHOR: announce
    /// Names the channel's descriptor in the child's environment. This replaces an existing value. Node appends a
    /// second one, and then either can be the one that the child finds.
    pub(super) fn announce_channel(&mut self) -> Result<()> {
        let Some(number) = self.channel_number()? else { return Ok(()) };
        let environment = self.environment_mut();
        environment.insert(CHANNEL_FD.into(), number.to_string().into());
        environment.insert(SERIALIZATION_MODE.into(), "json".into());
        Ok(())
    }
    // ANCHOR_END: announce

    /// Opens the parent's end of the channel of a running child.
    pub(super) fn open_channel(&self, end: Option<(UnixStream, OpenGuard)>) -> Result<Option<Channel>> {
        let Some((stream, open)) = end else { return Ok(None) };
        Channel::held(stream, self.name(), self.settings, Some(Box::new(open))).map(Some)
    }
}
