//! `cargo book`: builds the book and serves it, and runs labs from its pages.
//!
//! # Layout
//!
//! | file | what it holds |
//! |---|---|
//! | `build/` | mdBook as a library, and what is mended in its pages |
//! | `directives/` | `{{#output}}` and the others: pieces of the repository in the chapters |
//! | `diagram/` | a run as a sequence diagram, drawn and in words |
//! | `serve/` | the book on a port of this machine, and its labs run from its pages |
//! | `keeper.rs` | sees to it that nothing is left of a lab that was run |
//! | `watch.rs` | tells when the book has to be built again |
//! | `catalogue.rs` | the labs, and what was recorded of them |
//! | `run.rs` | a recorded run as steps, lines and facts |
//! | `excerpt.rs` | parts of source files, by anchors |
//! | `colours.rs` | the colours of the processes |
//! | `html.rs` | text as HTML inside Markdown |
//! | `failure.rs` | what can be wrong with the book |

mod build;
mod catalogue;
mod colours;
mod diagram;
mod directives;
mod excerpt;
mod failure;
mod html;
mod keeper;
mod run;
mod serve;
mod watch;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

use failure::Error;

const EXAMPLES: &str = "\
Examples:
  cargo book                   serve it, and open a browser where there is a display
  cargo book --port 8080       on this port or not at all
  cargo book build --out site  static pages, to be put anywhere

Exit codes:
  0  the book is built, or was served until Ctrl-C, SIGTERM or SIGHUP
  1  the book cannot be built, or the port cannot be had
  2  wrong usage";

/// Builds the book and serves it on 127.0.0.1
#[derive(Debug, Parser)]
#[command(name = "cargo book", bin_name = "cargo book", args_conflicts_with_subcommands = true)]
#[command(after_help = EXAMPLES, max_term_width = 100)]
struct Options {
    #[command(subcommand)]
    command: Option<What>,

    /// The port to serve it on; without it 3000, or a free one if that is taken
    #[arg(long)]
    port: Option<u16>,

    /// Do not open a browser
    #[arg(long)]
    no_open: bool,

    /// Do not build it again when something changes
    #[arg(long)]
    no_watch: bool,

    /// How long a lab may run when it is started from a page
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Only builds the book: static pages that can be put anywhere
    Build {
        /// The folder to build it in
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Runs a program, and ends all that is left of it when stdin ends; the server starts labs by it
    #[command(hide = true)]
    Keep {
        /// The program and its arguments
        #[arg(last = true, required = true)]
        line: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.command {
        Some(What::Build { out }) => build_only(out).map_err(Into::into),
        Some(What::Keep { line }) => match keeper::keep(&line) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        None => serve(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("book: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    serve::serve(&serve::Settings {
        root: root()?,
        port: options.port,
        open: !options.no_open,
        watch: !options.no_watch,
        limit: Duration::from_secs(options.limit),
    })
}

fn build_only(out: Option<PathBuf>) -> Result<(), Error> {
    let root = root()?;
    let out = out.unwrap_or_else(|| root.join("target/book"));
    let start = Instant::now();
    let built = build::build(&root, &out)?;
    println!("{} pages in {}, in {:.1} s", built.pages, built.out.display(), start.elapsed().as_secs_f64());
    Ok(())
}

/// The repository: the one whose tool cargo runs, otherwise the one that this program was compiled in.
fn root() -> Result<PathBuf, Error> {
    let above = |manifest: &Path| manifest.ancestors().nth(2).map(Path::to_owned);
    let at_run_time = std::env::var_os("CARGO_MANIFEST_DIR").and_then(|folder| above(Path::new(&folder)));
    let at_compile_time = above(Path::new(env!("CARGO_MANIFEST_DIR")));
    let candidates = at_run_time.into_iter().chain(at_compile_time);
    let found = candidates.into_iter().find(|folder| folder.join("book/book.toml").is_file());
    found.ok_or_else(|| Error::new("find the book", "no folder `book` beside the tool"))
}
