//! Which `node` to start.

use std::path::PathBuf;

use manifest::programs;
use transcript::Refusal;

use crate::Result;

/// Finds the `node` to start for a process of Node's: what [`programs::NODE`] names. Default: the one in `PATH`.
///
/// # Errors
///
/// There is none: the lab ends with exit code 3, and a sentence that says how to install it.
pub fn program() -> Result<PathBuf> {
    programs::find("node").map_err(|error| Refusal::new(3, error.to_string()).into())
}
