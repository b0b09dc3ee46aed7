//! Values that vary between runs: where they stand in a text, and what takes their place in `expected.txt`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A kind of value that varies between runs.
#[derive(Debug)]
pub struct Kind {
    /// What stands for such a value in `expected.txt`: `[PID]`.
    pub placeholder: &'static str,
    /// A regular expression whose group `redacted` is the value.
    pub pattern: &'static str,
    /// What the value is, in words: `a process's number`.
    pub meaning: &'static str,
}

const fn kind(placeholder: &'static str, pattern: &'static str, meaning: &'static str) -> Kind {
    Kind { placeholder, pattern, meaning }
}

/// All kinds of values that vary between runs, beside the directory that a lab runs in.
pub const KINDS: [Kind; 12] = [
    kind("[PID]", r"\bpid (?<redacted>\d+)", "a process's number"),
    kind("[PORT]", r"\bport (?<redacted>\d+)", "a port that the kernel chose"),
    kind("[FD]", r"\bfd (?<redacted>\d+)", "a descriptor"),
    kind("[INODE]", r"\binode (?<redacted>\d+)", "the kernel's number for a file or socket"),
    kind("[COUNT]", r"\b(answered|connected|holds) (?<redacted>\d+)", "a count"),
    kind("[COUNT]", r"\b(?<redacted>\d+) clients were reset", "a count"),
    kind("[COUNT]", r"\btook (?<redacted> *\d+( █+)?)", "a count"),
    kind("[TIME]", r"\ball in (?<redacted>\d+ ms)", "a time"),
    kind("[TIME]", r"\bup for (?<redacted>\d+\.\d+) s", "a time"),
    kind("[OBSERVED]", r"\bobserved (?<redacted>\d+\.\d)", "a measurement"),
    kind("[MEMORY]", r"(?<redacted>\d+\.\d MiB)", "an amount of memory"),
    kind("[MEMORY]", r"(?<redacted>\d+ KiB) (before|more)", "an amount of memory"),
];

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    KINDS.iter().map(|kind| Regex::new(kind.pattern).expect("a test compiles each of them")).collect()
});

/// A value that varies between runs.
#[derive(Debug)]
pub struct Mark {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// What kind of value it is.
    pub kind: &'static Kind,
}

/// Finds the values in `text` that vary between runs, in their order.
pub fn marks(text: &str) -> Vec<Mark> {
    let found = PATTERNS.iter().zip(&KINDS).flat_map(|(pattern, kind)| {
        let values = pattern.captures_iter(text).filter_map(|found| found.name("redacted"));
        values.map(move |value| Mark { range: value.range(), kind })
    });
    let mut marks: Vec<Mark> = found.collect();
    marks.sort_by_key(|mark| mark.range.start);
    marks
}

/// Replaces the values that vary by their placeholders, as `expected.txt` has them.
pub fn redacted(text: &str) -> String {
    let mut redacted = text.to_owned();
    for mark in marks(text).into_iter().rev() {
        redacted.replace_range(mark.range, mark.kind.placeholder);
    }
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_and_what_stays_the_same_is_not() {
        for (text, placeholders) in [
            ("pid 6185, started by pid 6135", "pid [PID], started by pid [PID]"),
            ("port 34507: for me it is fd 10, inode 42649440", "port [PORT]: for me it is fd [FD], inode [INODE]"),
            ("worker 1 answered 12", "worker 1 answered [COUNT]"),
            ("of 64 that waited 31 clients were reset", "of 64 that waited [COUNT] clients were reset"),
            ("worker 2 took  24 ████", "worker 2 took [COUNT]"),
            ("all in 331 ms", "all in [TIME]"),
            ("up for 0.01 s, memory 5.5 MiB", "up for [TIME] s, memory [MEMORY]"),
            ("observed 9.5 of 100", "observed [OBSERVED] of 100"),
            ("peak memory: 4.1 MiB before, 12 KiB more after", "peak memory: [MEMORY] before, [MEMORY] more after"),
            ("worker 1 gets  25 ██, exit code 7, sent 100 MiB", "worker 1 gets  25 ██, exit code 7, sent 100 MiB"),
        ] {
            assert_eq!(redacted(text), placeholders);
        }
        let marks = marks("inode 7, pid 12");
        let ranges: Vec<_> = marks.iter().map(|mark| (mark.range.clone(), mark.kind.placeholder)).collect();
        assert_eq!(ranges, [(6..7, "[INODE]"), (13..15, "[PID]")]);
    }
}
