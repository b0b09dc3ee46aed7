//! One recorded run of a lab: what it said, the system calls, and the lives of its processes, in causal order.
//!
//! A recording is a file of JSON lines, `book/recorded/NN-slug.rust.jsonl` or `….node.jsonl`: a [`Header`], then one [`Event`] a line. It
//! holds what was observed. What a reader sees of it (meanings, marks, lanes, folding by step) is computed from it when it is shown.

mod decode;
mod explain;
mod fold;
pub mod lanes;
pub mod marks;
mod meaning;
mod noise;
mod order;
mod origin;
mod peers;
mod record;
mod strace;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use transcript::Line;

pub use explain::{Explained, explain};
pub use order::out_of_order;
pub use record::{Places, strace_options};
pub use words::grouped;

/// The version of the format that this program reads and writes. It changes whenever an older reader would misunderstand a newer file.
pub const FORMAT: u32 = 1;

/// A whole recorded run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// What was run, and with which versions.
    pub header: Header,
    /// What happened, in causal order: nothing is received before it is sent.
    pub events: Vec<Event>,
}

impl Recording {
    /// Reads a recording from its lines of JSON.
    ///
    /// # Errors
    ///
    /// A line is not what [`Recording::to_jsonl`] writes, or belongs to another version of the format.
    pub fn from_jsonl(text: &str) -> serde_json::Result<Recording> {
        let mut lines = text.lines();
        let header: Header = serde_json::from_str(lines.next().unwrap_or_default())?;
        if header.format != FORMAT {
            let message = format!("the recording has format {}, this program reads {FORMAT}", header.format);
            return Err(serde::de::Error::custom(message));
        }
        let events = lines.map(serde_json::from_str).collect::<serde_json::Result<_>>()?;
        Ok(Recording { header, events })
    }

    /// Returns the width of the column of voices in its transcript, in characters.
    pub fn voices_width(&self) -> usize {
        let voices = self.events.iter().filter_map(|event| match &event.what {
            What::Line { line: Line::Say { voice, .. } | Line::Arrow { from: voice, .. }, .. } => Some(voice),
            _ => None,
        });
        voices.map(|voice| voice.chars().count()).max().unwrap_or(0)
    }

    /// Writes the recording as lines of JSON.
    pub fn to_jsonl(&self) -> String {
        let header = serde_json::to_string(&self.header);
        let events = self.events.iter().map(serde_json::to_string);
        let lines = [header].into_iter().chain(events).map(|line| line.expect("plain data") + "\n");
        lines.collect()
    }
}

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`] when it was written.
    pub format: u32,
    /// The name of the lab's directory: `05-handle-passing`.
    pub lab: String,
    /// Which of the lab's two programs was run.
    pub language: Language,
    /// The versions of what ran it, such as `node` → `20.20.2` and `linux` → `6.18`.
    pub versions: BTreeMap<String, String>,
}

/// The language of a lab's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// The lab itself.
    Rust,
    /// The same experiment in Node.
    Node,
}

impl Language {
    /// Both languages.
    pub const ALL: [Language; 2] = [Language::Rust, Language::Node];

    /// The name in a file's name: `rust` or `node`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Node => "node",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::Node => "Node",
        })
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in microseconds since the first event. It never decreases from one event to the next.
    pub us: u64,
    /// The process to which it happened, or which did it.
    pub pid: u32,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. In JSON the kinds are told apart by the member that gives each its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum What {
    /// A process wrote a line of the transcript.
    Line {
        /// What it says.
        #[serde(flatten)]
        line: Line,
        /// Where in the lab's source it was printed: `src/main.rs:41`, from the lab's directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// A process made a system call.
    Call(Call),
    /// A process started another one. It stands after the call that did so.
    Starts {
        /// The new process.
        starts: u32,
    },
    /// A process now runs another program. It stands after the call that did so.
    Program {
        /// The file's name without its directory: `node`.
        program: String,
    },
    /// A signal reached a process.
    Signal(Signal),
    /// A process ended.
    Exit {
        /// How.
        exit: Exit,
    },
}

/// A system call that has returned, or never did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its name: `sendmsg`.
    pub call: String,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// What it returned: `3`, `-1 EAGAIN`; `?` when it did not return.
    pub result: String,
    /// The descriptor that it returned, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Descriptor>,
    /// The bytes that went through it, if any did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// The descriptors that were sent or received with a message: numbers of the process that made the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Descriptor>,
    /// How many calls of this process this one stands for: the first of the calls that are alike between two lines of the transcript.
    /// The payload's bytes are those of all of them.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

fn once() -> u64 {
    1
}

fn is_once(times: &u64) -> bool {
    *times == 1
}

impl Call {
    /// Returns the text of the argument at this place, empty if there is none.
    pub fn text(&self, place: usize) -> &str {
        self.arguments.get(place).map_or("", |argument| &argument.text)
    }

    /// Returns what the first descriptor of the argument at this place refers to, empty if that is not known.
    pub fn is(&self, place: usize) -> &str {
        let descriptors = self.arguments.get(place).map_or(&[][..], |argument| &argument.descriptors);
        descriptors.first().map_or("", |descriptor| &descriptor.is)
    }

    /// Returns the name of the error, if the call failed.
    pub fn error(&self) -> Option<&str> {
        self.result.strip_prefix("-1 ")
    }

    /// Returns the number that it returned, unless that is negative.
    pub fn number(&self) -> Option<u64> {
        self.result.parse().ok()
    }

    /// Tells whether it makes a process or a thread.
    pub fn clones(&self) -> bool {
        ["clone", "clone3", "fork", "vfork"].contains(&self.call.as_str())
    }

    /// Tells whether it makes a thread.
    pub fn makes_thread(&self) -> bool {
        self.clones() && self.any_argument("CLONE_THREAD")
    }

    /// Tells whether it makes the process run another program, if it succeeds.
    pub fn executes(&self) -> bool {
        ["execve", "execveat"].contains(&self.call.as_str())
    }

    /// Tells whether an argument contains `part`.
    fn any_argument(&self, part: &str) -> bool {
        self.arguments.iter().any(|argument| argument.text.contains(part))
    }
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// As strace writes it, without what it says about descriptors.
    pub text: String,
    /// What the descriptors in it refer to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descriptors: Vec<Descriptor>,
}

/// A descriptor, and what it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its number.
    pub fd: i32,
    /// What it refers to, as the kernel names it: `TCP:[127.0.0.1:40123]`, `pipe:[7758]`.
    pub is: String,
}

/// Bytes that went through a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The first ones, at most 4 KiB, as text. What is no UTF-8 is U+FFFD.
    pub text: String,
    /// How many there were.
    pub bytes: u64,
}

/// A signal that reached a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name: `SIGTERM`.
    pub signal: String,
    /// Who sent it; `None` if the kernel did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// Whether it stopped the process. One that killed is the process's [`Exit`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stops: bool,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// Killed by this signal.
    Signal(String),
}
