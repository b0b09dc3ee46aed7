//! A primary in another process, as its parent sees it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use forklore::child_process::{Child, Command, Exit};
use forklore::cluster::schedule::Policy;
use forklore::ipc::Channel;
use harness::marked;
use serde_json::{Value, json};

const PRIMARY: &str = env!("CARGO_BIN_EXE_test-cluster-primary");

/// It does what it is told, and says what happens.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) child: Child,
    channel: Channel,
    /// What it said and nobody has asked for.
    unread: VecDeque<Value>,
}

/// A worker of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theirs {
    pub(crate) id: u32,
    pub(crate) pid: u32,
}

impl Remote {
    pub(crate) async fn start(policy: Policy) -> Remote {
        Remote::run(Command::new(PRIMARY), policy, &Value::Null)
    }

    /// A primary that does what else it is wished.
    pub(crate) async fn wished(policy: Policy, wishes: &Value) -> Remote {
        Remote::run(Command::new(PRIMARY), policy, wishes)
    }

    /// The same with a soft and a hard limit of descriptors.
    pub(crate) async fn limited(soft: u32, hard: u32, wishes: &Value) -> Remote {
        let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"");
        Remote::run(Command::new("sh").args(["-c", &*script, PRIMARY]), Policy::RoundRobin, wishes)
    }

    fn run(command: Command, policy: Policy, wishes: &Value) -> Remote {
        let command = marked(command.arg(policy.name()).arg(wishes.to_string()));
        let (child, channel) = command.fork().expect("it starts");
        Remote { child, channel, unread: VecDeque::new() }
    }

    pub(crate) async fn tell(&self, what: &Value) {
        self.channel.send(what).await.expect("sent");
    }

    /// Waits for something that it says.
    async fn find<T>(&mut self, wanted: &str, pick: impl Fn(&Value) -> Option<T>) -> T {
        let mut place = 0;
        loop {
            while let Some(said) = self.unread.get(place) {
                if let Some(found) = pick(said) {
                    self.unread.remove(place);
                    return found;
                }
                place += 1;
            }
            let message = self.channel.recv().await.expect("no error");
            let message = message.unwrap_or_else(|| panic!("it is over without {wanted}: {:?}", self.unread));
            self.unread.push_back(message.decode().expect("JSON"));
        }
    }

    /// What the worker says next; the user sees it as a message.
    pub(crate) async fn message(&mut self, worker: Theirs) -> Value {
        let said = self.sees("message", worker).await;
        serde_json::from_str(said["text"].as_str().expect("text")).expect("JSON")
    }

    /// Waits until this happens to anybody.
    pub(crate) async fn next(&mut self, what: &str) -> Value {
        self.find(what, |said| said.get(what).map(|_| said.clone())).await
    }

    /// Starts a worker.
    pub(crate) async fn fork(&mut self, how: &str, command: &[&str]) -> Theirs {
        self.tell(&json!({ how: command })).await;
        let told = self.next("fork").await;
        let number = |name: &str| told[name].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number");
        Theirs { id: number("fork"), pid: number("pid") }
    }

    /// Waits until this happens to that worker.
    pub(crate) async fn sees(&mut self, what: &str, worker: Theirs) -> Value {
        self.find(what, |said| (said[what] == worker.id).then(|| said.clone())).await
    }

    pub(crate) async fn listening(&mut self, worker: Theirs) -> SocketAddr {
        let port = self.sees("listening", worker).await["port"].as_u64();
        (Ipv4Addr::LOCALHOST, port.and_then(|port| u16::try_from(port).ok()).expect("a port")).into()
    }

    /// A worker that serves, and where.
    pub(crate) async fn server(&mut self, command: &[&str]) -> (Theirs, SocketAddr) {
        let worker = self.fork("fork", command).await;
        let address = self.listening(worker).await;
        (worker, address)
    }

    /// Leaves it so many descriptors.
    pub(crate) async fn fill(&mut self, left: usize) {
        self.tell(&json!({ "fill": left })).await;
        self.find("full", |said| (said == "full").then_some(())).await;
    }

    /// One of the sizes of its memory, in KiB, as proc_pid_status(5) names them.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.pid())).expect("it is there");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a size").parse().expect("a number")
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.pid())).expect("it is there").count()
    }

    /// How often its child of this name has gone to sleep; `None` when there is none.
    pub(crate) fn sleeps(&self, name: &str) -> Option<u64> {
        let (start, parent) = (format!("Name:\t{name}\n"), format!("\nPPid:\t{}\n", self.child.pid()));
        let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
        let mut texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
        let status = texts.find(|status| status.starts_with(&start) && status.contains(&parent))?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        count.trim().parse().ok()
    }

    /// The time that it has used, in hundredths of a second.
    pub(crate) fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.pid())).expect("it is there");
        let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
        // utime and stime, see proc_pid_stat(5).
        [fields[11], fields[12]].iter().map(|field| field.parse::<u64>().expect("a number")).sum()
    }

    /// Has it end in order, and what happened that nobody has asked for.
    pub(crate) async fn rest(mut self) -> Vec<String> {
        self.tell(&json!("return")).await;
        while let Some(message) = self.channel.recv().await.expect("no error") {
            self.unread.push_back(message.decode().expect("JSON"));
        }
        assert_eq!(self.child.exit().await.expect("it can be waited for"), Exit::Code(0));
        let names = self.unread.iter().filter_map(|said| said.as_object()?.keys().next().cloned());
        names.filter(|name| !["fork", "online", "listening", "how"].contains(&&**name)).collect()
    }
}
