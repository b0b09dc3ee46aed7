//! Which `node` to start.

use std::ffi::OsString;

/// The environment variable that names another `node` than the first one in `PATH`.
pub const VARIABLE: &str = "FORKLORE_NODE";

/// Returns the program to start for a process of Node's: what [`VARIABLE`] names. Default: `node`.
pub fn program() -> OsString {
    std::env::var_os(VARIABLE).filter(|program| !program.is_empty()).unwrap_or_else(|| "node".into())
}
