//! What a call's surroundings tell: whether it was tried again, and what its descriptor is a copy of.

use super::address::kind;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Context {
    #[default]
    Nothing,
    /// An `execve` that failed, and the process's next call is another one.
    TriedAgain,
    /// A `dup2`: what it copies.
    Copied(Origin),
}

/// The descriptor that others are copies of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) number: String,
    /// What it is an end of, if the call that made it was seen.
    pub(super) end: Option<End>,
    /// strace's note. Another note at this number is another open file: whoever closed and opened meanwhile was not seen.
    pub(super) note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Reading,
    Writing,
    Socket,
}

impl Origin {
    /// What it means that a copy of this, which stands at `source`, is put at `target`.
    pub(super) fn words(&self, source: &str, target: &str) -> String {
        let number = &self.number;
        if number == target {
            return format!("descriptor {target} means again what it meant before: {source} kept that");
        }
        let copy = if number == source { String::new() } else { format!(" ({source} is its copy)") };
        match self.end {
            Some(End::Reading) => format!("descriptor {target} is now the pipe's reading end, {number}{copy}"),
            Some(End::Writing) => format!("descriptor {target} is now the pipe's writing end, {number}{copy}"),
            Some(End::Socket) => format!("descriptor {target} is now the socket pair's end {number}{copy}"),
            None => match kind(&self.note) {
                // There are many pipes, and that it is one of them says nothing.
                "a pipe" | "what it refers to" => format!("descriptor {target} now means what {number} meant{copy}"),
                kind => format!("descriptor {target} now means what {number} meant: {kind}{copy}"),
            },
        }
    }
}
