//! One system call as strace saw it.

use super::origin::Context;

/// One system call that has returned, or that never will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// When, in microseconds of `CLOCK_MONOTONIC`: its beginning, or its end if it waited for something.
    pub(super) us: u64,
    /// The thread that made it; of a process with one thread, the process.
    pub(super) tid: u32,
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    /// What it returned: `3`, `-1 ENOENT`, `?`.
    pub(super) result: String,
    /// What the calls before and after it tell about it.
    pub(super) context: Context,
}

/// An argument without strace's notes, and the notes of the descriptors in it: what each refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

impl Call {
    /// The text of an argument, empty if there is none at this place.
    pub(super) fn text(&self, place: usize) -> &str {
        self.arguments.get(place).map_or("", |argument| &argument.text)
    }

    /// What the descriptor at this place refers to, as far as strace says.
    pub(super) fn note(&self, place: usize) -> &str {
        self.notes(place).first().map_or("", String::as_str)
    }

    /// The same for a place with several descriptors.
    pub(super) fn notes(&self, place: usize) -> &[String] {
        self.arguments.get(place).map_or(&[], |argument| &argument.notes)
    }

    /// All arguments, as they stand between the parentheses.
    pub(super) fn all(&self) -> String {
        let texts: Vec<&str> = self.arguments.iter().map(|argument| argument.text.as_str()).collect();
        texts.join(", ")
    }

    /// The name of the error, if it failed.
    pub(super) fn error(&self) -> Option<&str> {
        self.result.strip_prefix("-1 ")
    }

    /// Whether it makes a process. The same calls make threads, too.
    pub(super) fn makes_process(&self) -> bool {
        ["clone", "clone3", "fork", "vfork"].contains(&self.name.as_str()) && !self.makes_thread()
    }

    pub(super) fn makes_thread(&self) -> bool {
        self.name.starts_with("clone") && self.all().contains("CLONE_THREAD")
    }

    /// The number it returned, if it is not negative.
    pub(super) fn number(&self) -> Option<u64> {
        self.result.split(' ').next()?.parse().ok()
    }
}
