//! The arguments of a lab.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

/// What every lab takes. One with arguments of its own has this among them, with `#[command(flatten)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Output {
    /// Print the transcript as JSON lines instead of text
    #[arg(long)]
    pub json: bool,
}

/// Runs the lab
#[derive(Debug, Parser)]
pub(crate) struct Plain {
    #[command(flatten)]
    pub(crate) output: Output,
}

/// The arguments of this process; what is wrong with them is one sentence on stderr.
///
/// # Errors
///
/// The exit code, when there is nothing to run: 0 after `--help`, 2 for wrong arguments.
pub fn arguments<T: Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody may be left who reads it.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{}: {}; --help says what it takes", program(), sentence(&error));
            ExitCode::from(2)
        }
    })
}

/// The name by which this program was started, without its directory.
pub(crate) fn program() -> String {
    let path = std::env::args().next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// What is wrong, without the advice that stands below it.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_one_sentence() {
        let error = Plain::try_parse_from(["lab", "--nosuch"]).expect_err("unknown");
        assert_eq!(sentence(&error), "unexpected argument '--nosuch' found");
        assert!(Plain::try_parse_from(["lab", "--json"]).expect("known").output.json);
    }
}
