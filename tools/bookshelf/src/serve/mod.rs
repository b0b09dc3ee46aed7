//! `cargo book`: the book on a port of this machine, built again when its sources change, with labs that run from its pages.
//!
//! # Layout
//!
//! | file | what it holds |
//! |---|---|
//! | `guard.rs` | who may ask for what |
//! | `pages.rs` | the built book, in memory |
//! | `site.rs` | from a request to its answer |
//! | `body.rs` | what is sent to a page: all at once, or as it comes |
//! | `runs.rs` | "Run it here": one lab at a time |
//! | `kept.rs` | a program under a keeper, line by line |
//! | `live.rs` | the transcript of a run, as it comes |
//! | `word.rs` | what a page is told about its run |
//! | `verdict.rs` | the facts of a run, compared with the book's |

mod body;
mod guard;
mod kept;
mod live;
mod pages;
mod runs;
mod site;
mod verdict;
mod word;

use std::env;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use forklore::child_process::{Command, Stdio};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::build::build;
use crate::watch::Changes;
use pages::Pages;
use runs::Runs;
use site::Site;

/// Where the book is, if nobody says otherwise and the port is free.
pub(crate) const DEFAULT_PORT: u16 = 3000;

/// How many connections are served at once; more of them wait in the kernel's queue.
const CONNECTIONS: usize = 256;

/// How long a connection may take to say what it wants.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// How long a build that is on when we are to end is waited for: it takes a second or two, and removes its temporary folder at its end.
const BUILD_TIME: Duration = Duration::from_secs(10);

/// What is served, and how.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The clone.
    pub(crate) root: PathBuf,
    /// The port; none for the default one, or a free one where that is taken.
    pub(crate) port: Option<u16>,
    /// Whether to open the reader's browser.
    pub(crate) open: bool,
    /// Whether to build the book again when something changes.
    pub(crate) watch: bool,
    /// How long a lab may run.
    pub(crate) limit: Duration,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Serves the book until a signal asks us to end.
///
/// # Errors
///
/// When the book cannot be built, or the port cannot be had. Later builds that fail are only told: the pages stay as they were.
pub(crate) fn serve(settings: &Settings) -> Outcome<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(until_told(settings));
    runtime.shutdown_timeout(BUILD_TIME);
    served
}

async fn until_told(settings: &Settings) -> Outcome<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let told = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    let runs = Runs::new(settings.root.clone(), settings.limit);
    let served = tokio::select! {
        served = build_and_serve(settings, Arc::clone(&runs)) => served,
        () = told => Ok(()),
    };
    runs.close().await;
    served
}

async fn build_and_serve(settings: &Settings, runs: Arc<Runs>) -> Outcome<()> {
    // Watched before it is built: what is changed meanwhile is not missed.
    let mut changes = None;
    if settings.watch {
        let watched = Changes::of(&settings.root);
        changes = watched
            .inspect_err(|error| eprintln!("book: changes are not noticed, start it again after one: {error}"))
            .ok();
    }
    let (built, pages) = watch::channel(Arc::new(pages(settings, &runs).await?));
    let listener = bind(settings.port).await?;
    let port = listener.local_addr()?.port();
    let address = format!("http://127.0.0.1:{port}/");
    say(&format!("The book is at {address} (Ctrl-C ends it)"));
    if settings.open {
        open(&address);
    }
    let site = Arc::new(Site { port, pages, runs: Arc::clone(&runs) });
    let rebuilding = async {
        match &changes {
            Some(changes) => rebuild(settings, &runs, changes, built).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        accepted = accept(listener, site) => accepted,
        () = rebuilding => Ok(()),
    }
}

/// Builds the book in a temporary folder and reads it.
async fn pages(settings: &Settings, runs: &Arc<Runs>) -> Outcome<Pages> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let tag = format!("{:x}-{}", since_1970.as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed));
    let (settings, runs) = (settings.clone(), Arc::clone(runs));
    let built = tokio::task::spawn_blocking(move || -> Result<Pages, String> {
        let folder = tempfile::Builder::new().prefix("forklore-book-").tempdir();
        let folder = folder.map_err(|error| format!("make a temporary folder: {error}"))?;
        build(&settings.root, folder.path()).map_err(|error| error.to_string())?;
        let theme = settings.root.join("book/theme");
        let has_lab = |number: &str| matches!(runs.lab(number), Ok(Some(_)));
        Pages::load(folder.path(), &theme, tag, has_lab).map_err(|error| format!("read the built book: {error}"))
    });
    Ok(built.await??)
}

/// Builds the book again after each change. A build that fails is told, and changes nothing.
async fn rebuild(settings: &Settings, runs: &Arc<Runs>, changes: &Changes, built: watch::Sender<Arc<Pages>>) {
    loop {
        if let Err(error) = changes.next().await {
            eprintln!("book: new folders are not watched: {error}");
        }
        let start = Instant::now();
        match pages(settings, runs).await {
            Ok(pages) => {
                built.send_replace(Arc::new(pages));
                say(&format!("Built again, in {:.1} s", start.elapsed().as_secs_f32()));
            }
            Err(error) => eprintln!("book: {error}; the pages stay as they were"),
        }
    }
}

/// The port asked for; without one, the default port or any free one. On loopback only: nobody else can reach it.
async fn bind(port: Option<u16>) -> Outcome<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let wanted = port.unwrap_or(DEFAULT_PORT);
    match bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port.is_none() => {
            eprintln!("book: port {wanted} is taken (EADDRINUSE), a free one is used instead");
            Ok(bind(0).await?)
        }
        Err(error) => Err(format!("listen on 127.0.0.1:{wanted}: {error}").into()),
    }
}

async fn accept(listener: TcpListener, site: Arc<Site>) -> Outcome<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await?;
        let connection = match listener.accept().await {
            Ok((connection, _)) => connection,
            // The connection was given up before it was taken; the next one may be there.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(format!("accept a connection: {error}").into()),
        };
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            // A browser that goes away in the middle is no news.
            let _ = attend(connection, site).await;
            drop(place);
        });
    }
}

async fn attend(connection: TcpStream, site: Arc<Site>) -> Result<(), hyper::Error> {
    // Lines of a transcript are small, and each is worth sending at once. A refusal only costs time.
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request| Arc::clone(&site).answer(request));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
    protocol.serve_connection(TokioIo::new(connection), service).await
}

/// Opens the reader's browser, where there is a reader with a display. The address has been said; if this fails, nothing is lost.
fn open(address: &str) {
    let display =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if display && io::stdout().is_terminal() {
        let quiet = [Stdio::Ignore, Stdio::Ignore, Stdio::Ignore];
        let _ = Command::new("xdg-open").arg(address).stdio(quiet).detached().spawn();
    }
}

/// Says something on stdout. Nobody may be left who reads it (`cargo book | head -1`), and that is no reason to end.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
