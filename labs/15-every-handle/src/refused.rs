//! What cannot be sent. The kernel would pass any descriptor, but a Node that gets one of these refuses every later handle, or aborts.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use forklore::ipc::{Channel, Handle};
use nix::sys::eventfd::EventFd;
use transcript::Transcript;

/// Tries to send each; gives what became of the regular file.
pub(crate) async fn send_all(t: &Transcript, channel: &Channel) -> kit::Result<String> {
    let file = send(t, channel, File::open("/proc/version")?.into()).await?;
    let mut others: Vec<OwnedFd> =
        vec![File::open("/dev/null")?.into(), EventFd::new()?.into(), UnixDatagram::unbound()?.into()];
    if io::stdin().is_terminal() {
        others.push(io::stdin().as_fd().try_clone_to_owned()?);
    }
    let mut codes = vec![file.clone()];
    for other in others {
        codes.push(send(t, channel, other).await?);
    }
    codes.dedup();
    t.say(format!("the code of each error, which is Node's: {}", codes.join(", ")));
    Ok(if file == "ERR_INVALID_HANDLE_TYPE" { "refused".to_owned() } else { file })
}

// ANCHOR: send
/// Gives the error's name.
async fn send(t: &Transcript, channel: &Channel, fd: OwnedFd) -> kit::Result<String> {
    match channel.send_handle("refused", Handle::Native(fd)).await {
        Ok(_) => Ok("accepted".to_owned()),
        Err(not_sent) => {
            // It ends in "over a channel", which a line of 80 columns has no room for.
            let sentence = not_sent.error.kind().to_string();
            t.say(sentence.trim_end_matches(" over a channel"));
            Ok(not_sent.error.code().unwrap_or(sentence))
        }
    }
}
// ANCHOR_END: send
