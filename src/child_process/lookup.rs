//! The paths to try for a program's name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The `PATH` of execvp(3) if the environment has none: glibc's `_CS_PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

// ANCHOR: candidates
/// Returns the paths to try for `program`, in order. As in Node, the rules are execvp(3)'s with the **child's** `PATH`:
///
/// 1. a name with a slash is a path, and the only one;
/// 2. any other name is looked up in each directory of `PATH`; an empty entry is the working directory;
/// 3. without `PATH`, it is looked up in `/bin` and `/usr/bin`.
pub(super) fn candidates(program: &OsStr, path: Option<&OsStr>) -> Vec<OsString> {
    if program.as_bytes().contains(&b'/') {
        return vec![program.to_owned()];
    }
    let directories = path.map_or(DEFAULT_PATH, OsStr::as_bytes).split(|byte| *byte == b':');
    directories
        .map(|directory| match directory {
            b"" => program.to_owned(),
            directory => OsString::from_vec([directory, b"/", program.as_bytes()].concat()),
        })
        .collect()
}
// ANCHOR_END: candidates

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates_of(program: &str, path: Option<&str>) -> Vec<OsString> {
        candidates(program.as_ref(), path.map(OsStr::new))
    }

    #[test]
    fn a_name_is_looked_up_in_each_directory_and_a_path_is_not() {
        assert_eq!(candidates_of("ls", Some("/a:/b")), ["/a/ls", "/b/ls"]);
        assert_eq!(candidates_of("./ls", Some("/a:/b")), ["./ls"]);
        assert_eq!(candidates_of("ls", None), ["/bin/ls", "/usr/bin/ls"]);
    }

    #[test]
    fn an_empty_entry_is_the_working_directory() {
        assert_eq!(candidates_of("ls", Some("/a::/b:")), ["/a/ls", "ls", "/b/ls", "ls"]);
        assert_eq!(candidates_of("ls", Some("")), ["ls"]);
    }
}
