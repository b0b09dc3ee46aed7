//! What the tests of the labs know of a lab: what it needs, and what of its output differs from run to run.

use std::fs;

use regex::Regex;
use snapbox::Redactions;

use crate::harness::root;

/// The programs without which a lab cannot run, by its own account.
pub(crate) fn needs(lab: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("labs").join(lab).join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let needs = manifest["package"]["metadata"]["lab"]["needs"].as_array().expect("a list of programs");
    needs.iter().filter_map(|program| program.as_str().map(str::to_owned)).collect()
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
