//! Those who connect.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// All that one connection is answered.
pub(crate) async fn ask(address: SocketAddr) -> String {
    all_of(TcpStream::connect(address).await.expect("a connection")).await
}

pub(crate) async fn all_of(stream: TcpStream) -> String {
    let (text, end) = heard(stream).await;
    end.expect("readable");
    text
}

/// All that comes until the end, and which end that is.
pub(crate) async fn heard(mut stream: TcpStream) -> (String, io::Result<()>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    // Closed by a reset: ten thousand that wait out their time in TIME_WAIT slow down whatever reads the kernel's table afterwards.
    let _ = stream.set_zero_linger();
    (String::from_utf8(bytes).expect("text"), end.map(drop))
}

/// Whom an answer comes from, which is all that it says.
pub(crate) fn number(answer: &str) -> u32 {
    let number = answer.strip_suffix('\n').and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("{answer:?} is no answer"))
}

/// Clients that have connected, each waiting for its answer.
#[derive(Debug)]
pub(crate) struct Clients {
    clients: JoinSet<(usize, String)>,
    answered: Arc<AtomicUsize>,
}

impl Clients {
    /// They connect one after the other, and are numbered in this order from 0.
    pub(crate) async fn of(count: usize, address: SocketAddr) -> Clients {
        let mut crowd = Clients { clients: JoinSet::new(), answered: Arc::default() };
        for place in 0..count {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let answered = crowd.answered.clone();
            crowd.clients.spawn(async move {
                let text = all_of(stream).await;
                answered.fetch_add(1, Ordering::Relaxed);
                (place, text)
            });
        }
        crowd
    }

    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    pub(crate) async fn has_answers(&self, count: usize) {
        until(|| self.answered() == count).await;
    }

    /// Everybody's answer.
    pub(crate) async fn answers(self) -> Vec<String> {
        let mut answers = self.clients.join_all().await;
        answers.sort();
        answers.into_iter().map(|(_, text)| text).collect()
    }

    /// From whom everybody has an answer.
    pub(crate) async fn workers(self) -> Vec<u32> {
        self.answers().await.iter().map(|answer| number(answer)).collect()
    }
}

/// Clients that come again and again, until they are told to stop; each has to be answered every time.
#[derive(Debug)]
pub(crate) struct Load {
    clients: JoinSet<()>,
    answered: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

impl Load {
    pub(crate) fn of(clients: usize, address: SocketAddr) -> Load {
        let mut load = Load { clients: JoinSet::new(), answered: Arc::default(), enough: Arc::default() };
        for _ in 0..clients {
            let (answered, enough) = (load.answered.clone(), load.enough.clone());
            load.clients.spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    number(&ask(address).await);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        load
    }

    /// Waits until there were so many answers more.
    pub(crate) async fn more(&self, count: usize) {
        let answered = || self.answered.load(Ordering::Relaxed);
        let enough = answered() + count;
        until(|| answered() >= enough).await;
    }

    /// How many answers there were.
    pub(crate) async fn stop(self) -> usize {
        self.enough.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
        self.answered.load(Ordering::Relaxed)
    }
}

/// Connects, says its token, and reads until the end what comes back.
pub(crate) async fn exchange(address: SocketAddr, token: String) -> (String, io::Result<()>) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // A worker that dies has heard nothing; what it has said is still to be read.
    let _ = stream.write_all(token.as_bytes()).await;
    let _ = stream.shutdown().await;
    heard(stream).await
}
