//! What a diagram shows.

use std::ops::RangeInclusive;

use recording::lanes::{Lane, is_first};
use recording::{Exit, What};
use transcript::{ArrowKind, Line};

use crate::run::Run;

/// With more arrows than this in a diagram, those that repeat are folded.
const ARROWS_AT_MOST: usize = 25;
/// How many of those that repeat are shown, then.
const SHOWN_OF_A_REPETITION: usize = 2;
/// How many lines of what a process says at once are shown.
const LINES_OF_A_NOTE: usize = 4;

/// What happens, in order, and between which processes. A process is the place of its lane among all lanes of the run.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    lanes: &'a [Lane],
    /// The lanes that are shown, from left to right: in every diagram of a run in the same order.
    pub(super) shown: Vec<usize>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    Step {
        number: u32,
        title: String,
    },
    /// What a process says without a pause, and how many lines more.
    Note {
        lane: usize,
        lines: Vec<String>,
        more: usize,
    },
    Arrow(Arrow),
    /// So many more arrows like this one.
    Fold {
        like: Arrow,
        more: usize,
    },
    /// A process begins: an arrow leads to it from the one that started it.
    Start(Arrow),
    /// A process ends, and what is known of how.
    End {
        lane: usize,
        how: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) kind: ArrowKind,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) text: String,
}

impl Arrow {
    fn is_like(&self, other: &Arrow) -> bool {
        (self.kind, self.from, self.to) == (other.kind, other.from, other.to)
    }
}

impl Row {
    /// The processes that it is about.
    pub(super) fn about(&self) -> Vec<usize> {
        match self {
            Row::Step { .. } => Vec::new(),
            Row::Note { lane, .. } | Row::End { lane, .. } => vec![*lane],
            Row::Arrow(arrow) | Row::Start(arrow) | Row::Fold { like: arrow, .. } => vec![arrow.from, arrow.to],
        }
    }
}

impl<'a> Scene<'a> {
    pub(super) fn of(run: &'a Run, steps: Option<&RangeInclusive<u32>>) -> Scene<'a> {
        let mut scene = Scene { lanes: run.lanes.all(), shown: Vec::new(), rows: Vec::new() };
        for at in run.places(steps) {
            scene.add(run, at);
        }
        if scene.arrows() > ARROWS_AT_MOST {
            scene.fold();
        }
        scene.let_ends_be_last();
        // A process of an earlier step may still end.
        let others = scene.rows.iter().filter(|row| !matches!(row, Row::End { .. }));
        let about: Vec<usize> = others.flat_map(Row::about).collect();
        scene.rows.retain(|row| row.about().iter().all(|lane| about.contains(lane)));
        scene.shown = (0..scene.lanes.len()).filter(|lane| about.contains(lane)).collect();
        scene.shown.sort_by_key(|lane| !is_first(&scene.lanes[*lane].voice));
        scene
    }

    pub(super) fn lane(&self, lane: usize) -> &'a Lane {
        &self.lanes[lane]
    }

    /// How many arrows there are between processes that run.
    fn arrows(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Arrow(_))).count()
    }

    /// Adds the event at this place.
    fn add(&mut self, run: &Run, at: usize) {
        let event = &run.events[at];
        match &event.what {
            What::Line { line, .. } => self.add_line(line, run.lanes.of_line(at)),
            What::Starts { starts } => {
                if let (Some(from), Some(to)) = (run.lanes.process(event.pid), run.lanes.process(*starts)) {
                    let start = Arrow { kind: ArrowKind::Start, from, to, text: String::new() };
                    // Some labs say it before they do it.
                    let said = |row: &mut Row| matches!(row, Row::Arrow(arrow) if arrow.is_like(&start));
                    let text = match self.rows.extract_if(.., said).last() {
                        Some(Row::Arrow(arrow)) => arrow.text,
                        _ => String::new(),
                    };
                    self.rows.push(Row::Start(Arrow { text, ..start }));
                }
            }
            What::Exit { exit } => {
                if let Some(lane) = run.lanes.process(event.pid) {
                    let how = match exit {
                        Exit::Code(code) => format!("code {code}"),
                        Exit::Signal(signal) => signal.clone(),
                    };
                    self.rows.push(Row::End { lane, how });
                }
            }
            What::Call(_) | What::Program { .. } | What::Signal(_) => {}
        }
    }

    fn add_line(&mut self, line: &Line, lanes: Option<(usize, Option<usize>)>) {
        match (line, lanes) {
            (Line::Step { step, title }, _) => self.rows.push(Row::Step { number: *step, title: title.clone() }),
            (Line::Say { voice, text }, Some((speaker, _))) => {
                let own = self.lane(speaker).voice == *voice;
                let text = if own { text.clone() } else { format!("{voice}: {text}") };
                match self.rows.last_mut() {
                    Some(Row::Note { lane, lines, .. }) if *lane == speaker && lines.len() < LINES_OF_A_NOTE => {
                        lines.push(text)
                    }
                    Some(Row::Note { lane, more, .. }) if *lane == speaker => *more += 1,
                    _ => self.rows.push(Row::Note { lane: speaker, lines: vec![text], more: 0 }),
                }
            }
            (Line::Arrow { arrow, text, .. }, Some((from, Some(to)))) => {
                let arrow = Arrow { kind: *arrow, from, to, text: text.clone() };
                // What a lab says of a start that was seen is said on its arrow.
                let start = self.rows.iter_mut().find_map(|row| match row {
                    Row::Start(start) if start.is_like(&arrow) => Some(start),
                    _ => None,
                });
                match start {
                    Some(start) => start.text = arrow.text,
                    None => self.rows.push(Row::Arrow(arrow)),
                }
            }
            _ => {}
        }
    }

    /// Within a step, keeps the first few of the arrows of one kind from one process to another, and counts the rest where the last
    /// of them was.
    fn fold(&mut self) {
        let mut folded: Vec<Row> = Vec::new();
        let mut since_step = 0;
        for row in self.rows.drain(..) {
            match &row {
                Row::Step { .. } => since_step = folded.len(),
                Row::Arrow(arrow) => {
                    let of_step = &folded[since_step..];
                    let alike = of_step.iter().filter(|one| matches!(one, Row::Arrow(other) if other.is_like(arrow)));
                    if alike.count() >= SHOWN_OF_A_REPETITION {
                        let fold = |one: &Row| matches!(one, Row::Fold { like, .. } if like.is_like(arrow));
                        let before = of_step.iter().position(fold).map(|at| folded.remove(since_step + at));
                        let counted = if let Some(Row::Fold { more, .. }) = before { more } else { 0 };
                        folded.push(Row::Fold { like: arrow.clone(), more: counted + 1 });
                        continue;
                    }
                }
                _ => {}
            }
            folded.push(row);
        }
        self.rows = folded;
    }

    /// Lets a lane go on as long as something is said of its process: what a child wrote is often read when it has ended. An arrow that
    /// tells of an exit is the end of its lane.
    fn let_ends_be_last(&mut self) {
        let mut rows: Vec<Row> = Vec::new();
        for row in self.rows.drain(..) {
            let about = row.about();
            let is_over = |one: &mut Row| matches!(one, Row::End { lane, .. } if about.contains(lane));
            let ends: Vec<Row> = rows.extract_if(.., is_over).collect();
            let told = match &row {
                Row::Arrow(Arrow { kind: ArrowKind::Exit, from, .. }) => Some(*from),
                _ => None,
            };
            rows.push(row);
            rows.extend(ends.into_iter().filter(|end| !matches!(end, Row::End { lane, .. } if Some(*lane) == told)));
        }
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use transcript::Record;

    use super::*;

    fn say(voice: &str, text: &str) -> Line {
        Line::Say { voice: voice.into(), text: text.into() }
    }

    fn step(step: u32) -> Line {
        Line::Step { step, title: "title".into() }
    }

    fn message(to: &str, text: &str) -> Line {
        Line::Arrow { arrow: ArrowKind::Message, from: "parent".into(), to: to.into(), text: text.into() }
    }

    /// A run that was not traced.
    fn seen(lines: &[Line]) -> Run {
        let record = |line: &Line| Record { us: 1, pid: 1, line: line.clone(), source: None };
        Run::seen(&lines.iter().map(record).collect::<Vec<_>>())
    }

    #[test]
    fn only_the_wanted_steps_are_shown_and_lanes_keep_their_order() {
        let (before, after) = ([say("b", "first"), step(1), message("a", "1")], [step(3), message("d", "4")]);
        let run = seen(&[&before[..], &[step(2), message("c", "2"), message("b", "3")], &after].concat());
        let names = |steps| {
            let scene = Scene::of(&run, steps);
            scene.shown.iter().map(|lane| scene.lane(*lane).name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(names(Some(&(2..=2))), ["parent", "b", "c"]);
        assert_eq!(names(None), ["parent", "b", "a", "c", "d"]);
    }

    #[test]
    fn a_few_arrows_stay_and_many_alike_are_folded_and_counted() {
        let mut lines = vec![step(1)];
        lines.extend((0..10).map(|n| message("a", &n.to_string())));
        assert_eq!(Scene::of(&seen(&lines), None).arrows(), 10);
        lines.extend((0..20).map(|n| message(if n % 2 == 0 { "a" } else { "b" }, &n.to_string())));
        let run = seen(&lines);
        let scene = Scene::of(&run, None);
        assert_eq!(scene.arrows(), 4);
        let more = scene.rows.iter().map(|row| if let Row::Fold { more, .. } = row { *more } else { 0 });
        assert_eq!(more.sum::<usize>(), 26, "each is shown or counted");
    }

    #[test]
    fn what_is_said_without_a_pause_is_one_note() {
        let run = seen(&["1", "2", "3", "4", "5", "6"].map(|text| say("a", text)));
        let lines = ["1", "2", "3", "4"].map(str::to_owned).to_vec();
        assert_eq!(Scene::of(&run, None).rows, [Row::Note { lane: 0, lines, more: 2 }]);
    }
}
