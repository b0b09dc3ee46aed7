//! A primary, and everything that happens in its cluster.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forklore::child_process::{Command, Exit, Signal};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{Address, Disconnection, Event, ListenerInfo, Options, Primary, Worker};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{marked, until};

/// A primary whose every event is received at once, and kept until a test asks for it.
#[derive(Debug)]
pub struct Watched {
    /// The primary.
    pub primary: Primary,
    log: Arc<EventLog>,
}

#[derive(Debug, Default)]
struct EventLog {
    received: Mutex<LoggedEvents>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct LoggedEvents {
    /// The events that the test has not asked for.
    unread: Vec<Event>,
    life: History,
    /// No more events will come.
    is_over: bool,
}

/// What has happened to each worker. Messages are left out, since they may come at any time.
#[derive(Debug, Default, Clone)]
pub struct History(Vec<(u32, &'static str)>);

/// The life of a worker that listened once.
pub const WHOLE_LIFE: [&str; 5] = ["fork", "online", "listening", "disconnect", "exit"];

/// The life of a worker that never listened.
pub const IDLE_LIFE: [&str; 4] = ["fork", "online", "disconnect", "exit"];

impl History {
    /// Returns the names of a worker's events.
    pub fn of(&self, worker: &Worker) -> Vec<&'static str> {
        self.0.iter().filter(|(id, _)| *id == worker.id()).map(|(_, name)| *name).collect()
    }

    fn add(&mut self, event: &Event) {
        self.0.extend(match event {
            Event::Fork(worker) => Some((worker.id(), "fork")),
            Event::Online(worker) => Some((worker.id(), "online")),
            Event::Listening(worker, _) => Some((worker.id(), "listening")),
            Event::Disconnect(worker, _) => Some((worker.id(), "disconnect")),
            Event::Exit(worker, _) => Some((worker.id(), "exit")),
            _ => None,
        });
    }
}

impl EventLog {
    fn lock(&self) -> MutexGuard<'_, LoggedEvents> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn receive(self: Arc<EventLog>, primary: Primary) {
        loop {
            let event = primary.next_event().await;
            let is_over = event.is_none();
            {
                let mut received = self.lock();
                event.iter().for_each(|event| received.life.add(event));
                received.unread.extend(event);
                received.is_over = is_over;
            }
            self.changed.notify_waiters();
            if is_over {
                return;
            }
        }
    }
}

/// Waits for the first event of a kind, and takes a value from it.
macro_rules! take {
    ($cluster:ident, $event:pat $(if $condition:expr)? => $value:expr) => {{
        let pick = |event: &Event| match event {
            $event $(if $condition)? => Some($value),
            _ => None,
        };
        $cluster.take(stringify!($event), pick).await
    }};
}

impl Watched {
    /// Makes a primary with these options.
    pub fn new(options: Options) -> Watched {
        let (primary, log) = (Primary::new(options), Arc::<EventLog>::default());
        tokio::spawn(log.clone().receive(primary.clone()));
        Watched { primary, log }
    }

    /// Starts a worker.
    pub fn start(&self, command: Command) -> Worker {
        self.primary.fork(marked(command)).expect("it starts")
    }

    /// Starts a worker, and waits until it listens on TCP.
    pub async fn server(&self, command: Command) -> (Worker, SocketAddr) {
        let worker = self.start(command);
        let address = self.listening_at(&worker).await;
        (worker, address)
    }

    /// Starts `count` workers together, and waits until all listen at one address.
    pub async fn servers(&self, count: usize, command: impl Fn() -> Command) -> (Vec<Worker>, SocketAddr) {
        let workers: Vec<Worker> = (0..count).map(|_| self.start(command())).collect();
        let mut address = None;
        for worker in &workers {
            let here = self.listening_at(worker).await;
            assert_eq!(*address.get_or_insert(here), here, "one address for all");
        }
        (workers, address.expect("a worker"))
    }

    /// Takes the first event that `pick` accepts, whenever it comes.
    async fn take<T>(&self, wanted: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let changed = self.log.changed.notified();
            {
                let mut received = self.log.lock();
                let mut events = received.unread.iter().enumerate();
                let found = events.find_map(|(place, event)| Some((place, pick(event)?)));
                if let Some((place, found)) = found {
                    received.unread.remove(place);
                    return found;
                }
                assert!(!received.is_over, "all workers have exited without {wanted}: {:?}", received.unread);
            }
            changed.await;
        }
    }

    /// Waits until a worker is online.
    pub async fn online(&self, worker: &Worker) {
        take!(self, Event::Online(who) if who == worker => ());
    }

    /// Waits until a worker listens, and returns where.
    pub async fn listening(&self, worker: &Worker) -> Address {
        let pick = |event: &Event| match event {
            Event::Listening(who, address) if who == worker => Some(address.clone()),
            Event::Message(who, message) if who == worker && message.json().contains("\"errno\"") => {
                panic!("{who:?} cannot listen: {}", message.json())
            }
            _ => None,
        };
        self.take("listening", pick).await
    }

    /// Waits until a worker listens on TCP, and returns where a client can connect.
    pub async fn listening_at(&self, worker: &Worker) -> SocketAddr {
        let address = self.listening(worker).await;
        let host = address.address.map(|host| host.parse().expect("a host's address"));
        SocketAddr::new(host.unwrap_or(Ipv6Addr::LOCALHOST.into()), address.port)
    }

    /// Waits for a worker's next message.
    pub async fn message(&self, worker: &Worker) -> Value {
        take!(self, Event::Message(who, message) if who == worker => message.decode().expect("JSON"))
    }

    /// Waits for the next message of any worker.
    pub async fn any_message(&self) -> Value {
        take!(self, Event::Message(_, message) => message.decode().expect("JSON"))
    }

    /// Sends a worker a message, and waits for its answer.
    pub async fn tell(&self, worker: &Worker, what: &str, answer: &str) {
        worker.send(what).await.expect("sent");
        assert_eq!(self.message(worker).await, answer);
    }

    /// Waits for the end of a worker's channel, and returns its reason.
    pub async fn disconnected(&self, worker: &Worker) -> Disconnection {
        take!(self, Event::Disconnect(who, how) if who == worker => how.clone())
    }

    /// Waits until a listener is closed that no worker has asked for, and returns its port.
    pub async fn listener_closed(&self) -> u16 {
        take!(self, Event::ListenerClosed(address) => address.port)
    }

    /// Waits until a worker is refused a descriptor.
    pub async fn descriptor_refused(&self, worker: &Worker) {
        take!(self, Event::DescriptorRefused(who, _) if who == worker => ());
    }

    /// Waits until a worker is reported as silent.
    pub async fn silent(&self, worker: &Worker) {
        take!(self, Event::Silent(who) if who == worker => ());
    }

    /// Waits until a worker exits, and returns how.
    pub async fn exit(&self, worker: &Worker) -> Exit {
        take!(self, Event::Exit(who, exit) if who == worker => *exit.as_ref().expect("it can be waited for"))
    }

    /// Kills a worker, and waits for its exit.
    pub async fn kill(&self, worker: &Worker) {
        assert!(worker.kill(Signal::SIGKILL).expect("it may"));
        assert_eq!(self.exit(worker).await, Exit::Signal(Signal::SIGKILL));
    }

    /// Returns the only listener.
    pub fn listener(&self) -> ListenerInfo {
        let mut listeners = self.primary.listeners();
        assert_eq!(listeners.len(), 1, "{listeners:?}");
        listeners.remove(0)
    }

    /// Waits until this number of connections wait for a worker.
    pub async fn waiting(&self, connections: usize) {
        until(|| self.listener().waiting == connections).await;
    }

    /// Waits until no worker holds an unanswered connection. None is late then, and each may be handed the next connection.
    pub async fn all_answered(&self) {
        until(|| self.primary.workers().iter().all(|worker| worker.unanswered() == 0)).await;
    }

    /// Disconnects all workers. Each exit that the test did not ask for has to be code 0, and no message or other unusual event may
    /// be unread.
    pub async fn end(self) -> History {
        self.primary.disconnect().await;
        until(|| self.log.lock().is_over).await;
        let received = self.log.lock();
        for event in &received.unread {
            match event {
                Event::Exit(worker, exit) => {
                    let exit = exit.as_ref().expect("it can be waited for");
                    assert_eq!(*exit, Exit::Code(0), "{worker:?}");
                }
                Event::Fork(_) | Event::Online(_) | Event::Listening(..) | Event::Disconnect(..) => {}
                other => panic!("the test does not expect {other:?}"),
            }
        }
        assert_eq!((self.primary.workers(), self.primary.listeners()), (vec![], vec![]));
        received.life.clone()
    }
}

/// Makes a primary with this policy.
pub fn watched(policy: Policy) -> Watched {
    Watched::new(Options::default().policy(policy))
}

/// Makes a primary that hands out connections in turn.
pub fn round_robin() -> Watched {
    watched(Policy::RoundRobin)
}
