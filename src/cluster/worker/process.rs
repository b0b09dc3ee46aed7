//! This process as a worker.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::listen::Listen;
use super::shared::{Granted, Shared, Stage};
use super::udp::{Udp, UdpSocket};
use super::{Listener, reader};
use crate::cluster::protocol::{Act, Plain, Query};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::{self, Channel, Message, UNIQUE_ID};
use crate::net::{self, Acceptor, Bound};

/// Whether [`worker`] has removed [`UNIQUE_ID`] from the environment.
static IS_WORKER: AtomicBool = AtomicBool::new(false);

/// Whether a primary started this process: Node's `cluster.isWorker`.
pub fn is_worker() -> bool {
    IS_WORKER.load(Ordering::Relaxed) || env::var_os(UNIQUE_ID).is_some()
}

/// Whether no primary started this process: Node's `cluster.isPrimary`.
pub fn is_primary() -> bool {
    !is_worker()
}

/// How a worker is to behave.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerSettings {
    channel: ipc::Settings,
    survive: bool,
}

impl WorkerSettings {
    /// Goes on when the primary ends or closes the channel without asking us to leave. Otherwise the process exits with code 0 at that
    /// moment, as a worker in Node does.
    pub fn survive_primary(self) -> WorkerSettings {
        WorkerSettings { survive: true, ..self }
    }

    /// The limit of [`ipc::Settings::message_limit`].
    pub fn message_limit(self, bytes: usize) -> WorkerSettings {
        WorkerSettings { channel: self.channel.message_limit(bytes), ..self }
    }
}

/// This process as a worker of the primary that started it. Call it once, at the start.
///
/// ```no_run
/// # use tokio::io::AsyncWriteExt;
/// # async fn example() -> forklore::Result<()> {
/// use forklore::cluster::{self, Listen};
///
/// let worker = cluster::worker()?;
/// let listener = worker.listen(Listen::tcp("127.0.0.1", 8000)).await?;
/// while let Some(mut connection) = listener.accept().await? {
///     tokio::spawn(async move { connection.write_all(b"hello\n").await });
/// }
/// worker.disconnected().await; // the connections that are open come to their end
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ErrorKind::NoChannel`] with the reason when no primary started this process, and those of [`ipc::parent`].
///
/// # Panics
///
/// As [`Channel::over`].
pub fn worker() -> Result<WorkerProcess> {
    worker_with(WorkerSettings::default())
}

/// The same with other settings.
///
/// # Errors
///
/// As for [`worker`].
///
/// # Panics
///
/// As [`Channel::over`].
pub fn worker_with(settings: WorkerSettings) -> Result<WorkerProcess> {
    let none = |sentence: String| Error::new("work for", "our primary", ErrorKind::NoChannel(sentence));
    let id = env::var_os(UNIQUE_ID).map(|id| id.to_string_lossy().into_owned());
    let id = match id.as_deref().map(str::parse::<u32>) {
        Some(Ok(id)) => id,
        Some(Err(_)) => {
            return Err(none(format!("NODE_UNIQUE_ID is {:?}, and no number of a worker", id.unwrap_or_default())));
        }
        None if env::var_os(ipc::CHANNEL_FD).is_some_and(|number| !number.is_empty()) => {
            let sentence = "this process was forked, but is not a worker of a cluster: NODE_UNIQUE_ID is not set";
            return Err(none(sentence.to_owned()));
        }
        // That there is no channel either is said below.
        None => 0,
    };
    let channel = ipc::parent_with(settings.channel.internal_messages())?;
    IS_WORKER.store(true, Ordering::Relaxed);
    WorkerProcess::start(id, channel, settings.survive)
}

/// This process as a worker: what Node has in `cluster.worker`.
///
/// A clone is the same. When the last of them is dropped before a [`disconnect`](WorkerProcess::disconnect) the channel is closed, as it
/// is when `main` returns: the primary learns of a worker that has disconnected without saying so, and every listener has come to its end.
#[derive(Debug, Clone)]
pub struct WorkerProcess(Arc<Owner>);

/// Closes the channel when the last user has gone.
#[derive(Debug)]
struct Owner {
    id: u32,
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl WorkerProcess {
    pub(super) fn start(id: u32, channel: Channel, survive: bool) -> Result<WorkerProcess> {
        let shared = Arc::new(Shared::new(channel));
        shared.post(Plain::act(Act::Online))?;
        tokio::spawn(reader::run(shared.clone(), survive));
        Ok(WorkerProcess(Arc::new(Owner { id, shared })))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// The number that the primary gave us, from 1.
    pub fn id(&self) -> u32 {
        self.0.id
    }

    /// Listens. Several workers that listen on the same address share it: the primary accepts connections and hands them out, or has
    /// the kernel do so, as its policy says. A worker that listens on the same address twice has two servers there, which the primary tells
    /// apart.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`] with what the primary was told by the kernel (`EADDRINUSE`, …); [`ErrorKind::InvalidInput`] for a name or a
    /// path that can be none; [`ErrorKind::ChannelClosed`] when the worker is leaving, or the channel ends before the answer.
    pub async fn listen(&self, what: Listen) -> Result<Listener> {
        let subject = what.to_string();
        let query = what.query().await?;
        if what.is_exclusive() {
            let acceptor = listen_alone(&query).map_err(|error| Error::io("listen on", &*subject, error))?;
            let local = acceptor.local_address();
            return Ok(Listener::new(self.shared().open_own(acceptor, &query, subject)?, local, None));
        }
        let Granted { held, query, reply, handle } = self.shared().granted(query, subject.clone()).await?;
        let mut local = reply.sockname.and_then(|name| name.socket_address());
        if let Some(handle) = handle {
            let acceptor =
                listen_shared(handle.into(), &query).map_err(|error| Error::io("listen on", &*subject, error))?;
            local = acceptor.local_address();
            held.open(acceptor);
        }
        self.shared().listening(held.server(), query, local);
        Ok(Listener::new(held, local, reply.data))
    }

    /// Binds a UDP socket, which all workers share that bind the same address: each datagram goes to one of them, as the kernel likes.
    ///
    /// # Errors
    ///
    /// As for [`listen`](WorkerProcess::listen).
    pub async fn bind_udp(&self, what: Udp) -> Result<UdpSocket> {
        let subject = what.to_string();
        let query = what.query().await?;
        if what.is_exclusive() {
            let bound = query.endpoint().bind().map_err(|errno| Error::system("listen on", &*subject, errno))?;
            return UdpSocket::new(None, bound.socket.into(), &subject);
        }
        let Granted { held, query, handle, .. } = self.shared().granted(query, subject.clone()).await?;
        let Some(handle) = handle else {
            let sentence = "the primary answered without a socket".to_owned();
            return Err(Error::new("listen on", subject, ErrorKind::Json(sentence)));
        };
        let server = held.server().clone();
        let socket = UdpSocket::new(Some(held), handle.into_udp_socket()?, &subject)?;
        self.shared().listening(&server, query, socket.local_addr().ok());
        Ok(socket)
    }

    /// Leaves the cluster by our own wish: no listener takes anything more, and when the last [`Connection`](super::Connection) has been
    /// dropped the primary is told that we go of our own accord, and the channel is closed. Returns then.
    ///
    /// It goes on when the future is dropped.
    pub async fn disconnect(&self) {
        self.shared().leave(false);
        self.shared().reaches(Stage::Ended).await;
    }

    /// Resolves when the worker is about to leave, by its own wish or the primary's: its listeners give no more connections, and it is
    /// time to end those that are open.
    pub async fn disconnecting(&self) {
        self.shared().reaches(Stage::Leaving).await;
    }

    /// Resolves when the worker has left, by its own wish or the primary's: no connection is open, and the channel is closed. Then `main`
    /// returns.
    pub async fn disconnected(&self) {
        self.shared().reaches(Stage::Ended).await;
    }

    /// Whether the worker leaves, or has left, because one of both sides asked for it: Node's `exitedAfterDisconnect`.
    pub fn exited_after_disconnect(&self) -> bool {
        self.shared().lock().exited_after_disconnect
    }

    /// Tells the primary that we go of our own accord, and closes the channel without waiting for connections. Then `main` is to return:
    /// Node's `worker.kill()` ends the process at this point.
    pub async fn kill(&self) {
        self.shared().announce();
        self.shared().reaches(Stage::Ended).await;
    }

    /// Sends a message to the primary, as [`Channel::send`].
    ///
    /// # Errors
    ///
    /// As for [`Channel::send`].
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<()> {
        self.channel().send(message).await
    }

    /// The next message from the primary, as [`Channel::recv`]. Who expects none need not call it; but what comes all the same waits, and
    /// when 16 MiB wait the channel stands still, and with it the cluster's own messages.
    ///
    /// # Errors
    ///
    /// As for [`Channel::recv`].
    pub async fn recv(&self) -> Result<Option<Message>> {
        self.channel().recv().await
    }

    /// The channel to the primary. Its internal messages are the worker's own business.
    pub fn channel(&self) -> &Channel {
        &self.shared().channel
    }
}

/// Listens on a socket of our own.
fn listen_alone(query: &Query) -> io::Result<Acceptor> {
    let Bound { socket, file } = query.endpoint().bind()?;
    net::listen(&socket, query.backlog)?;
    Acceptor::new(socket, file)
}

/// Listens on the socket that the primary has bound.
fn listen_shared(socket: OwnedFd, query: &Query) -> io::Result<Acceptor> {
    let wanted = query.port.filter(|port| *port > 0);
    // Node's primary grants a socket that it could not bind.
    if wanted.is_some_and(|wanted| net::local_address(&socket).is_some_and(|bound| i64::from(bound.port()) != wanted)) {
        return Err(io::Error::from_raw_os_error(libc::EADDRINUSE));
    }
    net::listen(&socket, query.backlog)?;
    Acceptor::new(socket, None)
}
