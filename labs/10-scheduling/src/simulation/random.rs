//! Chance, the same on every machine.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, quick, and good enough to pass the usual batteries of tests.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1, without the 1; all are equally likely.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Exponentially distributed, 1 on average.
    ///
    /// By comparing alone, after von Neumann (1951). The usual way takes a logarithm, of which the machines' libraries
    /// do not agree on the last bit. As long as each number is less than the one before they are counted: the chance
    /// that the count is odd is e^-x, if the first number is x. Otherwise the outcome is greater by one, and all begins
    /// anew.
    pub(super) fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.uniform();
            let (mut last, mut odd) = (first, true);
            loop {
                let next = self.uniform();
                if next >= last {
                    break;
                }
                (last, odd) = (next, !odd);
            }
            if odd {
                return whole + first;
            }
            whole += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_time_has_the_distribution_that_it_is_named_after() {
        let (mut random, many) = (Random::new(7), 1_000_000);
        let times: Vec<f64> = (0..many).map(|_| random.exponential()).collect();
        let mean = times.iter().sum::<f64>() / f64::from(many);
        assert!((mean - 1.0).abs() < 0.005, "{mean}");
        for limit in [0.01, 0.5, 1.0, 1.5, 3.0, 6.0] {
            let share = times.iter().filter(|time| **time > limit).count() as f64 / f64::from(many);
            assert!((share - (-limit).exp()).abs() < 0.002, "{share} are longer than {limit}");
        }
    }
}
