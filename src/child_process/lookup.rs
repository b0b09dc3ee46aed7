//! Which paths a program's name stands for.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where execvp(3) looks when the child's environment has no `PATH`: what glibc answers for `_CS_PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

// ANCHOR: candidates
/// The paths that `program` stands for, in the order in which they are tried. The rules are execvp(3)'s, and it is the **child's**
/// `PATH` that counts, as in Node:
///
/// 1. a name with a slash is a path, and the only one;
/// 2. any other name is looked for in each folder of `PATH`; an empty entry is the working directory;
/// 3. without `PATH`, in `/bin` and `/usr/bin`.
pub(super) fn candidates(program: &OsStr, path: Option<&OsStr>) -> Vec<OsString> {
    if program.as_bytes().contains(&b'/') {
        return vec![program.to_owned()];
    }
    let folders = path.map_or(DEFAULT_PATH, OsStr::as_bytes).split(|byte| *byte == b':');
    folders
        .map(|folder| match folder {
            b"" => program.to_owned(),
            folder => OsString::from_vec([folder, b"/", program.as_bytes()].concat()),
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
    fn a_name_is_looked_for_in_each_folder_and_a_path_is_not() {
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
