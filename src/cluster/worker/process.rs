//! This process as a worker.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Listener;
use super::listen::Listen;
use super::run::{self, Granted, Process};
use super::state::{Input, Stage};
use super::udp::{Udp, UdpSocket};
use crate::cluster::protocol::Query;
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::{self, Channel, Message, UNIQUE_ID};
use crate::net::{self, Acceptor, Bound};

/// Whether [`worker`] has removed [`UNIQUE_ID`] from the environment.
static IS_WORKER: AtomicBool = AtomicBool::new(false);

/// Returns whether a primary started this process: Node's `cluster.isWorker`.
pub fn is_worker() -> bool {
    IS_WORKER.load(Ordering::Relaxed) || env::var_os(UNIQUE_ID).is_some()
}

/// Returns whether no primary started this process: Node's `cluster.isPrimary`.
pub fn is_primary() -> bool {
    !is_worker()
}

/// How a worker behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerSettings {
    channel: ipc::Settings,
    survive: bool,
}

impl WorkerSettings {
    /// Keeps the process running when the primary ends, or closes the channel without asking the worker to leave. Default: the process
    /// exits with code 0 at that moment, as a worker in Node does.
    pub fn survive_primary(self) -> WorkerSettings {
        WorkerSettings { survive: true, ..self }
    }

    /// Sets the limit of [`ipc::Settings::message_limit`].
    pub fn message_limit(self, bytes: usize) -> WorkerSettings {
        WorkerSettings { channel: self.channel.message_limit(bytes), ..self }
    }
}

/// Makes this process a worker of the primary that started it. Call it once, at the start.
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
/// worker.disconnected().await; // waits for the connections that are open
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
/// As for [`ipc::parent`].
pub fn worker() -> Result<WorkerProcess> {
    worker_with(WorkerSettings::default())
}

/// Like [`worker`], with explicit settings.
///
/// # Errors
///
/// Those of [`worker`].
///
/// # Panics
///
/// As for [`ipc::parent`].
pub fn worker_with(settings: WorkerSettings) -> Result<WorkerProcess> {
    let none = |sentence: String| Error::new("work for", "our primary", ErrorKind::NoChannel(sentence));
    let id = env::var_os(UNIQUE_ID).map(|id| id.to_string_lossy().into_owned());
    let id = match id.as_deref().map(str::parse::<u32>) {
        Some(Ok(id)) => id,
        Some(Err(_)) => {
            return Err(none(format!(
                "NODE_UNIQUE_ID is {:?}, which is not a worker's number",
                id.unwrap_or_default()
            )));
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
    Ok(WorkerProcess::start(id, channel, settings.survive))
}

/// This process as a worker: what Node has in `cluster.worker`.
///
/// A clone is the same worker. When the last clone is dropped before a [`disconnect`](WorkerProcess::disconnect), as when `main` returns,
/// the channel and every listener are closed, and the primary sees a worker that disconnected without announcing it.
#[derive(Debug, Clone)]
pub struct WorkerProcess(Arc<Owner>);

/// Closes the channel when the last user has gone.
#[derive(Debug)]
struct Owner {
    id: u32,
    process: Arc<Process>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.process.on(Input::Abandoned);
    }
}

impl WorkerProcess {
    /// Makes this process a worker over a channel of the caller's own. For tests.
    #[doc(hidden)]
    pub fn start(id: u32, channel: Channel, survives: bool) -> WorkerProcess {
        let process = Arc::new(Process::new(channel, survives));
        process.on(Input::Started);
        tokio::spawn(run::serve(process.clone()));
        WorkerProcess(Arc::new(Owner { id, process }))
    }

    fn process(&self) -> &Arc<Process> {
        &self.0.process
    }

    /// Returns the number that the primary gave to this worker, from 1.
    pub fn id(&self) -> u32 {
        self.0.id
    }

    /// Listens. Workers that listen on the same address share it: the primary accepts connections and hands them out, or leaves that to
    /// the kernel, as its policy says. A worker that listens on the same address twice has two servers there, which the primary tells
    /// apart.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`] with what the kernel told the primary (`EADDRINUSE`, …); [`ErrorKind::InvalidInput`] for a name or a path
    /// that cannot exist; [`ErrorKind::ChannelClosed`] when the worker is leaving, or the channel ends before the answer.
    pub async fn listen(&self, what: Listen) -> Result<Listener> {
        let subject = what.to_string();
        let query = what.query().await?;
        let failed = |error| Error::io("listen on", &*subject, error);
        let (granted, acceptor) = if what.is_exclusive() {
            let acceptor = listen_alone(&query).map_err(failed)?;
            (self.process().listen_alone(&subject).await?, Some(acceptor))
        } else {
            let mut granted = self.process().listen(query.clone(), &subject).await?;
            let socket = granted.socket.take();
            let acceptor = socket.map(|socket| listen_shared(socket.into(), &query)).transpose().map_err(failed)?;
            (granted, acceptor)
        };
        let Granted { server, data, mut address, .. } = granted;
        if let Some(acceptor) = acceptor {
            address = acceptor.local_address();
            self.process().set_acceptor(server.id, acceptor);
        }
        let port = address.map(|address| address.port());
        self.process().on(Input::Listening { server: server.id, port });
        Ok(Listener::new(server, query.address_type, address, data, subject))
    }

    /// Binds a UDP socket, which all workers that bind the same address share: each datagram goes to one of them, as the kernel decides.
    ///
    /// # Errors
    ///
    /// Those of [`listen`](WorkerProcess::listen).
    pub async fn bind_udp(&self, what: Udp) -> Result<UdpSocket> {
        let subject = what.to_string();
        let query = what.query().await?;
        if what.is_exclusive() {
            let bound = query.endpoint().bind().map_err(|errno| Error::system("listen on", &*subject, errno))?;
            return UdpSocket::new(None, bound.socket.into(), &subject);
        }
        let Granted { server, socket, .. } = self.process().listen(query, &subject).await?;
        let Some(socket) = socket else {
            let sentence = "the primary answered without a socket".to_owned();
            return Err(Error::new("listen on", subject, ErrorKind::Json(sentence)));
        };
        let id = server.id;
        let socket = UdpSocket::new(Some(server), socket.into_udp_socket()?, &subject)?;
        let port = socket.local_addr().ok().map(|address| address.port());
        self.process().on(Input::Listening { server: id, port });
        Ok(socket)
    }

    /// Leaves the cluster on its own: no listener takes anything more. When the last [`Connection`](super::Connection) has been dropped,
    /// the primary is told that the worker leaves, and the channel is closed. This returns when the primary has closed
    /// its end too, or after two seconds, so that the primary learns of the end before the process exits.
    ///
    /// The worker goes on leaving when the future is dropped.
    pub async fn disconnect(&self) {
        self.process().on(Input::Leave);
        self.process().reaches(Stage::Ended).await;
    }

    /// Waits until the worker is about to leave, on its own or because the primary asked: its listeners give no more connections, and it
    /// is time to end those that are open. This method is cancel safe.
    pub async fn disconnecting(&self) {
        self.process().reaches(Stage::Leaving).await;
    }

    /// Waits until the worker has left, on its own or because the primary asked: no connection is open, and the channel is closed. Return
    /// from `main` then. This method is cancel safe.
    pub async fn disconnected(&self) {
        self.process().reaches(Stage::Ended).await;
    }

    /// Returns whether the worker leaves, or has left, because it or its primary wanted that: Node's `exitedAfterDisconnect`.
    pub fn exited_after_disconnect(&self) -> bool {
        self.process().lock().state.exited_after_disconnect()
    }

    /// Tells the primary that the worker leaves, and closes the channel without waiting for connections. Return from `main` then: Node's
    /// `worker.kill()` ends the process at this point.
    pub async fn kill(&self) {
        self.process().on(Input::Kill);
        self.process().reaches(Stage::Ended).await;
    }

    /// Sends a message to the primary, like [`Channel::send`].
    ///
    /// # Errors
    ///
    /// Those of [`Channel::send`].
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<()> {
        self.channel().send(message).await
    }

    /// Waits for the next message from the primary, like [`Channel::recv`]. A worker that expects none need not call it. But messages that
    /// come all the same wait, and when 16 MiB wait the channel stands still, and with it the cluster's own messages.
    ///
    /// # Errors
    ///
    /// Those of [`Channel::recv`].
    pub async fn recv(&self) -> Result<Option<Message>> {
        self.channel().recv().await
    }

    /// Like [`recv`](WorkerProcess::recv), and decodes the message, like [`Channel::recv_as`].
    ///
    /// # Errors
    ///
    /// Those of [`Channel::recv_as`].
    pub async fn recv_as<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.channel().recv_as().await
    }

    /// Returns the channel to the primary. Its internal messages are the worker's own.
    pub fn channel(&self) -> &Channel {
        &self.process().channel
    }
}

/// Listens on a socket of our own.
fn listen_alone(query: &Query) -> io::Result<Acceptor> {
    Acceptor::listen(query.endpoint().bind()?, query.backlog)
}

/// Listens on the socket that the primary has bound.
fn listen_shared(socket: OwnedFd, query: &Query) -> io::Result<Acceptor> {
    let wanted = query.port.filter(|port| *port > 0);
    // Node's primary grants a socket that it could not bind.
    if wanted.is_some_and(|wanted| net::local_address(&socket).is_some_and(|bound| i64::from(bound.port()) != wanted)) {
        return Err(io::Error::from_raw_os_error(libc::EADDRINUSE));
    }
    Acceptor::listen(Bound { socket, file: None }, query.backlog)
}
