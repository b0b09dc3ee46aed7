//! The command line of a group that does its rounds by itself.

use std::path::{Path, PathBuf};

use clap::Parser;

/// What cargo and the runner say to it.
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
pub struct Rounds {
    /// Only those whose names contain one of these
    names: Vec<String>,

    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// How long each measurement lasts, where one has a length
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Once, shortly, and nothing is written
    #[arg(long)]
    pub test: bool,

    /// Only name what would be measured
    #[arg(long)]
    pub list: bool,

    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Rounds {
    /// How many there are.
    pub fn rounds(&self) -> u32 {
        if self.test { 1 } else { self.rounds }
    }

    /// How many seconds each measurement lasts.
    pub fn seconds(&self) -> u64 {
        if self.test { 1 } else { self.seconds }
    }

    /// Whether something of this name is to be measured.
    pub fn chooses(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|word| name.contains(word))
    }

    /// Where a group's results belong, in the target folder in which its program lies.
    ///
    /// # Errors
    ///
    /// When it lies in no such folder.
    pub fn results(group: &str) -> std::io::Result<PathBuf> {
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(3).map(Path::to_owned);
        let target = target.ok_or_else(|| std::io::Error::other("the benchmark lies in no folder of cargo's"))?;
        Ok(target.join(group).join("results.json"))
    }
}
