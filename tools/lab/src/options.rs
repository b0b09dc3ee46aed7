//! The command line.

use std::ffi::OsString;

use clap::Parser;
use recording::Language;

const EXAMPLES: &str = "\
Examples:
  cargo lab                    the labs, their length and what they need
  cargo lab 01                 run lab 01; `1`, `spawn` or `01-spawn-piping` do as well
  cargo lab 01 --node          the same experiment in Node
  cargo lab 01 --compare       both, their facts in a table
  cargo lab 01 --trace         the system calls that matter, each explained; with --node those of Node
  cargo lab 01 --json          the transcript for a program to read
  cargo lab 01 -- --help       what the lab itself takes

Environment:
  FORKLORE_NODE  the node to use: its path, or a name in PATH; default: node

Exit codes:
  0        it ran to its end, or ended in good order when told to; with --compare: every fact is equal or differs as declared
  1        the lab could not do its work; with --compare: a fact is neither
  2        wrong usage: no such lab or option, or an argument that the lab refuses
  3        a program that it needs is not installed, or may not be used
  4        the lab does not compile
  128 + n  ended by signal n (130: Ctrl-C, 141: the reader of the output has gone)
  others   the lab's own exit code";

/// Lists the labs, or runs one of them.
#[derive(Debug, Parser)]
#[command(name = "cargo lab", bin_name = "cargo lab", after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Options {
    /// The lab: its number or a part of its name that no other lab has; without it, the labs are listed
    #[arg(value_name = "LAB")]
    pub(crate) labs: Vec<String>,

    /// Run the Node original instead
    #[arg(long, requires = "labs")]
    node: bool,

    /// Run both and compare their facts
    #[arg(long, requires = "labs", conflicts_with_all = ["node", "trace"])]
    compare: bool,

    /// Run it under strace and explain the system calls that matter
    #[arg(long, requires = "labs")]
    trace: bool,

    /// Record these labs, or all, in both languages: what the book shows of them
    #[arg(long, conflicts_with_all = ["node", "compare", "trace", "json", "arguments"])]
    pub(crate) record: bool,

    /// Print JSON lines instead of text
    #[arg(long, requires = "labs")]
    pub(crate) json: bool,

    /// Do not ask for a prediction before the run
    #[arg(long, requires = "labs")]
    pub(crate) no_predict: bool,

    /// Arguments for the lab
    #[arg(last = true, requires = "labs")]
    pub(crate) arguments: Vec<OsString>,
}

/// What is done with the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Run(Language),
    Compare,
    Trace(Language),
}

impl Options {
    pub(crate) fn how(&self) -> How {
        match (self.compare, self.trace) {
            (true, _) => How::Compare,
            (_, true) => How::Trace(self.language()),
            _ => How::Run(self.language()),
        }
    }

    /// The language of the program that is run, if only one is.
    pub(crate) fn language(&self) -> Language {
        if self.node { Language::Node } else { Language::Rust }
    }

    /// The lab's own arguments when it is run with `--json` or not.
    pub(crate) fn arguments(&self, json: bool) -> impl Iterator<Item = OsString> {
        json.then(|| OsString::from("--json")).into_iter().chain(self.arguments.iter().cloned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_ways_to_run_exclude_each_other() {
        assert!(Options::try_parse_from(["lab", "1", "--node", "--compare"]).is_err());
        assert!(Options::try_parse_from(["lab", "1", "--record", "--trace"]).is_err());
        assert!(Options::try_parse_from(["lab", "--trace"]).is_err(), "a way to run needs a lab");
        let options = Options::try_parse_from(["lab", "1", "--trace", "--", "--trace"]).expect("sound");
        assert_eq!(options.how(), How::Trace(Language::Rust));
        assert_eq!(options.arguments(true).collect::<Vec<_>>(), ["--json", "--trace"]);
    }
}
