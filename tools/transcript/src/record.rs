//! One line of a transcript as data, and as one line of JSON.

use std::panic::Location;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// One line with who wrote it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, in microseconds of `CLOCK_MONOTONIC`: comparable between the processes of one machine until it restarts.
    pub us: u64,
    /// The process that wrote the line. It need not be the one whose voice it is: a parent relays what a plain program printed.
    pub pid: u32,
    /// What it says.
    #[serde(flatten)]
    pub line: Line,
    /// Where in the lab's source it was printed: `src/main.rs:41`, from the lab's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What a line says. In JSON the kinds are told apart by the member that gives each its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// A step begins.
    Step {
        /// Its number, from 1.
        step: u32,
        /// What is done in it.
        title: String,
    },
    /// A process says something.
    Say {
        /// The name of the process.
        voice: String,
        /// One line of text.
        text: String,
    },
    /// Something goes from one process to another.
    Arrow {
        /// What kind of thing.
        arrow: ArrowKind,
        /// The voice of the sender.
        from: String,
        /// The voice of the receiver.
        to: String,
        /// What was sent.
        text: String,
    },
    /// What is the same in every run.
    Fact {
        /// Its name, unique in the lab.
        fact: String,
        /// Its value.
        value: String,
    },
}

/// What can go from one process to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrowKind {
    /// Bytes: a message on a channel, data in a pipe.
    Message,
    /// An open descriptor, by `SCM_RIGHTS`.
    Handle,
    /// A network connection.
    Connection,
    /// A signal.
    Signal,
    /// A new process: the sender made the receiver.
    Start,
    /// The end of a process: the receiver learns how the sender ended.
    Exit,
}

impl ArrowKind {
    /// The kind's name, as JSON and text spell it.
    pub fn name(self) -> &'static str {
        match self {
            ArrowKind::Message => "message",
            ArrowKind::Handle => "handle",
            ArrowKind::Connection => "connection",
            ArrowKind::Signal => "signal",
            ArrowKind::Start => "start",
            ArrowKind::Exit => "exit",
        }
    }
}

impl Record {
    /// Makes the record of `line`, which this process prints now, by the code at `place`.
    pub fn now(line: Line, place: &Location<'_>) -> Record {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux always has CLOCK_MONOTONIC");
        let us =
            u64::try_from(now.tv_sec()).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec()).unwrap_or(0) / 1_000;
        Record { us, pid: std::process::id(), line, source: Some(format!("{}:{}", in_lab(place.file()), place.line())) }
    }

    /// The record as one line of JSON, newline included.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string(self).expect("a record is plain data");
        json.push('\n');
        json
    }

    /// The record that a line of JSON holds.
    ///
    /// # Errors
    ///
    /// When the line is not one that [`Record::to_json`] makes.
    pub fn from_json(line: &str) -> serde_json::Result<Record> {
        serde_json::from_str(line)
    }
}

/// Shortens the path of a lab's source file, from the workspace, to the path from the lab's directory.
fn in_lab(path: &str) -> &str {
    path.strip_prefix("labs/").and_then(|path| path.split_once('/')).map_or(path, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_survives_json() {
        let lines = [
            Line::Step { step: 1, title: "a \"step\"".into() },
            Line::Say { voice: "child".into(), text: "tab\there".into() },
            Line::Arrow { arrow: ArrowKind::Signal, from: "a".into(), to: "b".into(), text: "SIGTERM".into() },
            Line::Fact { fact: "bytes in".into(), value: "3".into() },
        ];
        for line in lines {
            let record = Record::now(line, Location::caller());
            let json = record.to_json();
            assert_eq!(json.matches('\n').count(), 1, "one record is one line: {json:?}");
            assert_eq!(Record::from_json(&json).expect("our own JSON"), record);
        }
    }
    #[test]
    fn a_place_is_named_from_the_labs_directory() {
        assert_eq!(in_lab("labs/05-handle-passing/src/main.rs"), "src/main.rs");
        assert_eq!(in_lab("tools/kit/src/lib.rs"), "tools/kit/src/lib.rs");
    }
}
