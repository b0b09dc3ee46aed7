//! "Run it here": one lab at a time, for one page, and for no longer than the page is there.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use manifest::Lab;
use recording::Language;
use serde::Deserialize;
use tokio::sync::{Mutex as Turn, Notify, OwnedMutexGuard, mpsc, watch};
use transcript::Record;

use crate::catalogue::Catalogue;
use crate::diagram::diagram;
use crate::directives::diagram::steps as steps_of;
use crate::failure;
use crate::run;

use super::kept::{self, Ended};
use super::word::{Ending, Why, Word};
use super::{live, verdict};

/// How many lines may wait for a page to take them. A page that is so far behind takes none at all.
const WAITING_LINES: usize = 4096;

/// How long a run is given to show that its page has gone, before another one is refused: a page that is loaded again closes one connection
/// and asks on another, and we may be told of the second first.
const NOTICE: Duration = Duration::from_millis(100);

/// How long a run whose page has gone is waited for when the next one is asked for. It ends within the keeper's grace.
const HANDOVER: Duration = Duration::from_secs(5);

/// A lab is running already.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) lab: String,
}

/// The labs that pages may run, and which one runs now.
#[derive(Debug)]
pub(super) struct Runs {
    root: PathBuf,
    /// How long a lab may run once it is compiled.
    limit: Duration,
    /// Held by the run that is on.
    turn: Arc<Turn<()>>,
    now: Mutex<Option<Now>>,
}

/// The run that is on.
#[derive(Debug)]
struct Now {
    lab: String,
    cancel: Arc<Notify>,
    /// Whether its page has gone, or has cancelled it: it will be over in a moment.
    ending: watch::Sender<bool>,
}

impl Runs {
    pub(super) fn new(root: PathBuf, limit: Duration) -> Arc<Runs> {
        Arc::new(Runs { root, limit, turn: Arc::default(), now: Mutex::default() })
    }

    fn now(&self) -> MutexGuard<'_, Option<Now>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lab of this number, as it is now. Two digits are all that a page can say about what is to run.
    ///
    /// # Errors
    ///
    /// When a lab's files are not what they should be.
    pub(super) fn lab(&self, number: &str) -> Result<Option<Lab>, failure::Error> {
        if number.len() != 2 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        Ok(Catalogue::open(&self.root)?.labs.into_iter().find(|lab| lab.number() == number))
    }

    /// Runs `lab`; what it says comes through the channel, as lines of JSON (`word.rs`). At its end it is drawn once for each of `diagrams`,
    /// the steps that the diagrams of its chapter show.
    pub(super) async fn start(
        self: &Arc<Runs>,
        lab: Lab,
        diagrams: Vec<String>,
    ) -> Result<mpsc::Receiver<Bytes>, Busy> {
        let turn = self.take_turn().await?;
        let cancel = Arc::new(Notify::new());
        *self.now() =
            Some(Now { lab: lab.name.clone(), cancel: Arc::clone(&cancel), ending: watch::Sender::new(false) });
        let (page, pieces) = mpsc::channel(WAITING_LINES);
        let run =
            Run { runs: Arc::clone(self), lab, diagrams, page: Page { sender: page, behind: Arc::default() }, cancel };
        tokio::spawn(async move {
            run.to_its_end().await;
            *run.runs.now() = None;
            drop(turn);
        });
        Ok(pieces)
    }

    async fn take_turn(&self) -> Result<OwnedMutexGuard<()>, Busy> {
        if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() {
            return Ok(turn);
        }
        let now = self.now().as_ref().map(|now| (now.lab.clone(), now.ending.subscribe()));
        let Some((lab, mut ending)) = now else {
            // It is just over, or just beginning.
            return Ok(Arc::clone(&self.turn).lock_owned().await);
        };
        let over = async {
            // An error means the same: whoever could have told has gone.
            let _ = ending.wait_for(|ending| *ending).await;
        };
        if tokio::time::timeout(NOTICE, over).await.is_ok()
            && let Ok(turn) = tokio::time::timeout(HANDOVER, Arc::clone(&self.turn).lock_owned()).await
        {
            return Ok(turn);
        }
        Err(Busy { lab })
    }

    /// Ends the run that is on, if one is. Its page is told how it ended.
    pub(super) fn cancel(&self) {
        if let Some(now) = self.now().as_mut() {
            now.ending.send_replace(true);
            now.cancel.notify_one();
        }
    }

    /// Ends the run that is on, and returns when it is over. No other can begin afterwards.
    pub(super) async fn close(&self) {
        self.cancel();
        if let Ok(turn) = tokio::time::timeout(HANDOVER, Arc::clone(&self.turn).lock_owned()).await {
            std::mem::forget(turn);
        }
    }
}

/// The page that a run is for.
#[derive(Debug)]
struct Page {
    sender: mpsc::Sender<Bytes>,
    /// It does not take what is sent to it.
    behind: Arc<Notify>,
}

impl Page {
    fn tell(&self, word: &Word) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(word.to_line()) {
            self.behind.notify_one();
        }
    }

    async fn gone(&self) {
        tokio::select! {
            () = self.sender.closed() => {}
            () = self.behind.notified() => {}
        }
    }
}

/// One run.
#[derive(Debug)]
struct Run {
    runs: Arc<Runs>,
    lab: Lab,
    diagrams: Vec<String>,
    page: Page,
    cancel: Arc<Notify>,
}

type Trouble = Box<dyn Error + Send + Sync>;

impl Run {
    async fn to_its_end(&self) {
        let ending = match self.work().await {
            Ok(ending) => ending,
            Err(error) => Ending::trouble(format!("the lab could not be run: {error}")),
        };
        self.page.tell(&Word::End(ending));
    }

    async fn work(&self) -> Result<Ending, Trouble> {
        self.page.tell(&Word::Compiling(format!("compiling {} …", self.lab.package())));
        let (executable, built) = self.build().await?;
        let executable = match (built, executable) {
            (Ended { unwanted: Some(why), code, .. }, _) => return Ok(Ending::unwanted(why, code, self.runs.limit)),
            (Ended { code: 0, .. }, Some(executable)) => executable,
            (Ended { code, stderr, .. }, _) => return Ok(Ending::does_not_compile(code, stderr)),
        };
        let book = Catalogue::open(&self.runs.root)?.run(&self.lab, Language::Rust)?;
        self.page.tell(&Word::Figure(live::figure(&self.lab, &book.voices)));
        let (mut lines, mut records) = (live::Lines::default(), Vec::new());
        let limit = self.unwanted(Some(self.runs.limit));
        let ended = kept::run([executable.into(), OsString::from("--json")], limit, |line| {
            // What is no record is nothing that a lab says: it has no place in the transcript.
            if let Ok(record) = Record::from_json(&line) {
                self.page.tell(&Word::Line { html: lines.next(&book.voices, &record.line), record: record.clone() });
                records.push(record);
            }
        });
        let ended = ended.await?;
        if let Some(why) = ended.unwanted {
            return Ok(Ending::unwanted(why, ended.code, self.runs.limit));
        }
        let here = run::Run::seen(&records);
        let facts = verdict::compare(&book, &here);
        let draw = |steps: &String| Some((steps.clone(), diagram(&here, steps_of(steps).ok()?.as_ref())));
        let diagrams = self.diagrams.iter().filter_map(draw).collect();
        Ok(Ending::of_itself(ended.code, ended.stderr, facts, diagrams))
    }

    /// Builds the lab as `cargo lab` does, and tells the page how far it is.
    async fn build(&self) -> Result<(Option<PathBuf>, Ended<Why>), Trouble> {
        #[derive(Deserialize)]
        struct Message {
            reason: String,
            target: Option<Target>,
            /// It was compiled before, nothing was done.
            #[serde(default)]
            fresh: bool,
            executable: Option<PathBuf>,
        }
        #[derive(Deserialize)]
        struct Target {
            name: String,
        }
        let package = self.lab.package();
        let mut cargo = vec![std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())];
        let options = ["--quiet", "--color", "never", "--message-format=json-render-diagnostics"];
        cargo.extend(["build", "--package", &package].into_iter().chain(options).map(OsString::from));
        cargo.extend(["--manifest-path".into(), self.runs.root.join("Cargo.toml").into()]);
        let (mut compiled, mut executable) = (0, None);
        let ended = kept::run(cargo, self.unwanted(None), |line| {
            let Ok(Message { reason, target: Some(target), fresh, executable: program }) = serde_json::from_str(&line)
            else {
                return;
            };
            if reason != "compiler-artifact" {
                return;
            }
            if !fresh {
                compiled += 1;
                let done = format!("compiling {package}: {compiled} done, the last one {}", target.name);
                self.page.tell(&Word::Compiling(done));
            }
            if target.name == package && program.is_some() {
                executable = program;
            }
        });
        let ended = ended.await?;
        Ok((executable, ended))
    }

    /// Waits until nobody wants the run any more.
    async fn unwanted(&self, limit: Option<Duration>) -> Why {
        let time_is_up = async {
            match limit {
                Some(limit) => drop(tokio::time::timeout(limit, std::future::pending::<()>()).await),
                None => std::future::pending().await,
            }
        };
        let why = tokio::select! {
            () = self.page.gone() => Why::PageGone,
            () = self.cancel.notified() => Why::Cancelled,
            () = time_is_up => Why::TimeIsUp,
        };
        if let Some(now) = self.runs.now().as_mut() {
            now.ending.send_replace(true);
        }
        why
    }
}
