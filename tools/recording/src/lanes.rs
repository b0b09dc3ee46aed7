//! The processes of a run: who was alive when, under which name, and which of them a line of the transcript is about.
//!
//! A line names processes by their voices. Several processes may share one (lab 00 calls each of its children `child`), and a process may
//! never speak itself: its parent says what it did. Which process is meant follows from who was alive, who was sent a signal, and who
//! ended.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use transcript::{ArrowKind, Line};

use crate::{Event, What};

/// A process from its start to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// A name that no other process of the run has: the voice under which it spoke first, otherwise what others call it, otherwise its
    /// program. Equal names are numbered.
    pub name: String,
    /// The name that gives it its colour: its voice in the transcript if it has one.
    pub voice: String,
    /// Its number. A run that was not traced has a lane for each voice, and does not know it.
    pub pid: Option<u32>,
    /// The event that started it; `None` if it was there at the beginning.
    pub start: Option<usize>,
    /// The event that ended it.
    pub end: Option<usize>,
    /// The name of its last program.
    program: Option<String>,
    /// The voice under which it spoke first.
    own: Option<String>,
    /// What others call it, if it does not speak.
    alias: Option<String>,
}

/// The processes of a run, in the order of their starts.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    all: Vec<Lane>,
    /// The lane that speaks in a line, by the line's place among the events; of an arrow, also the one that it leads to.
    lines: BTreeMap<usize, (usize, Option<usize>)>,
}

/// What a line says about the process that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Acts,
    Started,
    Ended,
    Signalled,
}

impl Lanes {
    /// Finds the processes of a run.
    pub fn of(events: &[Event]) -> Lanes {
        let mut lanes = Lanes::default();
        if events.iter().any(|event| matches!(event.what, What::Starts { .. } | What::Program { .. })) {
            lanes.meet(events);
        }
        for (at, event) in events.iter().enumerate() {
            let What::Line { line, .. } = &event.what else { continue };
            let ends = match line {
                Line::Say { voice, text } => {
                    let itself = named_first(text).and_then(|pid| lanes.process(pid));
                    let relayed = itself.filter(|_| !lanes.speaks_for_itself(event.pid, voice));
                    if let Some(lane) = relayed {
                        lanes.all[lane].is_called(voice);
                    }
                    let said = relayed.or_else(|| lanes.find(voice, Role::Acts, at, events));
                    // A lab may also speak of itself under several names.
                    let lane = said.or_else(|| lanes.process(event.pid));
                    (lane.unwrap_or_else(|| lanes.without_process(voice)), None)
                }
                Line::Arrow { arrow, from, to, .. } => {
                    let (from_role, to_role) = match arrow {
                        ArrowKind::Exit => (Role::Ended, Role::Acts),
                        ArrowKind::Signal => (Role::Acts, Role::Signalled),
                        ArrowKind::Start => (Role::Acts, Role::Started),
                        _ => (Role::Acts, Role::Acts),
                    };
                    let mut lane = |name: &str, role| {
                        let found = lanes.find(name, role, at, events);
                        found.unwrap_or_else(|| lanes.without_process(name))
                    };
                    (lane(from, from_role), Some(lane(to, to_role)))
                }
                Line::Step { .. } | Line::Fact { .. } => continue,
            };
            lanes.lines.insert(at, ends);
        }
        lanes.name();
        lanes
    }

    /// All of them.
    pub fn all(&self) -> &[Lane] {
        &self.all
    }

    /// The lane of a process.
    pub fn process(&self, pid: u32) -> Option<usize> {
        self.all.iter().position(|lane| lane.pid == Some(pid))
    }

    /// The lanes that the line at this place among the events is about: who speaks, and where an arrow leads to.
    pub fn of_line(&self, at: usize) -> Option<(usize, Option<usize>)> {
        self.lines.get(&at).copied()
    }

    /// Finds all processes, with what is known of them without the lines about them.
    fn meet(&mut self, events: &[Event]) {
        let mut called: BTreeMap<u32, String> = BTreeMap::new();
        for (at, event) in events.iter().enumerate() {
            let lane = self.process(event.pid).unwrap_or_else(|| self.add(event.pid, None));
            match &event.what {
                What::Starts { starts } => {
                    self.add(*starts, Some(at));
                }
                What::Program { program } => self.all[lane].program = Some(program.clone()),
                What::Exit { .. } => self.all[lane].end = Some(at),
                What::Line { line: Line::Say { voice, text }, .. } => {
                    self.all[lane].speaks_as(voice);
                    if let Some((name, pid)) =
                        text.split_once(", pid ").and_then(|(name, rest)| Some((name, digits(rest)?)))
                    {
                        called.entry(pid).or_insert_with(|| name.to_owned());
                    }
                }
                What::Line { line: Line::Arrow { from, .. }, .. } => self.all[lane].speaks_as(from),
                _ => {}
            }
        }
        for lane in self.all.iter_mut().filter(|lane| lane.own.is_none()) {
            lane.alias = lane.pid.and_then(|pid| called.remove(&pid));
        }
    }

    fn add(&mut self, pid: u32, start: Option<usize>) -> usize {
        self.all.push(Lane { pid: Some(pid), start, ..Lane::default() });
        self.all.len() - 1
    }

    fn speaks_for_itself(&self, pid: u32, voice: &str) -> bool {
        self.process(pid).is_some_and(|lane| self.all[lane].own.as_deref() == Some(voice))
    }

    /// The process that the line at this place means by `name`:
    ///
    /// 1. the one that wrote the line, if that is its own voice;
    /// 2. among the others that have this voice, or have none and did not end in an earlier step: of an exit, the one that ended last; of a
    ///    signal and of a start, the one that got it from the writer nearest to the line; otherwise a child of the writer's, one that is
    ///    alive, the last that was, one that has this name already, the youngest.
    fn find(&mut self, name: &str, role: Role, at: usize, events: &[Event]) -> Option<usize> {
        let writer = events[at].pid;
        if self.speaks_for_itself(writer, name) {
            return self.process(writer);
        }
        let is_step = |event: &Event| matches!(event.what, What::Line { line: Line::Step { .. }, .. });
        let step = events[..at].iter().rposition(is_step).unwrap_or(0);
        let can_be = |lane: &Lane| match &lane.own {
            _ if lane.pid.is_none_or(|pid| pid == writer) => false,
            _ if role != Role::Started && lane.start.is_some_and(|start| start > at) => false,
            Some(own) => own == name,
            None => lane.alias.as_ref().is_none_or(|alias| alias == name) && lane.end.is_none_or(|end| end > step),
        };
        // How near the writer did to this process what the line says.
        let did = |lane: &Lane| {
            let it = |event: &Event| match &event.what {
                What::Signal(signal) => {
                    role == Role::Signalled && signal.from == Some(writer) && lane.pid == Some(event.pid)
                }
                What::Starts { starts } => role == Role::Started && event.pid == writer && lane.pid == Some(*starts),
                _ => false,
            };
            let places = events.iter().enumerate().filter(|(_, event)| it(event));
            places.map(|(place, _)| Reverse(place.abs_diff(at))).max()
        };
        let rank = |lane: &Lane| {
            let ended = lane.end.filter(|end| role == Role::Ended && *end < at);
            let is_child = lane.start.is_some_and(|start| events[start].pid == writer);
            let alive = lane.end.is_none_or(|end| end > at);
            (ended, did(lane), is_child, alive, lane.end.filter(|_| !alive), lane.known_as().is_some(), lane.start)
        };
        let candidates = self.all.iter().enumerate().filter(|(_, lane)| can_be(lane));
        let (found, _) = candidates.max_by_key(|(_, lane)| rank(lane))?;
        self.all[found].is_called(name);
        Some(found)
    }

    /// The lane of a voice that is not known to be a process's.
    fn without_process(&mut self, voice: &str) -> usize {
        let of_voice = |lane: &Lane| lane.pid.is_none() && lane.own.as_deref() == Some(voice);
        self.all.iter().position(of_voice).unwrap_or_else(|| {
            self.all.push(Lane { own: Some(voice.to_owned()), ..Lane::default() });
            self.all.len() - 1
        })
    }

    /// Gives every lane its name and its voice.
    fn name(&mut self) {
        let calls = |name: &str| self.all.iter().filter(|lane| lane.known_as() == Some(name)).count();
        let first_program = self.all.first().and_then(|lane| lane.program.clone());
        let name = |lane: &Lane| {
            let alone = lane.alias.clone().filter(|alias| calls(alias) == 1);
            let program = lane.program.clone().filter(|program| Some(program) != first_program.as_ref());
            let pid = || lane.pid.map(|pid| format!("pid {pid}"));
            lane.own.clone().or(alone).or(program).or_else(|| lane.alias.clone()).or_else(pid).unwrap_or_default()
        };
        let names: Vec<String> = self.all.iter().map(name).collect();
        for (at, lane) in self.all.iter_mut().enumerate() {
            let name = &names[at];
            let alike = |names: &[String]| names.iter().filter(|other| *other == name).count();
            lane.voice = lane.known_as().unwrap_or(name).to_owned();
            lane.name = match (alike(&names), alike(&names[..=at])) {
                (1, _) => name.clone(),
                (_, number) if name.ends_with(|last: char| last.is_ascii_digit()) => format!("{name} ({number})"),
                (_, number) => format!("{name} {number}"),
            };
        }
    }
}

impl Lane {
    /// Notes that the process speaks under this voice: it is its own if it is its first one, or that of the process above the others.
    fn speaks_as(&mut self, voice: &str) {
        if self.own.is_none() || is_first(voice) {
            self.own = Some(voice.to_owned());
        }
    }

    /// Notes that others call the process so.
    fn is_called(&mut self, name: &str) {
        if self.own.is_none() {
            self.alias.get_or_insert_with(|| name.to_owned());
        }
    }

    /// Its own voice, otherwise what others call it.
    fn known_as(&self) -> Option<&str> {
        self.own.as_deref().or(self.alias.as_deref())
    }
}

/// Tells whether a voice is that of the process which started the others.
pub fn is_first(voice: &str) -> bool {
    matches!(voice, "parent" | "primary")
}

/// The process of a line that begins with `pid 7`.
fn named_first(text: &str) -> Option<u32> {
    digits(text.strip_prefix("pid ")?)
}

/// The number that a text begins with.
fn digits(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
