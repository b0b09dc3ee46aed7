//! One thing that was measured, over all rounds.

use serde::{Deserialize, Serialize};

/// What one contestant did at one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was compared, such as `fork_cost`.
    pub(crate) group: String,
    /// Who did it: `limit: fork(2)`, `ours: fork`, `Node: fork`.
    pub(crate) function: String,
    /// With what: `64 MiB`; empty if there is no such thing.
    pub(crate) parameter: String,
    pub(crate) unit: Unit,
    /// The median of each round, by its number.
    pub(crate) rounds: Vec<(u32, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// Nanoseconds, for once.
    Time,
    /// Times a second.
    Rate,
    /// Bytes a second.
    Bytes,
    /// KiB of memory.
    Memory,
}

/// A median with the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Spread { median, least, greatest })
    }
}

impl Figure {
    pub(crate) fn spread(&self) -> Spread {
        let none = Spread { median: f64::NAN, least: f64::NAN, greatest: f64::NAN };
        Spread::of(self.rounds.iter().map(|(_, value)| *value)).unwrap_or(none)
    }

    /// How often `other` goes into this, round by round: what disturbed a round disturbed both.
    pub(crate) fn ratio(&self, other: &Figure) -> Option<Spread> {
        let in_round = |number: u32| other.rounds.iter().find(|(round, _)| *round == number).map(|(_, value)| *value);
        Spread::of(self.rounds.iter().filter_map(|(round, value)| Some(value / in_round(*round)?)))
    }
}

impl Unit {
    /// Whether more of it is better.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Unit::Rate | Unit::Bytes)
    }

    /// `1.02 ms`, `98.4 k/s`, `2.60 GB/s`, `7.0 MiB`; a line is not to end between the two.
    pub(crate) fn show(self, value: f64) -> String {
        let steps: &[(f64, &str)] = match self {
            Unit::Time => &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
            Unit::Rate => &[(1.0, "/s"), (1e3, "k/s"), (1e6, "M/s")],
            Unit::Bytes => &[(1.0, "B/s"), (1e3, "kB/s"), (1e6, "MB/s"), (1e9, "GB/s")],
            Unit::Memory => &[(1.0, "KiB"), (1024.0, "MiB"), (1024.0 * 1024.0, "GiB")],
        };
        let step = steps.iter().rev().find(|(scale, _)| value >= *scale).unwrap_or(&steps[0]);
        format!("{}{NO_BREAK}{}", three_figures(value / step.0), step.1)
    }
}

/// A space at which no line ends.
pub(crate) const NO_BREAK: char = '\u{a0}';

/// What stands between the least and the greatest: a dash at which no line ends.
pub(crate) const TO: &str = "\u{2060}–\u{2060}";

/// With as many figures as mean something.
pub(crate) fn three_figures(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// The number that a parameter stands for: `64 MiB`, `1,000 workers`, `16`.
pub(crate) fn number(parameter: &str) -> Option<f64> {
    let mut words = parameter.split_whitespace();
    let number: f64 = words.next()?.replace(',', "").parse().ok()?;
    let scale = match words.next() {
        Some("KiB") => 1024.0,
        Some("MiB") => 1024.0 * 1024.0,
        Some("GiB") => 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    Some(number * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(rounds: &[(u32, f64)]) -> Figure {
        let (group, function, parameter) = Default::default();
        Figure { group, function, parameter, unit: Unit::Time, rounds: rounds.to_vec() }
    }

    /// The ratio of the medians would be 15 / 20.
    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let ours = figure(&[(1, 10.0), (2, 30.0), (3, 15.0)]);
        let theirs = figure(&[(1, 20.0), (2, 90.0), (3, 15.0)]);
        let ratio = ours.ratio(&theirs).expect("rounds in common");
        assert_eq!((ratio.median, ratio.least, ratio.greatest), (0.5, 1.0 / 3.0, 1.0));
    }

    #[test]
    fn a_round_that_only_one_has_is_in_no_ratio() {
        let ratio = figure(&[(1, 1.0), (2, 6.0)]).ratio(&figure(&[(2, 3.0), (3, 1.0)])).expect("one round");
        assert_eq!((ratio.median, ratio.least, ratio.greatest), (2.0, 2.0, 2.0));
        assert!(figure(&[(1, 1.0)]).ratio(&figure(&[(2, 1.0)])).is_none());
    }

    #[test]
    fn numbers_are_shown_as_they_are_said() {
        assert_eq!(Unit::Time.show(1_020_000.0), "1.02\u{a0}ms");
        assert_eq!(Unit::Time.show(0.5), "0.50\u{a0}ns");
        assert_eq!(Unit::Rate.show(98_400.0), "98.4\u{a0}k/s");
        assert_eq!(Unit::Bytes.show(2.6e9), "2.60\u{a0}GB/s");
        assert_eq!(Unit::Memory.show(7168.0), "7.00\u{a0}MiB");
    }

    #[test]
    fn a_parameter_is_a_number_with_a_unit() {
        assert_eq!(number("64 KiB"), Some(65536.0));
        assert_eq!(number("1,000 workers"), Some(1000.0));
        assert_eq!(number("keep-alive"), None);
    }
}
