//! Compares what was measured with a target: one row of the table.

use serde::Serialize;

use crate::figure::{Figure, NO_BREAK, Spread, TO, Unit, three_figures};
use crate::read::Measurements;

/// Where a figure is: its group, its function, its parameter.
pub(crate) type FigureKey = (&'static str, &'static str, &'static str);

/// A ratio that the project aims for, or a limit.
pub(crate) struct PerformanceTarget {
    /// The name by which the book refers to it.
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) limit: Option<FigureKey>,
    pub(crate) ours: FigureKey,
    /// What ours is compared with.
    pub(crate) with: With,
    /// Whether it is in the README, too.
    pub(crate) short: bool,
}

pub(crate) enum With {
    /// Ours must be at least this many times as fast.
    Faster(f64, FigureKey),
    /// Ours must be at most this many times as much.
    AtMost(f64, FigureKey),
    /// Ours must take at most this many nanoseconds.
    Below(f64),
    /// The ratio is shown and has no target.
    Beside(FigureKey),
}

/// A row of the table.
#[derive(Debug, Serialize)]
pub(crate) struct TargetRow {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) limit: String,
    pub(crate) ours: String,
    pub(crate) peer: String,
    /// The median of the rounds, with the least and the greatest.
    pub(crate) ratio: String,
    pub(crate) target: String,
    pub(crate) reached: Option<bool>,
}

use With::{AtMost, Below, Beside, Faster};

impl PerformanceTarget {
    /// Compares the results with this target.
    pub(crate) fn row(&self, results: &Measurements) -> TargetRow {
        let find = |(group, function, parameter): FigureKey| results.find(group, function, parameter);
        let ours = find(self.ours);
        let limit = self.limit.and_then(find);
        let (peer, ratio, target, reached) = match self.with {
            Faster(least, place) => {
                let peer = find(place);
                let times = ours.zip(peer).and_then(|(ours, peer)| times_as_fast(ours, peer));
                (
                    Some((place, peer)),
                    times,
                    format!("≥{NO_BREAK}{least}{NO_BREAK}×"),
                    times.map(|times| times.median >= least),
                )
            }
            AtMost(most, place) => {
                let peer = find(place);
                let times = ours.zip(peer).and_then(|(ours, peer)| ours.ratio(peer));
                (
                    Some((place, peer)),
                    times,
                    format!("≤{NO_BREAK}{most}{NO_BREAK}×"),
                    times.map(|times| times.median <= most),
                )
            }
            Beside(place) => {
                let peer = find(place);
                let times = ours.zip(peer).and_then(|(ours, peer)| times_as_fast(ours, peer));
                (Some((place, peer)), times, "–".to_owned(), None)
            }
            Below(most) => {
                let reached = ours.map(|ours| ours.spread().median <= most);
                (None, None, format!("≤{NO_BREAK}{}", Unit::Time.show(most)), reached)
            }
        };
        let named = |name: &str, figure: &Figure| format!("{name}: {}", value(figure));
        let peer = peer.map(|((_, name, _), peer)| match peer {
            Some(peer) => named(name, peer),
            None => format!("{name}: {}", reason(results, name)),
        });
        TargetRow {
            id: self.id,
            what: self.what,
            limit: limit.map_or("–".to_owned(), |limit| named(&limit.function, limit)),
            ours: ours.map_or_else(|| reason(results, self.ours.1).to_owned(), value),
            peer: peer.unwrap_or("–".to_owned()),
            ratio: ratio.map_or("–".to_owned(), times),
            target,
            reached,
        }
    }
}

/// How many times as fast as the other one: by rate, or by time.
fn times_as_fast(ours: &Figure, other: &Figure) -> Option<Spread> {
    if ours.unit.more_is_better() { ours.ratio(other) } else { other.ratio(ours) }
}

fn value(figure: &Figure) -> String {
    figure.unit.show(figure.spread().median)
}

fn times(ratio: Spread) -> String {
    let [median, least, greatest] = [ratio.median, ratio.least, ratio.greatest].map(three_figures);
    if least == greatest {
        format!("{median}{NO_BREAK}×")
    } else {
        format!("{median}{NO_BREAK}× ({least}{TO}{greatest})")
    }
}

/// Why there is no figure.
fn reason<'a>(results: &'a Measurements, name: &str) -> &'a str {
    let missing = results.missing.iter().find(|missing| missing.contestant == name);
    missing.map_or("not measured", |missing| &missing.reason)
}
