//! What a diagram shows.

use std::ops::RangeInclusive;

use transcript::{ArrowKind, Line, Record};

use crate::colours::{is_first, name_of};

/// With more arrows than this in a diagram, those that repeat are folded.
const ARROWS_AT_MOST: usize = 25;
/// How many of those that repeat are shown, then.
const SHOWN_OF_A_REPETITION: usize = 2;
/// How many lines of what a process says at once are shown.
const LINES_OF_A_NOTE: usize = 4;

/// What happens, in order, and between whom.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scene {
    /// From left to right: in every diagram of a run in the same order.
    pub(super) voices: Vec<String>,
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Step {
        number: u32,
        title: String,
    },
    /// What a process says without a pause, and how many lines more.
    Note {
        voice: String,
        lines: Vec<String>,
        more: usize,
    },
    Arrow(Arrow),
    /// So many more arrows as the last one of this kind between these two.
    Fold {
        like: Arrow,
        more: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) kind: ArrowKind,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) text: String,
}

impl Arrow {
    fn is_like(&self, other: &Arrow) -> bool {
        (self.kind, &self.from, &self.to) == (other.kind, &other.from, &other.to)
    }
}

impl Scene {
    pub(super) fn of(records: &[Record], steps: Option<RangeInclusive<u32>>) -> Scene {
        let mut scene = Scene::default();
        let cast = cast(records);
        let mut shown = steps.is_none();
        for record in records {
            match &record.line {
                Line::Step { step, .. } => shown = steps.as_ref().is_none_or(|steps| steps.contains(step)),
                Line::Fact { .. } => break,
                _ => {}
            }
            if shown {
                scene.add(&record.line);
            }
        }
        scene.voices.sort_by_key(|voice| cast.iter().position(|known| known == voice));
        if scene.arrows().count() > ARROWS_AT_MOST {
            scene.fold();
        }
        scene
    }

    /// All arrows, in order.
    pub(super) fn arrows(&self) -> impl Iterator<Item = &Arrow> {
        self.events.iter().filter_map(|event| match event {
            Event::Arrow(arrow) => Some(arrow),
            _ => None,
        })
    }

    /// What each note of the drawing is.
    pub(super) fn notes(&self) -> Vec<String> {
        let note = |event: &Event| match event {
            Event::Step { .. } => Some("step".to_owned()),
            Event::Note { voice, .. } => Some(name_of(voice)),
            Event::Fold { .. } => Some("fold".to_owned()),
            Event::Arrow(_) => None,
        };
        self.events.iter().filter_map(note).collect()
    }

    fn add(&mut self, line: &Line) {
        match line {
            Line::Step { step, title } => self.events.push(Event::Step { number: *step, title: title.clone() }),
            Line::Say { voice, text } => {
                self.meet(voice);
                match self.events.last_mut() {
                    Some(Event::Note { voice: last, lines, more }) if last == voice => {
                        if lines.len() < LINES_OF_A_NOTE {
                            lines.push(text.clone());
                        } else {
                            *more += 1;
                        }
                    }
                    _ => self.events.push(Event::Note { voice: voice.clone(), lines: vec![text.clone()], more: 0 }),
                }
            }
            Line::Arrow { arrow, from, to, text } => {
                self.meet(from);
                self.meet(to);
                let (from, to, text) = (from.clone(), to.clone(), text.clone());
                self.events.push(Event::Arrow(Arrow { kind: *arrow, from, to, text }));
            }
            Line::Fact { .. } => {}
        }
    }

    fn meet(&mut self, voice: &str) {
        if !self.voices.iter().any(|met| met == voice) {
            self.voices.push(voice.to_owned());
        }
    }

    /// Within a step, keeps the first few of the arrows of one kind from one process to another, and counts the rest where the last
    /// of them was.
    fn fold(&mut self) {
        let mut folded: Vec<Event> = Vec::new();
        let mut since_step = 0;
        for event in self.events.drain(..) {
            match &event {
                Event::Step { .. } => since_step = folded.len(),
                Event::Arrow(arrow) => {
                    let of_step = &folded[since_step..];
                    let alike = of_step.iter().filter(|one| matches!(one, Event::Arrow(other) if other.is_like(arrow)));
                    if alike.count() >= SHOWN_OF_A_REPETITION {
                        let fold = |one: &Event| matches!(one, Event::Fold { like, .. } if like.is_like(arrow));
                        let before = of_step.iter().position(fold).map(|at| folded.remove(since_step + at));
                        let counted = if let Some(Event::Fold { more, .. }) = before { more } else { 0 };
                        folded.push(Event::Fold { like: arrow.clone(), more: counted + 1 });
                        continue;
                    }
                }
                _ => {}
            }
            folded.push(event);
        }
        self.events = folded;
    }
}

/// All processes of a run: `parent` or `primary` before the others, then in the order of their first appearance.
fn cast(records: &[Record]) -> Vec<String> {
    let mut whole = Scene::default();
    for record in records {
        whole.add(&record.line);
    }
    whole.voices.sort_by_key(|voice| !is_first(voice));
    whole.voices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: Line) -> Record {
        Record { us: 1, pid: 1, line, source: None }
    }

    fn arrow(to: &str, text: &str) -> Record {
        record(Line::Arrow { arrow: ArrowKind::Message, from: "parent".into(), to: to.into(), text: text.into() })
    }

    fn step(step: u32) -> Record {
        record(Line::Step { step, title: "title".into() })
    }

    #[test]
    fn only_the_wanted_steps_are_shown_and_lanes_keep_their_order() {
        let say = record(Line::Say { voice: "b".into(), text: "first".into() });
        let records =
            [say, step(1), arrow("a", "1"), step(2), arrow("c", "2"), arrow("b", "3"), step(3), arrow("d", "4")];
        assert_eq!(Scene::of(&records, Some(2..=2)).voices, ["parent", "b", "c"]);
        assert_eq!(Scene::of(&records, None).voices, ["parent", "b", "a", "c", "d"]);
    }

    #[test]
    fn a_few_arrows_stay_and_many_alike_are_folded_and_counted() {
        let mut records = vec![step(1)];
        records.extend((0..10).map(|n| arrow("a", &n.to_string())));
        assert_eq!(Scene::of(&records, None).arrows().count(), 10);
        records.extend((0..20).map(|n| arrow(if n % 2 == 0 { "a" } else { "b" }, &n.to_string())));
        let scene = Scene::of(&records, None);
        assert_eq!(scene.arrows().count(), 4);
        let more: usize =
            scene.events.iter().map(|event| if let Event::Fold { more, .. } = event { *more } else { 0 }).sum();
        assert_eq!(more, 26, "each is shown or counted");
    }

    #[test]
    fn what_is_said_without_a_pause_is_one_note() {
        let say = |text: &str| record(Line::Say { voice: "a".into(), text: text.into() });
        let scene = Scene::of(&[say("1"), say("2"), say("3"), say("4"), say("5"), say("6")], None);
        let lines = ["1", "2", "3", "4"].map(str::to_owned).to_vec();
        assert_eq!(scene.events, [Event::Note { voice: "a".into(), lines, more: 2 }]);
        assert_eq!(scene.notes(), ["green"]);
    }
}
