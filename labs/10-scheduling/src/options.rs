//! The command line.

use clap::Parser;
use transcript::Output;

use crate::simulation::Model;

const EXAMPLES: &str = "\
Examples:
  cargo lab 10                              the lesson, with four workers
  cargo lab 10 -- --simulate                a thousand workers, a million requests
  cargo lab 10 -- --simulate --load 0.99 --seed 2
  cargo lab 10 --json -- --simulate         every figure as a line of JSON

The simulation runs the scheduler of the real primary, all five policies on the same
requests. They come at random times (a Poisson process) and take an exponentially
distributed time, for which theory has formulas to test against. Every tenth worker is
three times slower; weighted alone is told so. There are a hundred clients for each
worker, and client k comes in proportion to 1/√k. A request is handed over at once and
waits with its worker; only with shared it waits in one queue, until a worker is idle.
The same arguments give the same figures on every machine.

Exit codes:
  0        it ran to its end
  1        it could not; one sentence says why
  2        wrong usage
  128 + n  ended by signal n";

/// Shows who gets the next connection, with four workers; or simulates it
#[derive(Debug, Clone, Parser)]
#[command(after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Options {
    /// Simulate: the same scheduler, with neither connections nor workers
    #[arg(long)]
    pub(crate) simulate: bool,

    #[command(flatten)]
    pub(crate) model: Model,

    #[command(flatten)]
    pub(crate) output: Output,
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
