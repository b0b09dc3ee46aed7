//! Programs that must be installed, and the sentence for one that is not.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::catalogue::Lab;
use crate::failure::Failure;
use crate::options::How;

/// How to get each program that a lab or a way to run it may need. Any other one is looked for under its own name.
const SOURCES: &[(&str, &str)] = &[
    ("node", "apt-get install nodejs, or an installer from nodejs.org"),
    ("strace", "apt-get install strace"),
    ("wrk", "apt-get install wrk"),
    ("nginx", "apt-get install nginx"),
    ("python3", "apt-get install python3"),
    ("chromium", "apt-get install chromium"),
    ("ss", "apt-get install iproute2"),
];

/// Checks that all is there that this lab needs when run in this way.
///
/// # Errors
///
/// One sentence about the first program that is not.
pub(crate) fn require(lab: &Lab, how: How) -> Result<(), Failure> {
    let own = match how {
        How::Rust => None,
        How::Node | How::Compare => Some("node"),
        How::Trace => Some("strace"),
    };
    for tool in own.into_iter().chain(lab.needs.iter().map(String::as_str)) {
        if find(tool).is_none() {
            return Err(Failure::missing(sentence(tool)));
        }
    }
    Ok(())
}

fn sentence(tool: &str) -> String {
    let source = SOURCES.iter().find(|(name, _)| *name == tool);
    let source = source.map_or_else(|| format!("apt-get install {tool}"), |(_, source)| (*source).to_owned());
    format!("{tool} is not installed: {source}")
}

/// Where PATH has `tool`.
pub(crate) fn find(tool: &str) -> Option<PathBuf> {
    let executable =
        |path: &PathBuf| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(tool)).find(executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_one_sentence_with_a_way_to_get_it() {
        assert_eq!(sentence("strace"), "strace is not installed: apt-get install strace");
        assert_eq!(sentence("jq"), "jq is not installed: apt-get install jq");
        assert!(find("sh").is_some() && find("no such program").is_none());
    }
}
