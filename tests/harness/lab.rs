//! What the tests of the labs know of a lab: what it needs, and what of its output differs from run to run.

use regex::Regex;
use snapbox::Redactions;

use crate::root;

/// Reads what a lab declares about itself.
pub fn manifest(lab: &str) -> manifest::Lab {
    manifest::Lab::read(&root().join("labs").join(lab)).unwrap_or_else(|error| panic!("{error}"))
}

/// Lists the programs without which a lab cannot run, by its own account.
pub fn needs(lab: &str) -> Vec<String> {
    manifest(lab).needs
}

/// Returns what stands in `expected.txt` for what differs from run to run, and from machine to machine; `folder` is where the lab ran.
pub fn redactions(folder: &str) -> Redactions {
    let mut redactions = Redactions::new();
    redactions.insert("[CWD]", folder.to_owned()).expect("a placeholder");
    for kind in &recording::marks::KINDS {
        let pattern = Regex::new(kind.pattern).expect("a regular expression");
        redactions.insert(kind.placeholder, pattern).expect("a placeholder");
    }
    redactions
}
