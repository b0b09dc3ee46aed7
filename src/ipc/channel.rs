//! A channel between two processes, as its user sees it.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::delivery::Delivery;
use super::descriptor::{self, Nature};
use super::driver::{Driver, Hold};
use super::frame;
use super::message::{self, Message};
use super::queue::{Outcome, Parcel, Receipt};
use super::settings::Settings;
use super::shared::Shared;
use super::{Ending, Handle, NotSent};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::readiness;

/// One end of a channel: messages both ways, each a JSON value, some with a [`Handle`].
///
/// A clone is the same end. When the last of them is dropped the channel disconnects, as by [`disconnect`](Channel::disconnect), but
/// nobody waits for it. Whoever waits in [`recv`](Channel::recv) keeps a program alive as long as the channel is open, which is what
/// a listener for `message` does in Node; a channel that nobody waits for keeps nothing alive.
///
/// It is used fastest from a task (`tokio::spawn`). The future that a current-thread runtime itself blocks on costs about one
/// `epoll_wait(2)` more for each message: the runtime looks at its sockets again before it looks at that future.
///
/// A task of its own serves the channel: handles are acknowledged and questions answered while nobody receives. It needs the runtime
/// to run now and then. What was sent when the runtime ends, because `main` returns, is still written, for which the process waits
/// two seconds if the peer takes nothing; what was sent before
/// `std::process::exit` may be lost, unless [`flush`](Channel::flush) was awaited.
#[derive(Clone)]
pub struct Channel(Arc<Side>);

/// Disconnects when the last user has gone.
struct Side(Arc<Shared>);

impl Drop for Side {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("peer", &self.shared().peer).finish_non_exhaustive()
    }
}

/// Where it is told what became of handles that have a number.
pub(crate) type Outcomes = mpsc::UnboundedSender<(u64, Outcome)>;

thread_local! {
    /// Where messages are written before they are queued, so that a value's own code never runs while the queue is locked.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Channel {
    /// A channel over one end of a socket pair. `peer` is who is at the other end, as error messages are to call it. For a child use
    /// [`Command::fork`](crate::child_process::Command::fork), for our parent [`parent`](super::parent).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] outside a tokio runtime; those of registering the socket.
    ///
    /// # Panics
    ///
    /// In a tokio runtime whose I/O driver is not enabled, which cannot be asked beforehand.
    pub fn over(stream: UnixStream, peer: impl Into<String>, settings: Settings) -> Result<Channel> {
        Channel::held(stream, peer.into(), settings, None)
    }

    /// The same; `hold` is dropped when the socket has been closed.
    pub(crate) fn held(stream: UnixStream, peer: String, settings: Settings, hold: Option<Hold>) -> Result<Channel> {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            let sentence = "this thread is in no tokio runtime, which would serve the channel".to_owned();
            return Err(Error::new("open the channel to", peer, ErrorKind::InvalidInput(sentence)));
        };
        let failed = |error| Error::io("open the channel to", peer.clone(), error);
        stream.set_nonblocking(true).map_err(failed)?;
        let number = stream.as_raw_fd();
        let socket = readiness::readable_and_writable(stream.into()).map_err(|(_, error)| failed(error))?;
        let shared = Arc::new(Shared::new(settings, peer, number));
        runtime.spawn(Driver::new(socket, shared.clone(), hold));
        Ok(Channel(Arc::new(Side(shared))))
    }

    /// To be called when the process at the other end has ended: what it has sent is then read to its end, however little of it
    /// has been received.
    pub(crate) fn when_peer_exits(&self) -> impl FnOnce() + Send + 'static {
        let shared = self.shared().clone();
        move || shared.peer_exited()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    /// Sends a message: whatever serde can write as JSON. Waits, when more than 128 KiB are waiting already, until there is room; if it
    /// is cancelled then, nothing has been sent. Otherwise it returns at once, and the message is written, together with what else
    /// is sent meanwhile, when this task waits for something.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`]; [`ErrorKind::Json`] when it is no JSON.
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<()> {
        poll_fn(|context| self.shared().poll_room(context)).await?;
        self.post(message).map(drop)
    }

    /// Sends a message without ever waiting. The answer is advice, as that of Node's `send`: `false` means that more than 128 KiB are
    /// waiting, and that it would be better to wait for [`flush`](Channel::flush).
    ///
    /// # Errors
    ///
    /// As for [`send`](Channel::send).
    pub fn post(&self, message: &(impl Serialize + ?Sized)) -> Result<bool> {
        let mut line = SCRATCH.take();
        line.clear();
        frame::encode(message, &mut line).map_err(|error| self.not_json(error))?;
        let (room, memory) = self.shared().post(line)?;
        SCRATCH.set(memory);
        Ok(room)
    }

    /// Sends a message with a handle, and waits until the peer has acknowledged it. The handle that comes back is ours: dropped, it is
    /// closed here and open there, as Node does with a `net.Socket`; kept, both have it (Node's `keepOpen`).
    ///
    /// ```no_run
    /// # async fn example(channel: forklore::ipc::Channel, listener: std::net::TcpListener) -> forklore::Result<()> {
    /// channel.send_handle("serve this", listener).await?; // ours is closed here
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Messages sent later come after it. If it is cancelled the handle may have been sent; ours is then closed at the acknowledgement.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsendable`], [`ErrorKind::HandleRefused`], [`ErrorKind::ChannelClosed`], [`ErrorKind::Json`]; in each case the
    /// handle comes back with the error.
    pub async fn send_handle(
        &self,
        message: &(impl Serialize + ?Sized),
        handle: impl Into<Handle>,
    ) -> Result<Handle, NotSent> {
        let handle = handle.into();
        if let Err(error) = poll_fn(|context| self.shared().poll_room(context)).await {
            return Err(NotSent::new(error, handle));
        }
        self.post_handle(message, handle)?.await
    }

    /// The same without waiting for room. The handle is on its way, whether or not the [`Delivery`] is awaited.
    ///
    /// # Errors
    ///
    /// As for [`send_handle`](Channel::send_handle), apart from those that only the peer's answer brings.
    pub fn post_handle(
        &self,
        message: &(impl Serialize + ?Sized),
        handle: impl Into<Handle>,
    ) -> Result<Delivery, NotSent> {
        let handle = handle.into();
        if let Err(error) = handle.prepare() {
            return Err(NotSent::new(error, handle));
        }
        let line = match message::with_handle(message, &handle) {
            Ok(line) => line,
            Err(error) => return Err(NotSent::new(self.not_json(error), handle)),
        };
        let (receipt, outcome) = oneshot::channel();
        self.shared().post_parcel(Box::new(Parcel { line, handle, times: 0, receipt: Receipt::One(receipt) }))?;
        Ok(Delivery::new(outcome))
    }

    /// Posts a connection as [`Handle::Native`], without asking the kernel again what it is: a stream socket that does not block. What
    /// becomes of it is told to `outcomes`, with `number`.
    pub(crate) fn post_connection(
        &self,
        message: &impl Serialize,
        connection: OwnedFd,
        number: u64,
        outcomes: &Outcomes,
    ) -> Result<(), NotSent> {
        let handle = Handle::Native(connection);
        let line = match message::with_handle(message, &handle) {
            Ok(line) => line,
            Err(error) => return Err(NotSent::new(self.not_json(error), handle)),
        };
        let receipt = Receipt::Numbered(number, outcomes.clone());
        self.shared().post_parcel(Box::new(Parcel { line, handle, times: 0, receipt }))
    }

    /// Begins to disconnect, as [`disconnect`](Channel::disconnect), and waits for nothing.
    pub(crate) fn begin_disconnect(&self) {
        self.shared().close();
    }

    /// The process at the other end has ended: ends the channel when what it had sent is read, whoever else holds its end.
    pub(crate) fn sever(&self) {
        self.shared().sever();
    }

    /// Waits until the kernel has taken all that was sent so far. That is not yet to say that the peer has read it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`] when the channel ended before that.
    pub async fn flush(&self) -> Result<()> {
        let mark = self.shared().lock().queue.posted();
        poll_fn(|context| self.shared().poll_passed(mark, context)).await
    }

    /// The next message; `None` when the channel has ended and all that came before has been received. Can be cancelled without loss.
    /// Of several tasks that receive, each message goes to one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] or [`ErrorKind::MessageTooLong`] when the peer sent what is not allowed: once, and the channel has
    /// ended. That the peer died is none; [`ending`](Channel::ending) tells.
    pub async fn recv(&self) -> Result<Option<Message>> {
        poll_fn(|context| self.shared().poll_message(false, context)).await
    }

    /// The next internal message, if [`Settings::internal_messages`] asked for them; otherwise like [`recv`](Channel::recv).
    ///
    /// # Errors
    ///
    /// As for [`recv`](Channel::recv).
    pub async fn recv_internal(&self) -> Result<Option<Message>> {
        poll_fn(|context| self.shared().poll_message(true, context)).await
    }

    /// Asks the peer how many of the connections that it was sent with this key ([`Socket::with_key`](super::Socket::with_key)) it
    /// still has open. A Node peer that was sent none does not answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`], also when it ends before the answer.
    pub async fn open_sockets(&self, key: &str) -> Result<u64> {
        self.answer(self.shared().ask(key, true)?).await
    }

    /// Waits until the peer has closed every connection that it was sent with this key.
    ///
    /// # Errors
    ///
    /// As for [`open_sockets`](Channel::open_sockets).
    pub async fn all_closed(&self, key: &str) -> Result<()> {
        self.answer(self.shared().ask(key, false)?).await.map(drop)
    }

    async fn answer(&self, answered: oneshot::Receiver<u64>) -> Result<u64> {
        answered.await.map_err(|_| self.shared().error("ask", ErrorKind::ChannelClosed))
    }

    /// Closes the channel, on both sides, when all that was sent has been written and every handle acknowledged. Node drops what it has
    /// not written by then. What the peer sent before can still be received.
    ///
    /// The answer says how the channel really ended: the peer may have been first.
    pub async fn disconnect(&self) -> Ending {
        self.shared().close();
        self.closed().await
    }

    /// Waits for the end of the channel, whoever ends it: Node's event `disconnect`. Messages that came before may still be waiting.
    pub async fn closed(&self) -> Ending {
        poll_fn(|context| self.shared().poll_ending(context)).await
    }

    /// How the channel ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.shared().ending()
    }

    /// The number of our end's descriptor, while the channel is open, to be shown: Node's `channel.fd`.
    pub fn fd(&self) -> Option<RawFd> {
        self.ending().is_none().then_some(self.shared().number)
    }

    /// Whether messages can be sent: Node's `connected`, false as soon as a disconnect has begun.
    pub fn is_connected(&self) -> bool {
        !self.shared().lock().closing
    }

    fn not_json(&self, error: serde_json::Error) -> Error {
        self.shared()
            .error("send to", ErrorKind::Json(format!("the message is no JSON: {error}")))
            .caused_by(error.into())
    }
}

/// Whether a channel can be made of this descriptor.
pub(super) fn is_channel(fd: impl AsFd) -> Result<(), String> {
    match descriptor::nature(fd.as_fd()) {
        Ok(Nature::Unix) if !descriptor::is_listening(fd.as_fd()) => Ok(()),
        Ok(nature) => Err(nature.name().to_owned()),
        Err(name) => Err(name),
    }
}
