//! What comes of a simulation.

/// Times are in units of the mean service time of a worker that is not slow. Shares are of the time until the last
/// request came; what then waited was served to the end, and counts among the times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    pub(super) mean: f64,
    /// Half of the requests waited no longer.
    pub(super) p50: f64,
    /// 99 of 100 requests waited no longer.
    pub(super) p99: f64,
    pub(super) max: f64,
    /// Which share of the workers' time they were idle while something waited.
    pub(super) idle: f64,
    /// How many requests the worker with the fewest and the one with the most had.
    pub(super) requests: (u32, u32),
    /// Which share of the time the least and the most busy worker had something to do.
    pub(super) busy: (f64, f64),
}

impl Figures {
    /// `workers`: of each, how many requests it had, and for which share of the time it was busy.
    pub(super) fn new(mut waits: Vec<f64>, idle: f64, workers: impl Iterator<Item = (u32, f64)>) -> Figures {
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        let (mut requests, mut busy) = ((u32::MAX, 0), (f64::INFINITY, 0.0f64));
        for (given, share) in workers {
            requests = (requests.0.min(given), requests.1.max(given));
            busy = (busy.0.min(share), busy.1.max(share));
        }
        // The nearest rank: the smallest of them that is not less than so many hundredths of all.
        let mut rank = |hundredths: usize| {
            let place = (waits.len() * hundredths).div_ceil(100).saturating_sub(1);
            *waits.select_nth_unstable_by(place, f64::total_cmp).1
        };
        Figures { mean, p50: rank(50), p99: rank(99), max: rank(100), idle, requests, busy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let waits = (1..=200).rev().map(f64::from).collect();
        let figures = Figures::new(waits, 0.0, [(3, 0.5), (9, 0.25)].into_iter());
        assert_eq!((figures.mean, figures.p50, figures.p99, figures.max), (100.5, 100.0, 198.0, 200.0));
        assert_eq!((figures.requests, figures.busy), ((3, 9), (0.25, 0.5)));
        let one = Figures::new(vec![7.0], 0.0, [].into_iter());
        assert_eq!((one.p50, one.p99, one.max), (7.0, 7.0, 7.0));
    }
}
