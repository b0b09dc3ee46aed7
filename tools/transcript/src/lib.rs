//! What every lab prints with: numbered steps, the voices of the processes, the arrows between them and the facts.
//!
//! # How lines from several processes come out in order
//!
//! All processes of a lab write to **one open file description**: the lab's stdout, which a child finds at the descriptor that
//! its [seat](Transcript::seat) is. A line is **one `write(2)`** of at most `PIPE_BUF` bytes, so the kernel never mixes two lines
//! (pipe(7)), and [`Transcript::say`] returns only when that write is done. What a process does afterwards, such as sending a
//! message, therefore happens after its line is in place; whoever receives the message and speaks, speaks later in the
//! transcript too. Order between processes is thus exactly the order that their messages give them, and a lab that wants a
//! fixed order sends messages until there is one.
//!
//! # Layout
//!
//! | file | what it holds |
//! |---|---|
//! | `record.rs` | one line as data, and as JSON |
//! | `text.rs` | one line as text for people, with colours on a terminal |
//! | `outlet.rs` | the one `write(2)` a line |
//! | `arguments.rs` | the arguments of a lab: `--json`, and its own |
//! | `run.rs` | a lab from its start to its exit code, Ctrl-C included |
//! | `requests.rs` | the signals that ask a lab to end |
//!
//! Beside `src/`, for the Node originals: `transcript.js` prints the same lines and the same JSON, `folder.js` gives a temporary folder that
//! is gone however the process ends.

mod arguments;
mod outlet;
mod record;
mod requests;
mod run;
mod text;

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, RawFd};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use forklore::child_process::{Command, Stdio};
use forklore::sys::inherited::Inherited;
use serde::{Deserialize, Serialize};

pub use arguments::{Output, arguments};
pub use outlet::LINE_LIMIT;
pub use record::{ArrowKind, Line, Record};
pub use requests::EndRequests;
pub use run::{Refusal, run, run_child, run_until_told, run_with};
pub use text::{Look, colour_of, facts_heading, render};

use outlet::Outlet;

/// How one process of a lab speaks: under a name, to the one transcript that all of them share.
///
/// Cheap to clone. None of its methods fails: a lab whose reader has gone away (`cargo lab 01 | head -1`) runs to its end and
/// says so in its exit code, see [`run`].
#[derive(Debug, Clone)]
pub struct Transcript {
    outlet: Arc<Outlet>,
    /// The name under which this process speaks.
    voice: String,
    format: Format,
    /// The number of the last step, 0 before the first. Only the lab's first process counts steps.
    steps: Arc<AtomicU32>,
    /// How many facts have been stated: the first one puts a heading before itself.
    facts: Arc<AtomicU32>,
}

/// How lines look; decided once by the lab's first process and handed to the others.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Format {
    json: bool,
    look: Look,
}

/// The place of a child process in its parent's transcript, which [`Transcript::seat`] gives.
#[derive(Debug)]
pub enum Seat {}

impl Seat {
    /// The environment variable by which a child learns where and how to speak.
    pub const VARIABLE: &'static str = "FORKLORE_TRANSCRIPT";
    /// The environment variable that holds the number of the descriptor to write to.
    pub const FD_VARIABLE: &'static str = "FORKLORE_TRANSCRIPT_FD";
    /// The number at which a child of a Rust lab finds the transcript: far from those that are the lesson.
    pub const FD: RawFd = 99;
}

/// What [`Seat::VARIABLE`] holds, as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct SeatCard {
    voice: String,
    #[serde(flatten)]
    format: Format,
}

impl Transcript {
    /// The transcript of a lab's first process, on its stdout; `voices` names every process that will speak, itself first.
    ///
    /// # Errors
    ///
    /// When stdout is closed, or cannot be duplicated.
    pub fn on_stdout(voices: &[&str], json: bool) -> io::Result<Transcript> {
        let coloured = !json && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let width = voices.iter().map(|v| v.chars().count()).max().unwrap_or(0);
        let outlet = Outlet::new(io::stdout().as_fd().try_clone_to_owned()?);
        let voice = voices.first().copied().unwrap_or("lab");
        Ok(Transcript::with(outlet, voice, Format { json, look: Look { coloured, width } }))
    }

    /// The transcript as a child of a lab finds it: by [`Seat::VARIABLE`] and the descriptor that it names.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when this process was not given a seat, [`io::ErrorKind::InvalidData`] when the variable is not
    /// one that [`Transcript::seat`] made, and the errors of [`take`](Inherited::take) when no such descriptor was inherited, or
    /// it has been taken.
    pub fn from_seat() -> io::Result<Transcript> {
        let card = std::env::var(Seat::VARIABLE).map_err(|_| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "no seat in a transcript: this program is started by its lab, not by hand",
            )
        })?;
        let card: SeatCard = serde_json::from_str(&card)?;
        let fd = Inherited::in_environment(Seat::FD_VARIABLE).ok_or(io::ErrorKind::InvalidData)?;
        let outlet = Outlet::new(fd.take(|_| Ok(()))?);
        Ok(Transcript::with(outlet, &card.voice, card.format))
    }

    fn with(outlet: Outlet, voice: &str, format: Format) -> Transcript {
        Transcript {
            outlet: Arc::new(outlet),
            voice: voice.to_owned(),
            format,
            steps: Arc::default(),
            facts: Arc::default(),
        }
    }

    /// The same command, whose child will find a place in this transcript and speak as `voice`.
    ///
    /// # Errors
    ///
    /// Those of duplicating the transcript's descriptor.
    pub fn seat(&self, voice: &str, command: Command) -> io::Result<Command> {
        let card = SeatCard { voice: voice.to_owned(), format: self.format };
        let card = serde_json::to_string(&card)?;
        let fd = self.outlet.as_fd().try_clone_to_owned()?;
        let command = command.env(Seat::VARIABLE, card).env(Seat::FD_VARIABLE, Seat::FD.to_string());
        Ok(command.descriptor(Seat::FD, Stdio::Fd(fd)))
    }

    /// The same transcript under another name: for a `fork(2)` child, or to relay what a program said that has no seat.
    #[must_use]
    pub fn voice(&self, voice: &str) -> Transcript {
        Transcript { voice: voice.to_owned(), ..self.clone() }
    }

    /// Returns the name under which this process speaks.
    pub fn speaker(&self) -> &str {
        &self.voice
    }

    /// Begins the next numbered step.
    #[track_caller]
    pub fn step(&self, title: impl Display) {
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        self.put(Line::Step { step, title: title.to_string() });
    }

    /// Says something in this process's voice. A text of several lines becomes several lines of the transcript.
    #[track_caller]
    pub fn say(&self, text: impl Display) {
        for text in text.to_string().lines() {
            self.put(Line::Say { voice: self.voice.clone(), text: text.to_owned() });
        }
    }

    /// Records that this process sent something to another one.
    #[track_caller]
    pub fn arrow(&self, kind: ArrowKind, to: &str, text: impl Display) {
        self.put(Line::Arrow { arrow: kind, from: self.voice.clone(), to: to.to_owned(), text: text.to_string() });
    }

    /// States a fact: what is the same in every run, and in the Node original. Facts come after the last step.
    #[track_caller]
    pub fn fact(&self, name: impl Display, value: impl Display) {
        let first = self.facts.fetch_add(1, Ordering::Relaxed) == 0;
        if first && !self.format.json {
            self.outlet.put(text::facts_heading(self.format.look));
        }
        self.put(Line::Fact { fact: name.to_string(), value: value.to_string() });
    }

    /// Writes one record, in one write.
    #[track_caller]
    fn put(&self, line: Line) {
        let place = Location::caller();
        let json = self.format.json;
        self.outlet.put(if json { Record::now(line, place).to_json() } else { text::render(&line, self.format.look) });
    }

    /// What went wrong with writing, if anything did: the first error of all clones of this transcript in this process, or that its
    /// reader has gone meanwhile.
    pub fn trouble(&self) -> Option<io::ErrorKind> {
        self.outlet.trouble().or_else(|| self.outlet.reader_is_gone().then_some(io::ErrorKind::BrokenPipe))
    }
}

/// `yes` or `no`, as facts spell a condition.
pub fn yes(condition: bool) -> &'static str {
    if condition { "yes" } else { "no" }
}
