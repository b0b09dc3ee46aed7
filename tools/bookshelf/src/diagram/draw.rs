//! A scene as HTML that the style sheet lays out as a grid: `.sequence` has two columns for each lane, whose line is between them, and a
//! row for each thing that happens. Nothing has to be measured, so that no script is needed, and text wraps where there is little room.

use std::fmt::Write;

use transcript::ArrowKind;

use super::scene::{Arrow, Row, Scene};
use crate::colours::class_of;
use crate::directives::output::marked;
use crate::html::text;

/// How long the text on an arrow may be, in characters.
const LABEL: usize = 90;

/// How many columns a note may take to either side of its lane.
const REACH: usize = 3;

/// Where things stand.
struct Grid<'a> {
    scene: &'a Scene<'a>,
    html: String,
    /// Of each lane that is shown, the row below its head.
    heads: Vec<Option<usize>>,
    /// Of each lane that is shown, the row that it reaches.
    ends: Vec<Option<usize>>,
}

pub(super) fn drawing(scene: &Scene<'_>) -> String {
    let lanes = scene.shown.len();
    let mut grid = Grid { scene, html: String::new(), heads: vec![None; lanes], ends: vec![None; lanes] };
    let started = |lane: &usize| scene.rows.iter().any(|row| matches!(row, Row::Start(arrow) if arrow.to == *lane));
    for lane in scene.shown.iter().filter(|lane| !started(lane)) {
        grid.head(*lane, 1);
    }
    let mut row = 1;
    for (at, shown) in scene.rows.iter().enumerate() {
        // Those that end together end in one row.
        let after_another = at > 0 && matches!(scene.rows[at - 1], Row::End { .. });
        if !(after_another && matches!(shown, Row::End { .. })) {
            row += 1;
        }
        grid.row(shown, row);
    }
    for (at, lane) in scene.shown.iter().enumerate() {
        let class = class_of(&scene.lane(*lane).voice);
        let (from, to) = (grid.heads[at].unwrap_or(2), grid.ends[at].unwrap_or(row + 1));
        // One that ends at once has none.
        if from < to {
            grid.put(&format!("life {class}"), (from, to), (2 * at + 2, 2 * at + 3), "");
        }
    }
    format!("<div class=\"sequence\" style=\"--lanes:{lanes}\">{}</div>", grid.html)
}

impl Grid<'_> {
    /// The place of a lane's line among the columns' lines, from 1.
    fn line_of(&self, lane: usize) -> usize {
        2 * self.place(lane) + 2
    }

    fn place(&self, lane: usize) -> usize {
        self.scene.shown.iter().position(|shown| *shown == lane).unwrap_or(0)
    }

    fn class_of(&self, lane: usize) -> String {
        class_of(&self.scene.lane(lane).voice)
    }

    /// Adds an element between these lines of the grid: of rows and of columns.
    fn put(&mut self, class: &str, rows: (usize, usize), columns: (usize, usize), html: &str) {
        let area = format!("{}/{}/{}/{}", rows.0, columns.0, rows.1, columns.1);
        let _ = write!(self.html, "<div class=\"{class}\" style=\"grid-area:{area}\">{html}</div>");
    }

    /// The name of a process, where its lane begins.
    fn head(&mut self, lane: usize, row: usize) {
        let place = self.place(lane);
        self.heads[place] = Some(row + 1);
        let of = self.scene.lane(lane);
        let pid = of.pid.map(|pid| format!("<small>{}</small>", marked(&format!("pid {pid}")))).unwrap_or_default();
        let (class, line) = (format!("head {}", self.class_of(lane)), self.line_of(lane));
        self.put(&class, (row, row + 1), (line - 1, line + 1), &(text(&of.name) + &pid));
    }

    fn row(&mut self, shown: &Row, row: usize) {
        let all = 2 * self.scene.shown.len() + 1;
        match shown {
            Row::Step { number, title } => {
                self.put("band", (row, row + 1), (1, all), &format!("{number}. {}", text(title)));
            }
            Row::Note { lane, lines, more } => {
                let mut said: String =
                    lines.iter().map(|line| format!("<span>{}</span>", marked(line.trim()))).collect();
                if *more > 0 {
                    let _ = write!(said, "<span>… {more} more {}</span>", if *more == 1 { "line" } else { "lines" });
                }
                self.note(&format!("note {}", self.class_of(*lane)), *lane, row, &said);
            }
            Row::Arrow(arrow) => self.arrow(arrow, row, ""),
            Row::Start(arrow) => {
                self.arrow(arrow, row, " to-head");
                self.head(arrow.to, row);
            }
            Row::Fold { like, more } => {
                let words = format!("… {more} more of these ({})", like.kind.name());
                let (left, right) = self.between(like);
                if left == right {
                    self.note("fold", like.from, row, &words);
                } else {
                    self.put("fold", (row, row + 1), (left, right), &words);
                }
            }
            Row::End { lane, how } => {
                let (place, line) = (self.place(*lane), self.line_of(*lane));
                self.ends[place] = Some(row);
                let class = format!("end {}", self.class_of(*lane));
                self.put(&class, (row, row + 1), (line - 1, line + 1), &text(how));
            }
        }
    }

    /// What stands on a lane. It begins at the left edge of the picture, or ends at the right one, where it would go beyond it.
    fn note(&mut self, class: &str, lane: usize, row: usize, html: &str) {
        let (line, last) = (self.line_of(lane), 2 * self.scene.shown.len() + 1);
        let (left, right) = (line.saturating_sub(REACH).max(1), (line + REACH).min(last));
        let edge = match (line - left, right - line) {
            (before, after) if before < after => " at-left",
            (before, after) if before > after => " at-right",
            _ => "",
        };
        self.put(&format!("{class}{edge}"), (row, row + 1), (left, right), html);
    }

    /// The lines between which an arrow is drawn.
    fn between(&self, arrow: &Arrow) -> (usize, usize) {
        let (from, to) = (self.line_of(arrow.from), self.line_of(arrow.to));
        (from.min(to), from.max(to))
    }

    fn arrow(&mut self, arrow: &Arrow, row: usize, class: &str) {
        let (left, right) = self.between(arrow);
        let way = match (self.line_of(arrow.from), self.line_of(arrow.to)) {
            (from, to) if from == to => "to-itself",
            (from, to) if from > to => "leftward",
            _ => "rightward",
        };
        let class = format!("arrow kind-{} {way} {}{class}", arrow.kind.name(), self.class_of(arrow.from));
        self.put(&class, (row, row + 1), (left, right.max(left + 1)), &label(arrow));
        if arrow.kind == ArrowKind::Exit {
            let place = self.place(arrow.from);
            self.ends[place] = Some(row + 1);
        }
    }
}

/// What stands on an arrow: its kind, except for the most common one, and its text.
fn label(arrow: &Arrow) -> String {
    let kind = arrow.kind.name();
    let words = match arrow.kind {
        ArrowKind::Message => arrow.text.clone(),
        _ if arrow.text.is_empty() => kind.to_owned(),
        _ => format!("{kind}: {}", arrow.text),
    };
    let cut = words.char_indices().nth(LABEL).map(|(end, _)| format!("{}…", words[..end].trim_end()));
    format!("<span>{}</span>", marked(&cut.unwrap_or(words)))
}
