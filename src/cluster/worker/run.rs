//! Carries out what the worker's state machine decides. There is no rule in this file: it owns the channel, descriptors and tasks.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot, watch};

use super::state::{Effect, Grant, HandleId, Input, Next, Refusal, RequestId, ServerId, Stage, WorkerState};
use crate::cluster::protocol::{Envelope, FromPrimary, Query};
use crate::error::{Error, ErrorKind, Result};
use crate::ipc::{Channel, Handle, Message};
use crate::net::Acceptor;

/// This process as a worker, as its task and its users share it.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) channel: Channel,
    inner: Mutex<Inner>,
    stage: watch::Sender<Stage>,
    /// Notified when something is to be reported.
    report: Notify,
    /// Notified when the channel is to be closed.
    close: Notify,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) state: WorkerState,
    /// What came with messages and is not in use yet.
    handles: HashMap<HandleId, Handle>,
    last_handle: HandleId,
    requests: HashMap<RequestId, oneshot::Sender<Result<Granted, Refusal>>>,
    last_request: RequestId,
    servers: HashMap<ServerId, OpenServer>,
    /// The process is to exit.
    exits: bool,
}

/// A server that is not closed.
#[derive(Debug)]
struct OpenServer {
    /// Notified when those who wait for its connections have to look again.
    changed: Arc<Notify>,
    /// The socket that the worker accepts from itself.
    acceptor: Option<Arc<Acceptor>>,
}

/// A server that a user was granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) server: ServerHandle,
    pub(super) data: Option<String>,
    /// Where the primary listens, if that is TCP.
    pub(super) address: Option<SocketAddr>,
    /// The socket, if the worker listens on it.
    pub(super) socket: Option<Handle>,
}

/// What a user who waits for a connection is to do: [`Next`], with what it takes.
#[derive(Debug)]
pub(super) enum Take {
    Handed(u64, Option<OwnedFd>),
    Accept(Arc<Acceptor>),
    Wait,
    End,
}

/// A server of this worker. Dropped, it is closed.
#[derive(Debug)]
pub(super) struct ServerHandle {
    pub(super) process: Arc<Process>,
    pub(super) id: ServerId,
    /// Notified when its user has to look again.
    pub(super) changed: Arc<Notify>,
    /// It has been closed, or passed on.
    is_released: bool,
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        if !self.is_released {
            self.process.on(Input::CloseServer { server: self.id });
        }
    }
}

impl Process {
    pub(super) fn new(channel: Channel, survives: bool) -> Process {
        let inner = Inner {
            state: WorkerState::new(survives),
            handles: HashMap::new(),
            last_handle: 0,
            requests: HashMap::new(),
            last_request: 0,
            servers: HashMap::new(),
            exits: false,
        };
        let stage = watch::Sender::new(Stage::Serving);
        Process { channel, inner: Mutex::new(inner), stage, report: Notify::new(), close: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the state machine decide, and carries out its effects in their order.
    pub(super) fn on(self: &Arc<Self>, input: Input) {
        self.carry_out(&mut self.lock(), input);
    }

    fn carry_out(self: &Arc<Self>, inner: &mut Inner, input: Input) {
        let mut effects = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            inner.state.on(input, &mut effects);
            inputs.extend(effects.drain(..).filter_map(|effect| self.perform(inner, effect)));
        }
    }

    /// Carries out one effect; what the state machine has to know of it at once comes back.
    fn perform(self: &Arc<Self>, inner: &mut Inner, effect: Effect) -> Option<Input> {
        match effect {
            // If the channel has ended, the primary knows more than this would tell it.
            Effect::Send { seq, message } => drop(self.channel.post(&Envelope::new(seq, &message))),
            Effect::Grant { request, server, data, grant } => {
                let changed = Arc::new(Notify::new());
                inner.servers.insert(server, OpenServer { changed: changed.clone(), acceptor: None });
                let (address, socket) = match grant {
                    Grant::Handed(address) => (address, None),
                    Grant::Socket(handle) => (None, inner.handles.remove(&handle)),
                    Grant::Alone => (None, None),
                };
                let handle = ServerHandle { process: self.clone(), id: server, changed, is_released: false };
                let granted = Granted { server: handle, data, address, socket };
                let answer = inner.requests.remove(&request)?;
                if let Err(Ok(mut unwanted)) = answer.send(Ok(granted)) {
                    // Its user has gone. Closed here, since its own end would wait for the lock.
                    unwanted.server.is_released = true;
                    return Some(Input::CloseServer { server });
                }
            }
            // Its user may have gone.
            Effect::Refuse { request, why } => {
                let answer = inner.requests.remove(&request)?;
                let _ = answer.send(Err(why));
            }
            Effect::Close { handle } => drop(inner.handles.remove(&handle)),
            Effect::WakeOne { server } => inner.servers.get(&server)?.changed.notify_one(),
            Effect::WakeAll { server } => inner.servers.get(&server)?.changed.notify_waiters(),
            Effect::CloseSocket { server } => inner.servers.remove(&server)?.changed.notify_waiters(),
            Effect::ReportSoon => self.report.notify_one(),
            Effect::Reach(stage) => drop(self.stage.send_if_modified(|now| {
                let is_new = *now < stage;
                *now = stage.max(*now);
                is_new
            })),
            Effect::CloseChannel => self.close.notify_one(),
            Effect::Exit => inner.exits = true,
        }
        None
    }

    /// Sends a request of a user, and waits for its answer. If the future is dropped, what is granted later is closed again.
    async fn request(self: &Arc<Self>, input: impl FnOnce(RequestId) -> Input) -> Result<Granted, Refusal> {
        let (answer, answered) = oneshot::channel();
        {
            let mut inner = self.lock();
            inner.last_request += 1;
            let request = inner.last_request;
            inner.requests.insert(request, answer);
            self.carry_out(&mut inner, input(request));
        }
        answered.await.unwrap_or(Err(Refusal::Leaving))
    }

    /// Asks the primary for a listener.
    pub(super) async fn listen(self: &Arc<Self>, query: Query, subject: &str) -> Result<Granted> {
        let is_descriptor = query.descriptor().is_some();
        let granted = self.request(|request| Input::Listen { request, query: Box::new(query) }).await;
        granted.map_err(|refusal| match refusal {
            Refusal::Errno(libc::EACCES) if is_descriptor => {
                refused(&format!("{subject}, which the primary must allow (Options::allow_descriptor)"), refusal)
            }
            refusal => refused(subject, refusal),
        })
    }

    /// Adds a server that the primary does not know.
    pub(super) async fn listen_alone(self: &Arc<Self>, subject: &str) -> Result<Granted> {
        let granted = self.request(|request| Input::ListenAlone { request }).await;
        granted.map_err(|refusal| refused(subject, refusal))
    }

    /// Decides what a user who waits for a connection does.
    pub(super) fn take(&self, server: ServerId) -> Take {
        let mut inner = self.lock();
        let acceptor = |inner: &Inner| inner.servers.get(&server).and_then(|server| server.acceptor.clone());
        match inner.state.take(server) {
            Next::Take { seq, handle } => Take::Handed(seq, inner.handles.remove(&handle).map(OwnedFd::from)),
            // Its user sets the socket before it accepts from it.
            Next::Accept => acceptor(&inner).map_or(Take::End, Take::Accept),
            Next::Wait => Take::Wait,
            Next::End => Take::End,
        }
    }

    /// Sets the socket that the worker accepts from, unless the server was closed meanwhile.
    pub(super) fn set_acceptor(&self, server: ServerId, acceptor: Acceptor) {
        if let Some(server) = self.lock().servers.get_mut(&server) {
            server.acceptor = Some(Arc::new(acceptor));
        }
    }

    /// Waits until the worker has come so far. This method is cancel safe.
    pub(super) async fn reaches(&self, stage: Stage) {
        // The sender is ours, and so never closed.
        let _ = self.stage.subscribe().wait_for(|now| *now >= stage).await;
    }

    fn arrived(self: &Arc<Self>, mut message: Message) {
        let handle = message.handle.take();
        let Some((seq, message)) = FromPrimary::read(&message) else { return };
        let mut inner = self.lock();
        let handle = handle.map(|handle| {
            inner.last_handle += 1;
            let number = inner.last_handle;
            inner.handles.insert(number, handle);
            number
        });
        self.carry_out(&mut inner, Input::Message { seq, message, handle });
    }
}

fn refused(subject: &str, refusal: Refusal) -> Error {
    let kind = match refusal {
        Refusal::Errno(errno) => return Error::io("listen on", subject, std::io::Error::from_raw_os_error(errno)),
        Refusal::Leaving => ErrorKind::ChannelClosed,
        Refusal::NoKey => ErrorKind::Json("the primary's answer has no key".to_owned()),
        Refusal::DuplicateKey => ErrorKind::Json("the primary gave two servers the same key".to_owned()),
    };
    Error::new("listen on", subject, kind)
}

/// Serves the worker until its channel has ended.
pub(super) async fn serve(process: Arc<Process>) {
    let ended = loop {
        tokio::select! {
            message = process.channel.recv_internal() => match message {
                Ok(Some(message)) => process.arrived(message),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            },
            () = process.report.notified() => process.on(Input::Report),
            () = process.close.notified() => {
                process.channel.disconnect().await;
                return process.on(Input::ChannelClosed);
            }
        }
    };
    process.on(Input::ChannelEnded);
    if process.lock().exits {
        exit(ended);
    }
}

/// Ends the process, as a worker in Node ends when its primary has gone: with code 0 unless the primary has sent what is not allowed.
#[allow(clippy::disallowed_methods)] // a task cannot return from main, and what main waits for may never come
fn exit(ended: Result<()>) -> ! {
    let code = match ended {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    std::process::exit(code)
}
