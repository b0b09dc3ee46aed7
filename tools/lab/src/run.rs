//! A lab or its Node original, with the terminal handed to it.

use std::path::PathBuf;

use crate::build;
use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::options::Options;
use crate::program::Program;

pub(crate) fn in_rust(catalogue: &Catalogue, lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    let executable = build::lab(catalogue, lab)?;
    Program::new(executable).arguments(options.arguments(options.json)).alone().run(|_, _| {})
}

pub(crate) fn in_node(lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    let original = original(lab)?;
    Program::new("node").arguments([original]).arguments(options.arguments(options.json)).alone().run(|_, _| {})
}

/// The script that the Node original begins with.
pub(crate) fn original(lab: &Lab) -> Result<PathBuf, Failure> {
    let scripts = ["main.js", "parent.js"].map(|script| lab.directory.join("node").join(script));
    let found = scripts.into_iter().find(|script| script.is_file());
    found.ok_or_else(|| Failure::trouble(&lab.name, "its Node original has neither node/main.js nor node/parent.js"))
}
