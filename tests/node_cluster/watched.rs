//! A primary, and all that happens in its cluster.

use std::collections::VecDeque;
use std::net::SocketAddr;

use forklore::child_process::{Command, Exit};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{Address, Event, Options, Primary, Worker};
use serde_json::Value;

use crate::kit::node;

/// A primary whose every event is kept, until a test asks for it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) primary: Primary,
    /// What has happened and nobody has asked for.
    unread: VecDeque<Event>,
    life: Life,
}

/// What has happened to whom; messages are left out, since they come when they like.
#[derive(Debug, Default)]
pub(crate) struct Life(Vec<(u32, &'static str)>);

impl Life {
    pub(crate) fn of(&self, worker: &Worker) -> Vec<&'static str> {
        self.0.iter().filter(|(id, _)| *id == worker.id()).map(|(_, name)| *name).collect()
    }
}

/// The life of a worker that listened once.
pub(crate) const WHOLE_LIFE: [&str; 5] = ["fork", "online", "listening", "disconnect", "exit"];

/// The life of a worker that never listened.
pub(crate) const IDLE_LIFE: [&str; 4] = ["fork", "online", "disconnect", "exit"];

impl Watched {
    pub(crate) fn new(options: Options) -> Watched {
        Watched { primary: Primary::new(options), unread: VecDeque::new(), life: Life::default() }
    }

    /// A worker that runs one of our scripts.
    pub(crate) fn fork(&self, script: &str, what: &str) -> Worker {
        self.start(node(script, what))
    }

    /// The same with options for what it does, which are JSON.
    pub(crate) fn fork_with(&self, script: &str, what: &str, options: &Value) -> Worker {
        self.start(node(script, what).arg(options.to_string()))
    }

    pub(crate) fn start(&self, command: Command) -> Worker {
        self.primary.fork(command).expect("node starts")
    }

    /// A worker that serves, and where.
    pub(crate) async fn server(&mut self, script: &str, what: &str) -> (Worker, SocketAddr) {
        let worker = self.fork(script, what);
        let address = self.listening_at(&worker).await;
        (worker, address)
    }

    /// Takes the first event that is wanted, whenever it comes.
    async fn find<T>(&mut self, wanted: &str, mut pick: impl FnMut(Event) -> Result<T, Event>) -> T {
        let mut passed = VecDeque::new();
        loop {
            let event = match self.unread.pop_front() {
                Some(event) => event,
                None => self.news().await.unwrap_or_else(|| panic!("all is over without {wanted}: {passed:?}")),
            };
            match pick(event) {
                Ok(found) => {
                    passed.append(&mut self.unread);
                    self.unread = passed;
                    return found;
                }
                Err(event) => passed.push_back(event),
            }
        }
    }

    async fn news(&mut self) -> Option<Event> {
        let event = self.primary.next_event().await?;
        let told = match &event {
            Event::Fork(worker) => (worker.id(), "fork"),
            Event::Online(worker) => (worker.id(), "online"),
            Event::Listening(worker, _) => (worker.id(), "listening"),
            Event::Disconnect(worker, _) => (worker.id(), "disconnect"),
            Event::Exit(worker, _) => (worker.id(), "exit"),
            Event::Message(..) => return Some(event),
            other => panic!("nobody expects {other:?}"),
        };
        self.life.0.push(told);
        Some(event)
    }

    pub(crate) async fn online(&mut self, worker: &Worker) {
        let pick = |event| match event {
            Event::Online(who) if who == *worker => Ok(()),
            event => Err(event),
        };
        self.find("online", pick).await;
    }

    pub(crate) async fn listening(&mut self, worker: &Worker) -> Address {
        let pick = |event| match event {
            Event::Listening(who, address) if who == *worker => Ok(address),
            Event::Message(who, message) if who == *worker && message.json().contains("\"errno\"") => {
                panic!("{who:?} cannot listen: {}", message.json())
            }
            event => Err(event),
        };
        self.find("listening", pick).await
    }

    /// Waits until it listens on TCP, and says where to connect.
    pub(crate) async fn listening_at(&mut self, worker: &Worker) -> SocketAddr {
        let address = self.listening(worker).await;
        let host = address.address.as_deref().unwrap_or("::1");
        SocketAddr::new(host.parse().expect("a host's address"), address.port)
    }

    /// The worker's next message.
    pub(crate) async fn message(&mut self, worker: &Worker) -> Value {
        let pick = |event| match event {
            Event::Message(who, message) if who == *worker => Ok(message.decode().expect("JSON")),
            event => Err(event),
        };
        self.find("a message", pick).await
    }

    /// The next message of anybody.
    pub(crate) async fn anybodys_message(&mut self) -> Value {
        let pick = |event| match event {
            Event::Message(_, message) => Ok(message.decode().expect("JSON")),
            event => Err(event),
        };
        self.find("a message", pick).await
    }

    pub(crate) async fn disconnect(&mut self, worker: &Worker) {
        let pick = |event| match event {
            Event::Disconnect(who, _) if who == *worker => Ok(()),
            event => Err(event),
        };
        self.find("disconnect", pick).await;
    }

    pub(crate) async fn exit(&mut self, worker: &Worker) -> Exit {
        let pick = |event| match event {
            Event::Exit(who, exit) if who == *worker => Ok(exit.expect("it can be waited for")),
            event => Err(event),
        };
        self.find("exit", pick).await
    }

    /// Disconnects all workers. Those whose exit was not asked for have to end well, and every message has to have been
    /// expected.
    pub(crate) async fn end(mut self) -> Life {
        let primary = self.primary.clone();
        let all = async {
            while let Some(event) = self.news().await {
                self.unread.push_back(event);
            }
        };
        tokio::join!(primary.disconnect(), all);
        for event in &self.unread {
            match event {
                Event::Exit(worker, exit) => {
                    let exit = exit.as_ref().expect("it can be waited for");
                    assert_eq!(*exit, Exit::Code(0), "{worker:?}");
                }
                Event::Message(worker, message) => panic!("{worker:?} has said {}", message.json()),
                _ => {}
            }
        }
        assert_eq!((primary.workers(), primary.listeners()), (vec![], vec![]));
        self.life
    }
}

pub(crate) fn watched(policy: Policy) -> Watched {
    Watched::new(Options::default().policy(policy))
}

pub(crate) fn round_robin() -> Watched {
    watched(Policy::RoundRobin)
}
