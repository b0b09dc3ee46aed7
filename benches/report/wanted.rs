//! The ratios that were found, beside those that are wanted.

use serde::Serialize;

use crate::figure::{Figure, NO_BREAK, Spread, TO, Unit, three_figures};
use crate::read::Results;
use crate::rows::ALL;

/// Where a figure stands: its group, its function, its parameter.
pub(crate) type Place = (&'static str, &'static str, &'static str);

/// One ratio that is wanted.
pub(crate) struct Wanted {
    /// By which the book names it.
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) limit: Option<Place>,
    pub(crate) ours: Place,
    /// What ours is compared with.
    pub(crate) with: With,
    /// Whether it stands in the README, too.
    pub(crate) short: bool,
}

pub(crate) enum With {
    /// Ours is to be so many times as fast as this.
    Faster(f64, Place),
    /// Ours is to be so many times as much as this at most.
    AtMost(f64, Place),
    /// Ours is to be so many nanoseconds at most.
    Below(f64),
    /// How many times as fast ours is as this; nothing is wanted.
    Beside(Place),
}

/// What became of it: a row of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) limit: String,
    pub(crate) ours: String,
    pub(crate) peer: String,
    /// The median of the rounds, with the least and the greatest.
    pub(crate) ratio: String,
    pub(crate) wanted: String,
    pub(crate) reached: Option<bool>,
}

/// All rows.
pub(crate) fn found(results: &Results) -> Vec<Found> {
    ALL.iter().map(|one| one.found(results)).collect()
}

use With::{AtMost, Below, Beside, Faster};

impl Wanted {
    pub(crate) fn found(&self, results: &Results) -> Found {
        let find = |(group, function, parameter): Place| results.find(group, function, parameter);
        let ours = find(self.ours);
        let limit = self.limit.and_then(find);
        let (peer, ratio, wanted, reached) = match self.with {
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
        Found {
            id: self.id,
            what: self.what,
            limit: limit.map_or("–".to_owned(), |limit| named(&limit.function, limit)),
            ours: ours.map_or_else(|| reason(results, self.ours.1).to_owned(), value),
            peer: peer.unwrap_or("–".to_owned()),
            ratio: ratio.map_or("–".to_owned(), times),
            wanted,
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
fn reason<'a>(results: &'a Results, name: &str) -> &'a str {
    let missing = results.missing.iter().find(|missing| missing.contestant == name);
    missing.map_or("not measured", |missing| &missing.reason)
}
