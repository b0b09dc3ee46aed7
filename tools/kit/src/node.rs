//! Which `node` to start.

use std::error::Error;
use std::ffi::OsString;

use forklore::error::ErrorKind;
use transcript::Refusal;

/// The environment variable that names another `node` than the first one in `PATH`.
pub const VARIABLE: &str = "FORKLORE_NODE";

/// Returns the program to start for a process of Node's: what [`VARIABLE`] names. Default: `node`.
pub fn program() -> OsString {
    std::env::var_os(VARIABLE).filter(|program| !program.is_empty()).unwrap_or_else(|| "node".into())
}

/// Turns the error of starting [`program`] into a refusal that says how to install Node, if it is missing.
pub fn missing(error: forklore::error::Error) -> Box<dyn Error> {
    match error.kind() {
        ErrorKind::ProgramNotFound { .. } => {
            Refusal::new(3, "node is not installed: apt-get install nodejs, or an installer from nodejs.org").into()
        }
        _ => error.into(),
    }
}
