//! The command line.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use clap::builder::{PathBufValueParser, TypedValueParser};
use forklore::cluster::schedule::Policy;
use transcript::Output;

const EXAMPLES: &str = "\
Examples:
  cargo lab 17                              the lesson
  cargo lab 17 -- server.js                 four workers of your program
  cargo lab 17 -- server.js --workers 2 --policy sticky --port-report
  cargo lab 17 -- server.js -- --verbose    what follows goes to the program

The program is run unchanged, and its workers share what they listen on; the part of it
that would be the primary is not run, this is the primary. It has this environment, and
so NODE_OPTIONS reaches node. A file that is executable and no .js, .cjs or .mjs is run
by itself; anything else by node.

A worker that dies is replaced; after 5 deaths within 10 s all is given up. Ctrl-C and
SIGTERM ask the workers to finish what they have begun; those who have not after 2 s,
or at the second Ctrl-C, are killed.

Exit codes:
  0        it was told to end, and ended
  1        it could not go on; one sentence says why
  2        wrong usage: no such file, option, number or policy
  3        node is not installed
  128 + n  the lesson was ended by signal n";

/// An ordinary Node program with cluster under a primary in Rust: the lesson, or your own program
#[derive(Debug, Clone, Parser)]
#[command(after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Options {
    /// A program that is to run until Ctrl-C: one that uses cluster, or any server. Without it, the lesson
    #[arg(value_parser = PathBufValueParser::new().try_map(file))]
    pub(crate) app: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,

    /// How many workers
    #[arg(long, value_name = "N", default_value = "4", value_parser = number::<NonZeroU16>, requires = "app")]
    pub(crate) workers: NonZeroU16,

    /// Who gets the next connection: round-robin, shared, weighted, least-connections or sticky
    #[arg(long, value_name = "NAME", default_value_t, requires = "app")]
    pub(crate) policy: Policy,

    /// Say which ports the kernel has, and in the end how many connections each worker was given and has taken
    #[arg(long, requires = "app")]
    pub(crate) port_report: bool,

    /// How many connections a prompt worker may hold that it has not taken; 1 in Node
    #[arg(long, value_name = "N", default_value = "16", value_parser = number::<NonZeroU16>, requires = "app")]
    pub(crate) window: NonZeroU16,

    /// End a worker that has not taken a connection for so many milliseconds; another one gets it
    #[arg(long, value_name = "MS", value_parser = number::<NonZeroU32>, requires = "app")]
    answer_limit: Option<NonZeroU32>,

    /// Arguments for the program
    #[arg(last = true, requires = "app")]
    pub(crate) arguments: Vec<OsString>,
}

impl Options {
    pub(crate) fn cluster(&self) -> forklore::cluster::Options {
        let options = forklore::cluster::Options::default().policy(self.policy).window(self.window.get().into());
        match self.answer_limit {
            Some(limit) => options.answer_limit(Duration::from_millis(limit.get().into())),
            None => options,
        }
    }
}

fn file(path: PathBuf) -> Result<PathBuf, String> {
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(path),
        Ok(_) => Err("that is no file".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err("no such file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "that is no number from 1 on".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }
}
