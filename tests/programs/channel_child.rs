//! A child with a channel, for parents of any kind. Its first argument says what it does:
//!
//! `echo`: sends every message back, with its handle if it had one. `none`: prints why there is no channel. `keep`: keeps every handle
//! until there comes a message without one. `accept`: answers the connections of the server that it gets, `N` times. `count`: passes handles to itself
//! and compares its open descriptors. `poor`: is sent a handle while it has no descriptor left. `crowd`: sends more
//! handles than its user may have in flight. `quit`: sends many messages and returns from main.
//! `leave`: sends a message, disconnects and prints how the channel ended.

use std::error::Error;
use std::fs;
use std::io::{IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use forklore::child_process::{Command, Signal};
use forklore::ipc::{self, Channel, Handle, Settings};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::{Uid, setuid};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let what = std::env::args().nth(1).unwrap_or_default();
    match &*what {
        "count" => return count().await,
        "poor" => return poor().await,
        "crowd" => return crowd().await,
        _ => {}
    }
    let parent = match ipc::parent() {
        Ok(parent) => parent,
        Err(error) => {
            println!("{error}");
            return Ok(());
        }
    };
    match &*what {
        "echo" => echo(parent).await,
        "keep" => keep(parent).await,
        "accept" => accept(parent).await,
        "quit" => {
            for number in 0..10_000 {
                parent.post(&number)?;
            }
            Ok(())
        }
        "leave" => {
            parent.send("last words").await?;
            println!("{:?}", parent.disconnect().await);
            Ok(())
        }
        "none" => {
            println!("there is a channel, and {:?}", std::env::var_os(ipc::CHANNEL_FD));
            Ok(())
        }
        other => Err(format!("channel-child does not know how to {other}").into()),
    }
}

async fn echo(parent: Channel) -> Result<(), Box<dyn Error>> {
    while let Some(mut message) = parent.recv().await? {
        let value: serde_json::Value = message.decode()?;
        match message.handle.take() {
            None => parent.send(&value).await?,
            Some(handle) => drop(parent.send_handle(&value, handle).await?),
        }
    }
    Ok(())
}

async fn keep(parent: Channel) -> Result<(), Box<dyn Error>> {
    let mut kept = Vec::new();
    parent.send("ready").await?;
    while let Some(message) = parent.recv().await? {
        match message.handle {
            Some(handle) => kept.push(handle),
            None => kept.clear(),
        }
        parent.send(&kept.len()).await?;
    }
    Ok(())
}

async fn accept(parent: Channel) -> Result<(), Box<dyn Error>> {
    let message = parent.recv().await?.ok_or("no message")?;
    let times: u32 = message.decode()?;
    let listener = message.handle.ok_or("no handle")?.into_tcp_listener()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    parent.send("listening").await?;
    for _ in 0..times {
        let stream = listener.accept().await?.0.into_std()?;
        stream.set_nonblocking(false)?;
        (&stream).write_all(b"from the child")?;
    }
    Ok(())
}

/// Ten thousand handles, and as many descriptors open as before.
async fn count() -> Result<(), Box<dyn Error>> {
    let open = || std::fs::read_dir("/proc/self/fd").map(Iterator::count);
    let before = open()?;
    let (one, other) = UnixStream::pair()?;
    let sender = Channel::over(one, "myself", Settings::default().window(8))?;
    let receiver = Channel::over(other, "myself", Settings::default())?;
    let (keep, _other_end) = UnixStream::pair()?;
    let sending = async {
        let mut deliveries = std::collections::VecDeque::new();
        for number in 0..10_000 {
            deliveries.push_back(sender.post_handle(&number, Handle::of(&keep)?)?);
            if deliveries.len() == 8
                && let Some(delivery) = deliveries.pop_front()
            {
                delivery.await?;
            }
        }
        for delivery in deliveries {
            delivery.await?;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let receiving = async {
        for number in 0..10_000 {
            let message = receiver.recv().await?.ok_or("the end")?;
            assert_eq!(message.decode::<u32>()?, number);
            assert!(message.handle.is_some());
        }
        Ok(())
    };
    tokio::try_join!(sending, receiving)?;
    drop((keep, _other_end));
    tokio::join!(sender.disconnect(), receiver.closed());
    println!("{} descriptors more", open()? - before);
    Ok(())
}

/// The kernel drops a descriptor that there is no room for, and says so in a flag only. The sender is told, and sends it again.
async fn poor() -> Result<(), Box<dyn Error>> {
    let (one, other) = UnixStream::pair()?;
    let sender = Channel::over(one, "myself", Settings::default())?;
    let receiver = Channel::over(other, "myself", Settings::default())?;
    let (keep, _other_end) = UnixStream::pair()?;
    let handles = [Handle::of(&keep)?, Handle::Native(keep.into())];
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 3, hard)?;
    for handle in handles {
        let name = handle.type_name();
        match sender.send_handle(name, handle).await {
            Ok(_) => println!("{name} was taken"),
            Err(refused) => println!("{refused}"),
        }
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
    sender.send_handle("now there is room", UnixStream::pair()?.0).await?;
    let message = receiver.recv().await?.ok_or("the end")?;
    println!("{} {}", message.json(), message.handle.is_some());
    Ok(())
}

/// The kernel lets a user have as many descriptors in flight as the sender's limit of open ones, except for root.
async fn crowd() -> Result<(), Box<dyn Error>> {
    const HANDLES: usize = 100;
    let settings = Settings::default().window(HANDLES);
    let (mut child, channel) = Command::new(std::env::current_exe()?).arg("keep").channel_settings(settings).fork()?;
    assert_eq!(channel.recv().await?.ok_or("the end")?.json(), "\"ready\"");
    assert!(child.kill(Signal::SIGSTOP)?);
    while !fs::read_to_string(format!("/proc/{}/stat", child.pid()))?.contains(") T ") {
        tokio::task::yield_now().await;
    }
    if Uid::effective().is_root() {
        // A user that owns nothing else, which would count too.
        setuid(Uid::from_raw(54_321))?;
    }
    let (keep, _other_end) = UnixStream::pair()?;
    let mut deliveries = Vec::new();
    for number in 0..HANDLES {
        deliveries.push(channel.post_handle(&number, Handle::of(&keep)?)?);
    }
    let another = Handle::of(&keep)?;
    let (one, _other) = UnixStream::pair()?;
    let full = Channel::over(one, "a channel that has sent nothing", Settings::default())?;
    let (probe, mut probed) = UnixStream::pair()?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 20, hard)?;

    // The channel writes until the kernel refuses the next descriptor. Then it refuses any other one, too. A probe that
    // was sent is read, without its descriptor, and so is not in flight any more.
    let refused = loop {
        tokio::task::yield_now().await;
        let sent = sendmsg::<()>(
            probe.as_raw_fd(),
            &[IoSlice::new(b"x")],
            &[ControlMessage::ScmRights(&[keep.as_fd().as_raw_fd()])],
            MsgFlags::MSG_DONTWAIT,
            None,
        );
        match sent {
            Ok(_) => probed.read_exact(&mut [0])?,
            Err(errno) => break errno,
        }
    };
    assert_eq!(refused, Errno::ETOOMANYREFS);
    let not_sent = full.send_handle("one more", another).await.expect_err("too many are in flight");
    println!("{not_sent}");
    assert!(not_sent.handle.is_some(), "it comes back");
    assert!(channel.ending().is_none(), "the channel waits");

    assert!(child.kill(Signal::SIGCONT)?);
    for delivery in deliveries {
        delivery.await?;
    }
    for number in 1..=HANDLES {
        assert_eq!(channel.recv().await?.ok_or("the end")?.decode::<usize>()?, number);
    }
    channel.disconnect().await;
    child.close().await?;
    println!("all {HANDLES} have arrived");
    Ok(())
}
