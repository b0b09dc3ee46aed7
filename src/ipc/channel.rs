//! A channel between two processes, as its user sees it.

use std::fmt;
use std::future::poll_fn;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::driver::{Driver, Hold};
use super::handle::Handle;
use super::incoming::Settings;
use super::mailbox::{Mailbox, Users};
use super::message::Message;
use super::outcome::{Delivery, Ending, NotSent, Outcomes, Receipt};
use super::queue::HandleMessage;
use super::{frame, line};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::readiness;

/// One end of a channel: messages both ways, each a JSON value, some with a [`Handle`].
///
/// A clone is the same end. When the last clone is dropped the channel disconnects as by
/// [`disconnect`](Channel::disconnect), in the background. A task that waits in [`recv`](Channel::recv) keeps a program
/// alive as long as the channel is open, like a listener for `message` in Node; a channel alone keeps nothing alive.
///
/// A channel is fastest in a task (`tokio::spawn`). The future that a current-thread runtime itself blocks on costs
/// about one more `epoll_wait(2)` for each message: the runtime looks at its sockets again before it polls that future.
///
/// A task of its own serves the channel: it acknowledges handles and answers questions even while the user receives
/// nothing. It needs the runtime to run now and then. When the runtime ends, because `main` returns, what was sent is
/// still written; for a peer that takes nothing the process waits two seconds, as it does for a parent that does not
/// close its end. What was sent before `std::process::exit` may be lost, unless [`flush`](Channel::flush) was awaited.
#[derive(Clone)]
pub struct Channel(Arc<Users>);

/// The operation of opening a channel, for error messages.
pub(super) const OPEN: &str = "open the channel to";

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("peer", &self.mailbox().peer).finish_non_exhaustive()
    }
}

impl Channel {
    /// Opens a channel over one end of a socket pair. `peer` is what error messages call the process at the other end.
    /// For a child use [`Command::fork`](crate::child_process::Command::fork), for our parent
    /// [`parent`](super::parent()).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] outside a tokio runtime; those of registering the socket.
    ///
    /// # Panics
    ///
    /// In a tokio runtime whose I/O driver is not enabled: it cannot be asked beforehand.
    pub fn over(stream: UnixStream, peer: impl Into<String>, settings: Settings) -> Result<Channel> {
        Channel::held(stream, peer.into(), settings, None)
    }

    /// Like [`over`](Channel::over), and drops `hold` when the socket is closed.
    pub(crate) fn held(stream: UnixStream, peer: String, settings: Settings, hold: Option<Hold>) -> Result<Channel> {
        let runtime = readiness::runtime(OPEN, &peer)?;
        let failed = |error| Error::io(OPEN, peer.clone(), error);
        stream.set_nonblocking(true).map_err(failed)?;
        let number = stream.as_raw_fd();
        let socket = readiness::readable_and_writable(stream.into()).map_err(|(_, error)| failed(error))?;
        let mailbox = Arc::new(Mailbox::new(peer, number, settings.bounded));
        runtime.spawn(Driver::new(socket, mailbox.clone(), settings, hold));
        Ok(Channel(Arc::new(Users(mailbox))))
    }

    /// Returns what to call when the peer's process has exited: from then on all that it sent is read.
    pub(crate) fn when_peer_exits(&self) -> impl FnOnce() + Send + 'static {
        let mailbox = self.mailbox().clone();
        move || mailbox.peer_exited()
    }

    fn mailbox(&self) -> &Arc<Mailbox> {
        &self.0.0
    }

    /// Sends a message: any value that serde can write as JSON. While more than 128 KiB are waiting it waits for room.
    /// Then it returns at once, and the message is written when this task waits for something, together with what else
    /// was sent meanwhile.
    ///
    /// This method is cancel safe: if it is cancelled, nothing has been sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`]; [`ErrorKind::Json`] when the value cannot be written as JSON.
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<()> {
        poll_fn(|context| self.mailbox().poll_room(context)).await?;
        self.post(message).map(drop)
    }

    /// Sends a message without waiting for room. The result is advice, as that of Node's `send`: `false` means that
    /// more than 128 KiB are waiting, and that the caller should await [`flush`](Channel::flush).
    ///
    /// # Errors
    ///
    /// As for [`send`](Channel::send).
    pub fn post(&self, message: &(impl Serialize + ?Sized)) -> Result<bool> {
        let mut line = frame::SCRATCH.take();
        line.clear();
        frame::encode(message, &mut line).map_err(|error| self.not_json(error))?;
        let (room, memory) = self.mailbox().post(line)?;
        frame::SCRATCH.set(memory);
        Ok(room)
    }

    /// Sends a message with a handle, and waits until the peer has acknowledged it. The handle that is returned is
    /// ours: dropped, it is closed here and open there, as Node does with a `net.Socket`; kept, both processes have it
    /// (`keepOpen`).
    ///
    /// ```no_run
    /// # async fn example(channel: forklore::ipc::Channel, listener: std::net::TcpListener) -> forklore::Result<()> {
    /// channel.send_handle("serve this", listener).await?; // ours is closed here
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Messages sent later come after it. If this method is cancelled the handle may have been sent; ours is then
    /// closed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsendable`], [`ErrorKind::HandleRefused`], [`ErrorKind::ChannelClosed`], [`ErrorKind::Json`]. The
    /// error contains the handle.
    pub async fn send_handle(
        &self,
        message: &(impl Serialize + ?Sized),
        handle: impl Into<Handle>,
    ) -> Result<Handle, NotSent> {
        let handle = handle.into();
        if let Err(error) = poll_fn(|context| self.mailbox().poll_room(context)).await {
            return Err(NotSent::new(error, handle));
        }
        self.post_handle(message, handle)?.await
    }

    /// Like [`send_handle`](Channel::send_handle), without waiting for room. The handle is on its way even if the
    /// [`Delivery`] is not awaited.
    ///
    /// # Errors
    ///
    /// As for [`send_handle`](Channel::send_handle), except those that only the peer's answer brings.
    pub fn post_handle(
        &self,
        message: &(impl Serialize + ?Sized),
        handle: impl Into<Handle>,
    ) -> Result<Delivery, NotSent> {
        let handle = handle.into();
        if let Err(error) = handle.prepare() {
            return Err(NotSent::new(error, handle));
        }
        let (receipt, delivery) = Delivery::new();
        self.post_with(message, handle, receipt).map(|()| delivery)
    }

    /// Posts a connection as [`Handle::Native`], without asking the kernel what it is: a non-blocking stream socket.
    /// Its outcome goes to `outcomes`, with `number`.
    pub(crate) fn post_connection(
        &self,
        message: &impl Serialize,
        connection: OwnedFd,
        number: u64,
        outcomes: &Outcomes,
    ) -> Result<(), NotSent> {
        self.post_with(message, Handle::Native(connection), Receipt::Numbered(number, outcomes.clone()))
    }

    fn post_with(&self, message: &(impl Serialize + ?Sized), handle: Handle, receipt: Receipt) -> Result<(), NotSent> {
        let line = match line::with_handle(message, &handle) {
            Ok(line) => line,
            Err(error) => return Err(NotSent::new(self.not_json(error), handle)),
        };
        let mut contents = self.mailbox().lock();
        if contents.closing {
            return Err(NotSent::new(self.mailbox().closed("send to"), handle));
        }
        contents.queue.push_handle(Box::new(HandleMessage { line, handle, times: 0, receipt }));
        contents.wake_driver();
        Ok(())
    }

    /// Waits until the peer begins to leave unread what it is sent (true), or reads again (false). For a primary's end.
    pub(crate) async fn stall_changed(&self) -> bool {
        poll_fn(|context| self.mailbox().poll_stall(context)).await
    }

    /// Begins to disconnect like [`disconnect`](Channel::disconnect), without waiting.
    pub(crate) fn begin_disconnect(&self) {
        self.mailbox().close();
    }

    /// Ends the channel when what arrived has been read, whichever process still holds the other end.
    pub(crate) fn sever(&self) {
        self.mailbox().sever();
    }

    /// Waits until the kernel has taken everything that was sent so far. The peer may not have read it yet.
    ///
    /// This method is cancel safe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`] when the channel ended before that.
    pub async fn flush(&self) -> Result<()> {
        let mark = self.mailbox().lock().queue.posted();
        poll_fn(|context| self.mailbox().poll_passed(mark, context)).await
    }

    /// Receives the next message; `None` when the channel has ended and everything that came before has been received.
    /// If several tasks receive, each message goes to one of them.
    ///
    /// This method is cancel safe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] or [`ErrorKind::MessageTooLong`] when the peer sent what is not allowed: once, and the
    /// channel has ended. Some of what is not JSON is noticed when it arrives, the rest when it is received. The death
    /// of the peer is not an error: see [`ending`](Channel::ending).
    pub async fn recv(&self) -> Result<Option<Message>> {
        let message = poll_fn(|context| self.mailbox().poll_message(false, context)).await?;
        message.map(|message| self.mailbox().checked(message)).transpose()
    }

    /// Receives the next message as a `T`: [`recv`](Channel::recv) and [`Message::decode`] in one, which reads the JSON
    /// once instead of twice. A handle that came with the message is closed.
    ///
    /// This method is cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Channel::recv); [`ErrorKind::Json`] when the message is JSON, but not a `T`. The message is lost
    /// then, and the channel stays open.
    pub async fn recv_as<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let message = poll_fn(|context| self.mailbox().poll_message(false, context)).await?;
        let Some(message) = message else { return Ok(None) };
        message.decode().map(Some).or_else(|error| self.mailbox().checked(message).and(Err(error)))
    }

    /// Like [`recv`](Channel::recv), for the internal messages that [`Settings::internal_messages`] keeps.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Channel::recv).
    pub async fn recv_internal(&self) -> Result<Option<Message>> {
        poll_fn(|context| self.mailbox().poll_message(true, context)).await
    }

    /// Asks the peer how many of the connections that it was sent with this key
    /// ([`Socket::with_key`](super::Socket::with_key)) it still has open. A Node peer that was sent none does not
    /// answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`], also when it ends before the answer.
    pub async fn open_sockets(&self, key: &str) -> Result<u64> {
        self.answer(self.mailbox().ask(key, true)?).await
    }

    /// Waits until the peer has closed every connection that it was sent with this key.
    ///
    /// # Errors
    ///
    /// As for [`open_sockets`](Channel::open_sockets).
    pub async fn all_closed(&self, key: &str) -> Result<()> {
        self.answer(self.mailbox().ask(key, false)?).await.map(drop)
    }

    async fn answer(&self, answered: oneshot::Receiver<u64>) -> Result<u64> {
        answered.await.map_err(|_| self.mailbox().closed("ask"))
    }

    /// Closes the channel on both sides, after everything that was sent is written and every handle acknowledged. Node
    /// drops what it has not written by then. What the peer sent before can still be received.
    ///
    /// In a child, the channel of [`parent`](super::parent()) stays half open until the parent has closed its end, for
    /// at most two seconds: what the parent sends meanwhile is dropped, and a handle among it is not acknowledged.
    ///
    /// Returns how the channel really ended: the peer may have been first.
    pub async fn disconnect(&self) -> Ending {
        self.mailbox().close();
        self.closed().await
    }

    /// Waits for the end of the channel: Node's event `disconnect`. Earlier messages may still be waiting.
    pub async fn closed(&self) -> Ending {
        poll_fn(|context| self.mailbox().poll_ending(context)).await
    }

    /// Returns how the channel ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.mailbox().ending()
    }

    /// Returns the number of our end's descriptor while the channel is open, for display: Node's `channel.fd`.
    pub fn fd(&self) -> Option<RawFd> {
        self.ending().is_none().then_some(self.mailbox().number)
    }

    /// Whether messages can be sent: Node's `connected`, false as soon as a disconnect has begun.
    pub fn is_connected(&self) -> bool {
        !self.mailbox().lock().closing
    }

    fn not_json(&self, error: serde_json::Error) -> Error {
        let sentence = format!("the message cannot be written as JSON: {error}");
        self.mailbox().error("send to", ErrorKind::Json(sentence)).caused_by(error.into())
    }
}
