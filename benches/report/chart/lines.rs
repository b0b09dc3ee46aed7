//! Lines across a parameter that is a number; both axes logarithmic.

use forklore_benches::BenchResult;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::style::{Area, INK, SIZE, Series, WIDTH, caption, contestants, text};
use crate::figure::{Figure, Unit, number};
use crate::read::Measurements;

const HEIGHT: i32 = 460;
const LEFT: i32 = 80;
const RIGHT: i32 = 540;
const TOP: i32 = 44;
const BOTTOM: i32 = HEIGHT - 40;
/// Between two names.
const APART: i32 = 17;

/// From values to places.
struct Scale {
    /// The logarithms at the left and the right.
    x: (f64, f64),
    /// Those at the bottom and the top.
    y: (f64, f64),
    /// Percentages are not numbers of things: each has the same distance from the next.
    steps: Option<Vec<f64>>,
    /// What stands for nothing, which has no logarithm.
    zero: f64,
}

impl Scale {
    fn new(parameters: &[&str], spreads: &[(f64, f64)]) -> Scale {
        let mut numbers: Vec<f64> = parameters.iter().filter_map(|parameter| number(parameter)).collect();
        numbers.sort_by(f64::total_cmp);
        let steps = parameters.iter().any(|parameter| parameter.contains('%')).then(|| numbers.clone());
        let positive = numbers.iter().copied().filter(|number| *number > 0.0);
        let zero = positive.fold(f64::MAX, f64::min) / 4.0;
        let mut scale = Scale { x: (0.0, 1.0), y: (0.0, 1.0), steps, zero };
        let ends = [numbers.first(), numbers.last()].map(|end| scale.across(end.copied().unwrap_or(1.0)));
        scale.x = (ends[0], ends[1]);
        let least = spreads.iter().map(|(least, _)| *least).fold(f64::MAX, f64::min).max(1e-9);
        let greatest = spreads.iter().map(|(_, greatest)| *greatest).fold(least * 1.5, f64::max);
        scale.y = (least.log10() - 0.05, greatest.log10() + 0.05);
        scale
    }

    fn across(&self, number: f64) -> f64 {
        match &self.steps {
            Some(steps) => steps.iter().position(|step| *step == number).unwrap_or_default() as f64,
            None => number.max(self.zero).log2(),
        }
    }

    fn x(&self, number: f64) -> i32 {
        let part = (self.across(number) - self.x.0) / (self.x.1 - self.x.0).max(1e-9);
        LEFT + (f64::from(RIGHT - LEFT) * part).round() as i32
    }

    fn y(&self, value: f64) -> i32 {
        let part = (value.max(1e-9).log10() - self.y.0) / (self.y.1 - self.y.0);
        BOTTOM - (f64::from(BOTTOM - TOP) * part).round() as i32
    }

    /// Values with a line across: 1, 10, 100, …, and where that are few, 2 and 5 as well.
    fn ticks(&self) -> Vec<f64> {
        let factors: &[f64] = if self.y.1 - self.y.0 < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = self.y.0.floor() as i32..=self.y.1.ceil() as i32;
        let ticks = decades.flat_map(|decade| factors.iter().map(move |factor| factor * 10_f64.powi(decade)));
        ticks.filter(|tick| (self.y.0..=self.y.1).contains(&tick.log10())).collect()
    }
}

pub(super) fn draw(figures: &[&Figure], parameters: &[&str], over: Option<&Measurements>) -> BenchResult<String> {
    let before = |figure: &Figure| over?.find(&figure.group, &figure.function, &figure.parameter);
    let all = figures.iter().copied().chain(figures.iter().filter_map(|figure| before(figure)));
    let spreads: Vec<_> = all.map(|figure| (figure.spread().least, figure.spread().greatest)).collect();
    let scale = Scale::new(parameters, &spreads);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, HEIGHT as u32)).into_drawing_area();
        let unit = figures.first().map_or(Unit::Time, |figure| figure.unit);
        let group = figures.first().map_or("", |figure| &figure.group);
        area.draw_text(&caption(group), &text(SIZE + 1, INK, HPos::Left), (8, 18))?;
        axes(&area, &scale, parameters, unit)?;
        let mut names = Vec::new();
        for contestant in contestants(figures) {
            let own: Vec<_> = figures.iter().filter(|figure| figure.function == contestant.name).copied().collect();
            let old: Vec<_> = own.iter().filter_map(|figure| before(figure)).collect();
            line(&area, &scale, &contestant, &old, true)?;
            if let Some(end) = line(&area, &scale, &contestant, &own, false)? {
                names.push((end, contestant));
            }
        }
        write_names(&area, names)?;
        area.present()?;
    }
    Ok(svg)
}

fn axes(area: &Area, scale: &Scale, parameters: &[&str], unit: Unit) -> BenchResult<()> {
    for tick in scale.ticks() {
        let y = scale.y(tick);
        area.draw(&PathElement::new(vec![(LEFT, y), (RIGHT, y)], INK.mix(0.25)))?;
        area.draw_text(
            &unit.show(tick).replace(".00", "").replace(".0 ", " "),
            &text(SIZE, INK, HPos::Right),
            (LEFT - 8, y),
        )?;
    }
    for parameter in parameters {
        let x = scale.x(number(parameter).unwrap_or_default());
        area.draw(&PathElement::new(vec![(x, BOTTOM), (x, BOTTOM + 5)], INK))?;
        area.draw_text(parameter, &text(SIZE, INK, HPos::Center), (x, BOTTOM + 18))?;
    }
    area.draw(&PathElement::new(vec![(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], INK))?;
    Ok(())
}

/// One who is compared, from its smallest parameter to its greatest; the place of its end. `before`: in another run.
fn line(
    area: &Area,
    scale: &Scale,
    contestant: &Series,
    figures: &[&Figure],
    before: bool,
) -> BenchResult<Option<(i32, i32)>> {
    let place = |figure: &&Figure| Some((number(&figure.parameter)?, figure.spread()));
    let mut places: Vec<_> = figures.iter().filter_map(place).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let color = if before { contestant.color.mix(0.4) } else { contestant.color.mix(1.0) };
    let path: Vec<_> = places.iter().map(|(number, spread)| (scale.x(*number), scale.y(spread.median))).collect();
    if contestant.is_limit {
        area.draw(&DashedPathElement::new(path.clone(), 6, 4, color.stroke_width(2)))?;
    } else {
        area.draw(&PathElement::new(path.clone(), color.stroke_width(if before { 1 } else { 2 })))?;
    }
    for ((number, spread), place) in places.iter().zip(&path) {
        let (x, least, greatest) = (scale.x(*number), scale.y(spread.least), scale.y(spread.greatest));
        area.draw(&PathElement::new(vec![(x, least), (x, greatest)], color))?;
        area.draw(&Circle::new(*place, if before { 2 } else { 3 }, color.filled()))?;
    }
    Ok(path.last().copied())
}

/// Each at the end of its line, and none over another: those below make room for those above.
fn write_names(area: &Area, mut names: Vec<((i32, i32), Series)>) -> BenchResult<()> {
    names.sort_by_key(|((_, y), _)| *y);
    let mut places: Vec<i32> = names.iter().map(|((_, y), _)| *y).collect();
    for index in 1..places.len() {
        places[index] = places[index].max(places[index - 1] + APART);
    }
    let mut lowest = BOTTOM;
    for place in places.iter_mut().rev() {
        *place = (*place).min(lowest);
        lowest = *place - APART;
    }
    for (((x, y), contestant), place) in names.iter().zip(places) {
        area.draw(&PathElement::new(vec![(x + 5, *y), (RIGHT + 14, place)], contestant.color.mix(0.5)))?;
        area.draw_text(contestant.name, &text(SIZE, contestant.color, HPos::Left), (RIGHT + 18, place))?;
    }
    Ok(())
}
