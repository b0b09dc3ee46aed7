//! What is simulated.

/// What is simulated. Every tenth worker is slow.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub(crate) struct Model {
    /// Other requests with each number, and the same ones with the same
    #[arg(long, value_name = "N", default_value = "1", requires = "simulate", allow_negative_numbers = true,
        value_parser = seed)]
    pub(super) seed: u64,

    /// How many workers, up to 4096; every tenth one is three times slower than the others
    #[arg(long, value_name = "N", default_value = "1000", requires = "simulate", allow_negative_numbers = true,
        value_parser = number::<4096>)]
    pub(super) workers: u32,

    /// How many requests, up to 10000000
    #[arg(long, value_name = "N", default_value = "1000000", requires = "simulate", allow_negative_numbers = true,
        value_parser = number::<10_000_000>)]
    pub(super) requests: u32,

    /// How much of what all workers together can do is asked of them, from 0.01 to 2
    #[arg(long, value_name = "SHARE", default_value = "0.9", requires = "simulate", allow_negative_numbers = true,
        value_parser = load)]
    pub(super) load: f64,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "that is no number from 0 on".to_owned())
}

fn number<const MOST: u32>(text: &str) -> Result<u32, String> {
    let known = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    known.ok_or_else(|| format!("that is no number from 1 to {MOST}"))
}

fn load(text: &str) -> Result<f64, String> {
    let known = text.parse().ok().filter(|load| (0.01..=2.0).contains(load));
    known.ok_or_else(|| "that is no number from 0.01 to 2".to_owned())
}

impl Model {
    /// How much longer than others this worker takes.
    pub(super) fn slowness(&self, worker: u32) -> f64 {
        if worker % 10 == 9 { 3.0 } else { 1.0 }
    }

    /// What `Policy::Weighted` knows: how much it can do, in proportion to the others.
    pub(super) fn weight(&self, worker: u32) -> u32 {
        if worker % 10 == 9 { 1 } else { 3 }
    }

    /// How much all workers can do, in units of one that is not slow.
    pub(super) fn capacity(&self) -> f64 {
        let slow = self.workers / 10;
        f64::from(self.workers - slow) + f64::from(slow) / 3.0
    }
}
