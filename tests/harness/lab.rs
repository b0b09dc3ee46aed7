//! What the tests of the labs know of a lab: what it needs, and what of its output differs from run to run.

use regex::Regex;
use snapbox::Redactions;

use crate::harness::root;

/// What a lab declares about itself.
pub(crate) fn manifest(lab: &str) -> manifest::Lab {
    manifest::Lab::read(&root().join("labs").join(lab)).unwrap_or_else(|error| panic!("{error}"))
}

/// The programs without which a lab cannot run, by its own account.
pub(crate) fn needs(lab: &str) -> Vec<String> {
    manifest(lab).needs
}

/// What stands in `expected.txt` for what differs from run to run, and from machine to machine; `folder` is where the lab ran.
pub(crate) fn redactions(folder: &str) -> Redactions {
    let mut redactions = Redactions::new();
    redactions.insert("[CWD]", folder.to_owned()).expect("a placeholder");
    for kind in &recording::marks::KINDS {
        let pattern = Regex::new(kind.pattern).expect("a regular expression");
        redactions.insert(kind.placeholder, pattern).expect("a placeholder");
    }
    redactions
}
