//! What the tests of the labs know of a lab: what it needs, and what of its output differs from run to run.

use regex::Regex;
use snapbox::Redactions;

use crate::harness::root;

/// The programs without which a lab cannot run, by its own account.
pub(crate) fn needs(lab: &str) -> Vec<String> {
    let lab = manifest::Lab::read(&root().join("labs").join(lab));
    lab.unwrap_or_else(|error| panic!("{error}")).needs
}

/// What stands in `expected.txt` for what differs from run to run, and from machine to machine; `folder` is where the lab ran.
pub(crate) fn redactions(folder: &str) -> Redactions {
    let pattern = |pattern: &str| Regex::new(pattern).expect("a regular expression");
    let mut redactions = Redactions::new();
    let insert = [
        redactions.insert("[CWD]", folder.to_owned()),
        redactions.insert("[PID]", pattern(r"\bpid (?<redacted>\d+)")),
        redactions.insert("[PORT]", pattern(r"\bport (?<redacted>\d+)")),
        redactions.insert("[FD]", pattern(r"\bfd (?<redacted>\d+)")),
        redactions.insert("[INODE]", pattern(r"\binode (?<redacted>\d+)")),
        redactions.insert("[COUNT]", pattern(r"\b(answered|connected|holds) (?<redacted>\d+)")),
        redactions.insert("[COUNT]", pattern(r"\b(?<redacted>\d+) clients were reset")),
        redactions.insert("[COUNT]", pattern(r"\btook (?<redacted> *\d+( █+)?)")),
        redactions.insert("[TIME]", pattern(r"\ball in (?<redacted>\d+ ms)")),
        redactions.insert("[OBSERVED]", pattern(r"\bobserved (?<redacted>\d+\.\d)")),
        redactions.insert("[TIME]", pattern(r"\bup for (?<redacted>\d+\.\d+) s")),
        redactions.insert("[MEMORY]", pattern(r"(?<redacted>\d+\.\d MiB)")),
        redactions.insert("[MEMORY]", pattern(r"(?<redacted>\d+ KiB) (before|more)")),
    ];
    assert!(insert.iter().all(Result::is_ok), "{insert:?}");
    redactions
}
