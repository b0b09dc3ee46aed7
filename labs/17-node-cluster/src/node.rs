//! The error when Node is missing.

use std::error::Error;

use forklore::error::ErrorKind;
use transcript::Refusal;

/// Turns the error of starting a worker into a refusal that says how to install Node, if it is missing.
pub(crate) fn without_node(error: forklore::error::Error) -> Box<dyn Error> {
    match error.kind() {
        ErrorKind::ProgramNotFound { .. } => {
            Refusal::new(3, "node is not installed: apt-get install nodejs, or an installer from nodejs.org").into()
        }
        _ => error.into(),
    }
}
