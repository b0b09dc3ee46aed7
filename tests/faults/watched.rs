//! A primary, and all that happens in its cluster.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forklore::child_process::{Command, Exit, Signal};
use forklore::cluster::schedule::Policy;
use forklore::cluster::{Disconnection, Event, ListenerInfo, Options, Primary, Worker};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::kit::{marked, until};

/// A primary whose every event is received at once, and kept until a test asks for it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) primary: Primary,
    log: Arc<Log>,
    mark: (OsString, OsString),
}

#[derive(Debug, Default)]
struct Log {
    /// What nobody has asked for.
    events: Mutex<Vec<Event>>,
    news: Notify,
    /// There will be no more events.
    over: AtomicBool,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(self: Arc<Log>, primary: Primary) {
        while let Some(event) = primary.next_event().await {
            self.lock().push(event);
            self.news.notify_waiters();
        }
        self.over.store(true, Ordering::Relaxed);
        self.news.notify_waiters();
    }
}

impl Watched {
    pub(crate) fn new(options: Options) -> Watched {
        let (primary, log) = (Primary::new(options), Arc::<Log>::default());
        tokio::spawn(log.clone().keep(primary.clone()));
        Watched { primary, log, mark: marked() }
    }

    pub(crate) fn start(&self, command: Command) -> Worker {
        self.primary.fork(command.env(&self.mark.0, &self.mark.1)).expect("it starts")
    }

    /// A worker that serves, and where.
    pub(crate) async fn server(&self, command: Command) -> (Worker, SocketAddr) {
        let worker = self.start(command);
        let address = self.listening(&worker).await;
        (worker, address)
    }

    /// So many of them, all at one place, started together.
    pub(crate) async fn servers(&self, count: usize, command: impl Fn() -> Command) -> (Vec<Worker>, SocketAddr) {
        let workers: Vec<Worker> = (0..count).map(|_| self.start(command())).collect();
        let mut address = None;
        for worker in &workers {
            let here = self.listening(worker).await;
            assert_eq!(*address.get_or_insert(here), here);
        }
        (workers, address.expect("a worker"))
    }

    /// Takes the first event that is wanted, whenever it came.
    async fn take<T>(&self, wanted: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let news = self.log.news.notified();
            {
                let mut events = self.log.lock();
                let found = events.iter().enumerate().find_map(|(place, event)| Some((place, pick(event)?)));
                if let Some((place, found)) = found {
                    events.remove(place);
                    return found;
                }
                assert!(!self.log.over.load(Ordering::Relaxed), "all is over without {wanted}: {events:?}");
            }
            news.await;
        }
    }

    pub(crate) async fn online(&self, worker: &Worker) {
        self.take("online", |event| matches!(event, Event::Online(who) if who == worker).then_some(())).await;
    }

    pub(crate) async fn listening(&self, worker: &Worker) -> SocketAddr {
        let pick = |event: &Event| match event {
            Event::Listening(who, address) if who == worker => Some(address.port),
            _ => None,
        };
        (Ipv4Addr::LOCALHOST, self.take("listening", pick).await).into()
    }

    /// The worker's next message.
    pub(crate) async fn message(&self, worker: &Worker) -> Value {
        let pick = |event: &Event| match event {
            Event::Message(who, message) if who == worker => Some(message.decode().expect("JSON")),
            _ => None,
        };
        self.take("a message", pick).await
    }

    /// Tells the worker something, and waits for its answer.
    pub(crate) async fn tell(&self, worker: &Worker, what: &str, answer: &str) {
        worker.send(what).await.expect("sent");
        assert_eq!(self.message(worker).await, answer);
    }

    /// How its channel has ended.
    pub(crate) async fn disconnected(&self, worker: &Worker) -> Disconnection {
        let pick = |event: &Event| match event {
            Event::Disconnect(who, how) if who == worker => Some(how.clone()),
            _ => None,
        };
        self.take("disconnect", pick).await
    }

    /// The next listener that was closed since no worker had asked for it.
    pub(crate) async fn listener_closed(&self) -> u16 {
        let pick = |event: &Event| match event {
            Event::ListenerClosed(address) => Some(address.port),
            _ => None,
        };
        self.take("listener closed", pick).await
    }

    pub(crate) async fn descriptor_refused(&self, worker: &Worker) {
        let pick = |event: &Event| matches!(event, Event::DescriptorRefused(who, _) if who == worker).then_some(());
        self.take("descriptor refused", pick).await;
    }

    pub(crate) async fn silent(&self, worker: &Worker) {
        self.take("silent", |event| matches!(event, Event::Silent(who) if who == worker).then_some(())).await;
    }

    pub(crate) async fn exit(&self, worker: &Worker) -> Exit {
        let pick = |event: &Event| match event {
            Event::Exit(who, exit) if who == worker => Some(*exit.as_ref().expect("it can be waited for")),
            _ => None,
        };
        self.take("exit", pick).await
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn kill(&self, worker: &Worker) {
        assert!(worker.kill(Signal::SIGKILL).expect("it may"));
        assert_eq!(self.exit(worker).await, Exit::Signal(Signal::SIGKILL));
    }

    /// The only listener.
    pub(crate) fn listener(&self) -> ListenerInfo {
        let mut listeners = self.primary.listeners();
        assert_eq!(listeners.len(), 1, "{listeners:?}");
        listeners.remove(0)
    }

    /// Waits until so many connections wait for a worker.
    pub(crate) async fn waiting(&self, connections: usize) {
        until(|| self.listener().waiting == connections).await;
    }

    /// Disconnects all workers. Those whose exit no test asked for end well; messages, too, have been expected.
    pub(crate) async fn end(self) {
        self.primary.disconnect().await;
        until(|| self.log.over.load(Ordering::Relaxed)).await;
        for event in self.log.lock().iter() {
            match event {
                Event::Exit(worker, exit) => {
                    let exit = exit.as_ref().expect("it can be waited for");
                    assert_eq!(*exit, Exit::Code(0), "{worker:?}");
                }
                Event::Fork(_) | Event::Online(_) | Event::Listening(..) | Event::Disconnect(..) => {}
                other => panic!("nobody expects {other:?}"),
            }
        }
        assert_eq!((self.primary.workers(), self.primary.listeners()), (vec![], vec![]));
    }
}

/// Stops a process, and waits until it has stopped: it may be running somewhere else at this moment.
pub(crate) async fn stop(worker: &Worker) {
    assert!(worker.kill(Signal::SIGSTOP).expect("it may"));
    let stat = format!("/proc/{}/stat", worker.pid());
    let stopped = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'));
    until(|| std::fs::read_to_string(&stat).is_ok_and(stopped)).await;
}

pub(crate) fn policy(policy: Policy) -> Watched {
    Watched::new(Options::default().policy(policy))
}

pub(crate) fn round_robin() -> Watched {
    policy(Policy::RoundRobin)
}

/// Has an impostor say something to its primary, and what it hears then.
pub(crate) async fn say(cluster: &Watched, impostor: &Worker, what: &Value) -> Value {
    impostor.send(&json!({ "say": what })).await.expect("sent");
    cluster.message(impostor).await["heard"].take()
}
