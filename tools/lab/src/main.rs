//! `cargo lab`: lists the labs, runs one, compares it with its Node original, shows its system calls.
//!
//! # Layout
//!
//! | file | what it holds |
//! |---|---|
//! | `options.rs` | the command line |
//! | `catalogue.rs` | the labs of this clone, and finding one by what was typed |
//! | `list.rs` | the list that `cargo lab` alone prints |
//! | `build.rs` | one quiet `cargo build`, with a progress line on a terminal |
//! | `run.rs` | a lab or its Node original, with the terminal handed to it |
//! | `compare.rs` | both, their facts in a table |
//! | `predict.rs` | the question before a run and the answer after it |
//! | `record.rs` | a run under strace, as a recording |
//! | `trace.rs` | a recording for the terminal |
//! | `program.rs` | starting a program and outliving it, whatever signals arrive meanwhile |
//! | `terminal.rs` | what the terminal can show, and writing to it |
//! | `failure.rs` | how the command can end, and its exit codes |

mod build;
mod catalogue;
mod compare;
mod failure;
mod list;
mod options;
mod predict;
mod program;
mod record;
mod run;
mod terminal;
mod trace;

use std::process::ExitCode;

use clap::Parser;

use catalogue::Catalogue;
use failure::{Ending, Failure};
use options::{How, Options};
use predict::Asked;
use recording::Language;

fn main() -> ExitCode {
    let ending = command(&Options::parse()).unwrap_or_else(Failure::report);
    ending.end()
}

fn command(options: &Options) -> Result<Ending, Failure> {
    let catalogue = Catalogue::open()?;
    let mut labs = options.labs.iter().map(|name| catalogue.find(name)).collect::<Result<Vec<_>, _>>()?;
    if options.record {
        if labs.is_empty() {
            labs.extend(&catalogue.labs);
        }
        return record::renew(&catalogue, &labs, options);
    }
    let lab = match labs[..] {
        [] => return list::print(&catalogue).map(|()| Ending::SUCCESS),
        [lab] => lab,
        _ => return Err(Failure::usage("only --record takes several labs".to_owned())),
    };
    run::require(lab, options.how())?;
    let asked = Asked::ask(lab, options)?;
    let ending = match options.how() {
        How::Run(Language::Rust) => run::in_rust(&catalogue, lab, options)?,
        How::Run(Language::Node) => run::in_node(lab, options)?,
        How::Compare => compare::both(&catalogue, lab, options)?,
        How::Trace(language) => trace::run(&catalogue, lab, language, options)?,
    };
    if let Some(asked) = asked {
        asked.conclude(ending);
    }
    Ok(ending)
}
