//! Bars from the left to the right, one panel for each parameter.

use forklore_benches::BenchResult;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::style::{Area, INK, SIZE, Series, WIDTH, caption, contestants, text};
use crate::figure::Figure;
use crate::read::Measurements;

/// Where the bars begin, and where the longest ends.
const BEGIN: i32 = 230;
const END: i32 = 560;
const ROW: i32 = 24;
const HEAD: i32 = 34;

pub(super) fn draw(figures: &[&Figure], parameters: &[&str], over: Option<&Measurements>) -> BenchResult<String> {
    let contestants = contestants(figures);
    let panels: Vec<_> =
        parameters.iter().map(|parameter| (*parameter, panel(&contestants, figures, parameter))).collect();
    let rows: i32 = panels.iter().map(|(_, rows)| rows.len() as i32 * ROW + HEAD).sum();
    let height = rows + HEAD;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        let group = figures.first().map_or("", |figure| &figure.group);
        area.draw_text(&caption(group), &text(SIZE + 1, INK, HPos::Left), (8, 18))?;
        let mut top = HEAD;
        for (parameter, rows) in panels {
            area.draw_text(parameter, &text(SIZE + 1, INK, HPos::Left), (BEGIN, top + HEAD / 2))?;
            let greatest = rows.iter().map(|(_, figure)| figure.spread().greatest).fold(0.0, f64::max);
            let before = |figure: &Figure| over?.find(&figure.group, &figure.function, &figure.parameter);
            let greatest =
                rows.iter().filter_map(|(_, figure)| Some(before(figure)?.spread().greatest)).fold(greatest, f64::max);
            let x = |value: f64| BEGIN + (f64::from(END - BEGIN) * value / greatest).round() as i32;
            top += HEAD;
            for (contestant, figure) in &rows {
                bar(&area, contestant, figure, before(figure), top + ROW / 2, &x)?;
                top += ROW;
            }
        }
        area.present()?;
    }
    Ok(svg)
}

/// Those who have a figure for a parameter.
fn panel<'a>(
    contestants: &'a [Series<'a>],
    figures: &[&'a Figure],
    parameter: &str,
) -> Vec<(&'a Series<'a>, &'a Figure)> {
    let of = |one: &Figure, name: &str| one.function == name && one.parameter == parameter;
    let row = |one: &'a Series<'a>| Some((one, *figures.iter().find(|figure| of(figure, one.name))?));
    contestants.iter().filter_map(row).collect()
}

/// A bar with a line from its least to its greatest round; that of another run, thin, below.
fn bar(
    area: &Area,
    contestant: &Series,
    figure: &Figure,
    before: Option<&Figure>,
    y: i32,
    x: &impl Fn(f64) -> i32,
) -> BenchResult<()> {
    let Series { name, color, .. } = contestant;
    let spread = figure.spread();
    area.draw_text(name, &text(SIZE, *color, HPos::Right), (BEGIN - 8, y))?;
    area.draw(&Rectangle::new([(BEGIN, y - 7), (x(spread.median), y + 5)], color.filled()))?;
    if let Some(before) = before {
        let end = x(before.spread().median);
        area.draw(&Rectangle::new([(BEGIN, y + 6), (end, y + 9)], color.mix(0.5).filled()))?;
    }
    let mut shown = figure.unit.show(spread.median);
    if spread.least < spread.greatest {
        let (least, greatest) = (x(spread.least), x(spread.greatest));
        area.draw(&PathElement::new(vec![(least, y - 1), (greatest, y - 1)], INK.stroke_width(2)))?;
        // What is less than the clock's tick is nothing, and no part of it can be said.
        let percent = |value: f64| ((value / spread.median - 1.0).abs() * 100.0).round();
        let (less, more) = (percent(spread.least), percent(spread.greatest));
        if spread.median > 0.0 && less + more > 0.0 {
            shown += &format!("  −{less} +{more} %");
        }
    }
    area.draw_text(&shown, &text(SIZE, INK, HPos::Left), (x(spread.greatest) + 8, y))?;
    Ok(())
}
