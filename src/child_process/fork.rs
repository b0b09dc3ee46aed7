//! A child with a channel: Node's `fork`, for any program.

use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;

use super::stdio::Open;
use super::{Child, Command, Stdio};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::{CHANNEL_FD, Channel, SERIALIZATION_MODE};

/// Where Node's `fork` puts the channel.
const USUAL_NUMBER: RawFd = 3;

impl Command {
    /// Starts the program with a channel between it and us. As in Node, the child has our own stdin, stdout and stderr if not said
    /// otherwise, and the channel at descriptor 3 unless [`Stdio::Ipc`] was put elsewhere.
    ///
    /// The program may be a Node script (`Command::new("node").arg("child.js")`), one that calls [`ipc::parent`](crate::ipc::parent), or
    /// any other that follows the convention: the environment variable `NODE_CHANNEL_FD` holds the number, and each line there is a
    /// JSON value.
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
    /// The child is told by the end of the channel that we are gone, however we end; whether it then ends, too, is up to it.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Command::spawn); [`ErrorKind::InvalidInput`] when descriptor 3 is to be something else and the channel is nowhere.
    ///
    /// # Panics
    ///
    /// As [`spawn`](Command::spawn).
    pub fn fork(mut self) -> Result<(Child, Channel)> {
        let invalid = |program: &Command, sentence: &str| {
            Error::new("fork", program.program.to_string_lossy(), ErrorKind::InvalidInput(sentence.to_owned()))
        };
        for number in 0..3 {
            self.stdio.entry(number).or_insert(Stdio::Inherit);
        }
        if self.channel_number()?.is_none() && self.stdio.insert(USUAL_NUMBER, Stdio::Ipc).is_some() {
            return Err(invalid(&self, "descriptor 3 is something else, so Stdio::Ipc has to be put elsewhere"));
        }
        let name = self.program.clone();
        let mut child = self.spawn()?;
        let channel = child.channel.take();
        let channel = channel.ok_or_else(|| Error::new("fork", name.to_string_lossy(), ErrorKind::ChannelClosed))?;
        Ok((child, channel))
    }

    /// The number at which the child has its channel.
    fn channel_number(&self) -> Result<Option<RawFd>> {
        let mut numbers = self.stdio.iter().filter(|(_, stdio)| matches!(stdio, Stdio::Ipc)).map(|(number, _)| *number);
        let number = numbers.next();
        if numbers.next().is_some() {
            let sentence = "a child has one channel at most, and Stdio::Ipc is at more than one descriptor";
            let kind = ErrorKind::InvalidInput(sentence.to_owned());
            return Err(Error::new("spawn", self.program.to_string_lossy(), kind));
        }
        Ok(number)
    }

    // ANCHOR: announce
    /// Tells the child by its environment where its channel is. A value that stands there already is replaced: Node appends its own, and
    /// which of the two the child finds is then a matter of luck.
    pub(super) fn announce_channel(&mut self) -> Result<()> {
        let Some(number) = self.channel_number()? else { return Ok(()) };
        let environment = self.environment_mut();
        environment.insert(CHANNEL_FD.into(), number.to_string().into());
        environment.insert(SERIALIZATION_MODE.into(), "json".into());
        Ok(())
    }
    // ANCHOR_END: announce

    /// Our end of the channel of a child that runs.
    pub(super) fn open_channel(&self, end: Option<(UnixStream, Open)>) -> Result<Option<Channel>> {
        let Some((stream, open)) = end else { return Ok(None) };
        let peer = self.program.to_string_lossy().into_owned();
        Channel::held(stream, peer, self.settings, Some(Box::new(open))).map(Some)
    }
}
