//! The channel that our parent gave us.

use std::env;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

use super::channel::{Channel, OPEN};
use super::descriptor::is_channel;
use super::incoming::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::environment;
use crate::sys::inherited::Inherited;
use crate::sys::readiness;

/// The environment variable with the number of the channel's descriptor.
pub const CHANNEL_FD: &str = "NODE_CHANNEL_FD";

/// The environment variable that says how values are written: `json`, the default, or `advanced`.
pub const SERIALIZATION_MODE: &str = "NODE_CHANNEL_SERIALIZATION_MODE";

/// The environment variable with the number of a cluster's worker.
pub const UNIQUE_ID: &str = "NODE_UNIQUE_ID";

/// The variables that a process must not pass on to its own children, where the numbers mean something else.
/// [`Command`](crate::child_process::Command) never passes them on.
pub const PRIVATE_VARIABLES: [&str; 3] = [CHANNEL_FD, SERIALIZATION_MODE, UNIQUE_ID];

/// Opens the channel to the process that started us: Node's `process.send` and `process.on('message')`.
///
/// Call it once, at the start. Like Node it removes [`PRIVATE_VARIABLES`] from our environment, if this is still the
/// process's only thread; otherwise they stay, since another thread might be reading them. A child started with
/// [`Command`](crate::child_process::Command) does not get them either way.
///
/// The parent learns of the end of the channel before it learns of our exit. When we disconnect, and when `main`
/// returns with the channel open, our direction of the stream is closed after the last message, also for other
/// processes that hold our end. Our end stays open until the parent has closed its own, for at most two seconds. Without that wait,
/// Node 24 and 26 emit `exit` before `disconnect`, or lose `disconnect`. `std::process::exit` does not wait: await
/// [`disconnect`](Channel::disconnect) before it.
///
/// ```no_run
/// # async fn example() -> forklore::Result<()> {
/// let parent = forklore::ipc::parent()?;
/// while let Some(message) = parent.recv().await? {
///     parent.send(&format!("you said {}", message.json())).await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ErrorKind::NoChannel`] with the reason: the variable is missing or not a number, the descriptor is not a channel
/// or was taken before, or the parent wants the serialization mode `advanced`.
///
/// # Panics
///
/// As for [`Channel::over`], and in a tokio runtime whose timers are not enabled.
pub fn parent() -> Result<Channel> {
    parent_with(Settings::default())
}

/// Like [`parent`], with explicit settings.
///
/// # Errors
///
/// As for [`parent`].
///
/// # Panics
///
/// As for [`parent`].
pub fn parent_with(mut settings: Settings) -> Result<Channel> {
    const PEER: &str = "our parent";
    let none = |sentence: String| Error::new(OPEN, PEER, ErrorKind::NoChannel(sentence));
    let number = env::var_os(CHANNEL_FD).unwrap_or_default();
    let inherited = Inherited::in_environment(CHANNEL_FD);
    let mode = env::var_os(SERIALIZATION_MODE);
    environment::remove(&PRIVATE_VARIABLES);
    if number.is_empty() {
        let sentence = "this process was not forked, but started in another way: NODE_CHANNEL_FD is not set";
        return Err(none(sentence.to_owned()));
    }
    let Some(inherited) = inherited else {
        let shown = number.to_string_lossy();
        return Err(none(format!("NODE_CHANNEL_FD is {shown:?}, which is not the number of a descriptor")));
    };
    let number = inherited.number();
    match mode.as_deref().map(|mode| mode.to_string_lossy()) {
        None => {}
        Some(mode) if mode == "json" => {}
        Some(mode) => {
            let sentence = "the parent wants the serialization";
            return Err(none(format!("{sentence} {mode:?}, and only \"json\" is spoken here")));
        }
    }
    // Before the descriptor is taken, which can be done once.
    readiness::runtime(OPEN, PEER)?;
    let check = |fd: BorrowedFd<'_>| is_channel(fd).map_err(|name| io::Error::other(format!("{name}, and no channel")));
    let fd = inherited.take(check).map_err(|error| match error.raw_os_error() {
        Some(libc::EBADF) => none(format!("NODE_CHANNEL_FD is {number}, and no such descriptor is open")),
        Some(libc::EBUSY) => none(format!("descriptor {number} has been taken before, or was opened by this process")),
        Some(_) => Error::io(OPEN, PEER, error),
        None => none(format!("descriptor {number}, which NODE_CHANNEL_FD names, is {error}")),
    })?;
    settings.waits_for_peer = true;
    Channel::over(UnixStream::from(fd), PEER, settings)
}
