//! A lab or its Node original, with the terminal handed to it.

use std::path::PathBuf;

use manifest::programs;
use recording::Language;

use crate::build;
use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::options::{How, Options};
use crate::program::Program;

/// Checks that all programs are installed that this lab needs when it is run in this way.
///
/// # Errors
///
/// One sentence about the first program that is not.
pub(crate) fn require(lab: &Lab, how: How) -> Result<(), Failure> {
    let own: &[&str] = match how {
        How::Run(Language::Rust) => &[],
        How::Run(Language::Node) | How::Compare => &["node"],
        How::Trace(Language::Rust) => &["strace"],
        How::Trace(Language::Node) => &["strace", "node"],
    };
    own.iter().copied().chain(lab.needs.iter().map(String::as_str)).try_for_each(|program| find(program).map(drop))
}

pub(crate) fn find(program: &str) -> Result<PathBuf, Failure> {
    programs::find(program).map_err(|error| Failure::missing(error.to_string()))
}

pub(crate) fn in_rust(catalogue: &Catalogue, lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    let executable = build::lab(catalogue, lab)?;
    Program::new(executable).arguments(options.arguments(options.json)).alone().run(|_, _| {})
}

pub(crate) fn in_node(lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    let original = original(lab)?;
    Program::new(find("node")?).arguments([original]).arguments(options.arguments(options.json)).alone().run(|_, _| {})
}

/// The script that the Node original begins with.
pub(crate) fn original(lab: &Lab) -> Result<PathBuf, Failure> {
    let scripts = ["main.js", "parent.js"].map(|script| lab.directory.join("node").join(script));
    let found = scripts.into_iter().find(|script| script.is_file());
    found.ok_or_else(|| Failure::trouble(&lab.name, "its Node original has neither node/main.js nor node/parent.js"))
}
