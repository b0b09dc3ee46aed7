//! A recorded run, as the chapters quote it.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use recording::lanes::{Lanes, is_first};
use recording::{Event, Explained, Recording, What, explain};
use transcript::{Line, Record};

/// A run: what happened, and to whom.
#[derive(Debug)]
pub(crate) struct Run {
    /// The versions of what ran it, such as `node` → `20.20.2`.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) events: Vec<Event>,
    pub(crate) lanes: Lanes,
    pub(crate) voices: Voices,
    /// What people are shown of each event that is no line.
    pub(crate) explained: Vec<Option<Explained>>,
}

/// A numbered step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    pub(crate) number: u32,
    pub(crate) title: &'a str,
    /// The places of its events, its title first.
    pub(crate) events: Range<usize>,
}

/// The processes that a transcript names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Voices {
    /// `parent` or `primary`, then the others in the order in which they appear.
    pub(crate) names: Vec<String>,
    /// The width of the column of those that speak, in characters.
    pub(crate) width: usize,
}

impl Run {
    pub(crate) fn of(recording: Recording) -> Run {
        let explained = explain(&recording);
        Run::with(recording.header.versions, recording.events, explained)
    }

    /// A run of which only the transcript is known.
    pub(crate) fn seen(records: &[Record]) -> Run {
        let event = |record: &Record| {
            let line = What::Line { line: record.line.clone(), source: record.source.clone() };
            Event { us: record.us, pid: record.pid, what: line }
        };
        Run::with(BTreeMap::new(), records.iter().map(event).collect(), Vec::new())
    }

    fn with(versions: BTreeMap<String, String>, events: Vec<Event>, explained: Vec<Option<Explained>>) -> Run {
        let lanes = Lanes::of(&events);
        let voices = Voices::of(events.iter().filter_map(line));
        Run { versions, events, lanes, voices, explained }
    }

    pub(crate) fn steps(&self) -> Vec<Step<'_>> {
        let mut steps: Vec<Step<'_>> = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            match line(event) {
                Some(Line::Step { step, title }) => steps.push(Step { number: *step, title, events: at..at + 1 }),
                Some(Line::Fact { .. }) => break,
                _ => {
                    if let Some(step) = steps.last_mut() {
                        step.events.end = at + 1;
                    }
                }
            }
        }
        steps
    }

    pub(crate) fn step(&self, number: u32) -> Option<Step<'_>> {
        self.steps().into_iter().find(|step| step.number == number)
    }

    /// The places of the events of these steps; of all, if none are given.
    pub(crate) fn places(&self, wanted: Option<&RangeInclusive<u32>>) -> Range<usize> {
        let Some(wanted) = wanted else { return 0..self.events.len() };
        let steps = self.steps().into_iter().filter(|step| wanted.contains(&step.number));
        steps.map(|step| step.events).reduce(|all, step| all.start..step.end).unwrap_or_default()
    }

    /// The lines that are said in a step.
    pub(crate) fn said(&self, step: &Step<'_>) -> impl Iterator<Item = &Line> {
        self.events[step.events.clone()].iter().filter_map(line).skip(1)
    }

    /// The names and values of the facts.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.events.iter().filter_map(|event| match line(event) {
            Some(Line::Fact { fact, value }) => Some((fact.as_str(), value.as_str())),
            _ => None,
        })
    }
}

/// The line of the transcript that an event is.
pub(crate) fn line(event: &Event) -> Option<&Line> {
    match &event.what {
        What::Line { line, .. } => Some(line),
        _ => None,
    }
}

impl Voices {
    fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Voices {
        let mut voices = Voices::default();
        for line in lines {
            let (speaker, other) = match line {
                Line::Say { voice, .. } => (voice, None),
                Line::Arrow { from, to, .. } => (from, Some(to)),
                Line::Step { .. } | Line::Fact { .. } => continue,
            };
            voices.width = voices.width.max(speaker.chars().count());
            for name in [Some(speaker), other].into_iter().flatten() {
                if !voices.names.contains(name) {
                    voices.names.push(name.clone());
                }
            }
        }
        voices.names.sort_by_key(|name| !is_first(name));
        voices
    }

    /// The place of a voice among them.
    pub(crate) fn lane(&self, voice: &str) -> usize {
        self.names.iter().position(|name| name == voice).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use transcript::ArrowKind;

    use super::*;

    fn records(lines: impl IntoIterator<Item = Line>) -> Vec<Record> {
        lines.into_iter().map(|line| Record { us: 1, pid: 1, line, source: None }).collect()
    }

    #[test]
    fn a_run_comes_apart_into_steps_and_facts() {
        let arrow = Line::Arrow {
            arrow: ArrowKind::Handle,
            from: "child 1".into(),
            to: "another process".into(),
            text: "server".into(),
        };
        let run = Run::seen(&records([
            Line::Step { step: 1, title: "First".into() },
            arrow.clone(),
            Line::Step { step: 2, title: "Second".into() },
            Line::Say { voice: "parent".into(), text: "a  b".into() },
            Line::Fact { fact: "who".into(), value: "a: b".into() },
        ]));
        let steps = run.steps();
        assert_eq!(steps[0], Step { number: 1, title: "First", events: 0..2 });
        assert_eq!(run.said(&steps[0]).collect::<Vec<_>>(), [&arrow]);
        assert_eq!((steps[1].events.clone(), steps.len()), (2..4, 2));
        assert_eq!((run.places(None), run.places(Some(&(1..=2))), run.places(Some(&(2..=9)))), (0..5, 0..4, 2..4));
        assert_eq!(run.facts().collect::<Vec<_>>(), [("who", "a: b")]);
        let names = ["parent", "child 1", "another process"].map(str::to_owned).to_vec();
        assert_eq!(run.voices, Voices { names, width: 7 }, "only those that speak need room");
    }
}
