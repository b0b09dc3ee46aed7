//! How far it is, and how long it will take.

use std::collections::HashMap;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use forklore_benches::figures::Missing;

/// How long one measurement takes as long as none was made.
const FIRST_GUESS: Duration = Duration::from_secs(4);

/// One group.
#[derive(Default)]
struct GroupProgress {
    /// How many measurements there are, over all rounds.
    of: u32,
    done: u32,
    took: Duration,
}

/// How far all groups are.
pub(crate) struct BenchProgress {
    groups: HashMap<String, GroupProgress>,
    /// The group that runs, and what to call it.
    now: (String, String),
    began: Instant,
    /// When the last measurement ended.
    last: Instant,
    terminal: bool,
    /// Who did not take part.
    pub(crate) missing: Vec<Missing>,
}

impl BenchProgress {
    pub(crate) fn new(counts: Vec<(String, u32)>) -> BenchProgress {
        let groups =
            counts.into_iter().map(|(name, of)| (name, GroupProgress { of, ..GroupProgress::default() })).collect();
        let now = Instant::now();
        let (terminal, missing) = (stderr().is_terminal(), Vec::new());
        BenchProgress { groups, now: Default::default(), began: now, last: now, terminal, missing }
    }

    pub(crate) fn begin(&mut self, group: &str, title: String) {
        self.now = (group.to_owned(), title);
        self.last = Instant::now();
        self.show();
    }

    /// A line that a group has written. `name` is what criterion has begun with, which may be on a line of its own.
    pub(crate) fn hear(&mut self, line: &str, name: &mut String) {
        if let Some((before, time)) = line.split_once("time:   [") {
            if !before.trim().is_empty() {
                *name = before.trim().to_owned();
            }
            let median = time.split(' ').skip(2).take(2).collect::<Vec<_>>().join(" ");
            let done = format!("{name}  {median}");
            self.done(&done);
        } else if line == "Success" {
            self.done(&std::mem::take(name));
        } else if let Some(tested) = line.strip_prefix("Testing ") {
            *name = tested.to_owned();
        } else if line.contains("  round ") {
            self.done(line);
        } else if line.starts_with("left out: ") {
            self.left_out(line);
        } else if line.contains('/') && !line.starts_with(' ') {
            *name = line.trim().to_owned();
        }
    }

    /// A line that may say who does not take part: `left out: nginx: nginx is not installed`.
    pub(crate) fn left_out(&mut self, line: &str) {
        let Some((name, reason)) = line.strip_prefix("left out: ").and_then(|rest| rest.split_once(": ")) else {
            return;
        };
        let missing = Missing { contestant: name.to_owned(), reason: reason.to_owned() };
        if !self.missing.contains(&missing) {
            self.line(line);
            self.missing.push(missing);
        }
    }

    fn done(&mut self, what: &str) {
        let now = Instant::now();
        if let Some(group) = self.groups.get_mut(&self.now.0) {
            group.done += 1;
            group.of = group.of.max(group.done);
            group.took += now - self.last;
        }
        self.last = now;
        self.line(what);
    }

    /// Writes a line that stays.
    pub(crate) fn line(&self, text: &str) {
        self.clear();
        println!("{text}");
        self.show();
    }

    fn show(&self) {
        if !self.terminal {
            return;
        }
        let (done, of) = self.groups.values().fold((0, 0), |(done, of), group| (done + group.done, of + group.of));
        let (gone, left) = (minutes(self.began.elapsed()), minutes(self.left()));
        let _ = write!(stderr(), "\r\x1b[K[{done}/{of}] {}: {gone} gone, about {left} left", self.now.1);
    }

    fn clear(&self) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }

    /// A group that has measured something goes on like that; another one as all did so far.
    fn left(&self) -> Duration {
        let (took, done) = self
            .groups
            .values()
            .fold((Duration::ZERO, 0), |(took, done), group| (took + group.took, done + group.done));
        let usual = if done == 0 { FIRST_GUESS } else { took / done };
        let left = |group: &GroupProgress| {
            let each = if group.done == 0 { usual } else { group.took / group.done };
            each * (group.of - group.done)
        };
        self.groups.values().map(left).sum()
    }

    pub(crate) fn end(&self) {
        self.clear();
        println!("{} in all", minutes(self.began.elapsed()));
    }
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}
