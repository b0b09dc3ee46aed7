//! The folder that a book is built in. mdBook empties it first, so it must be one that we made, or empty.

use std::fs;
use std::path::Path;

use crate::failure::Error;

/// The file by which we know a folder again.
const MARK: &str = ".forklore-book";

/// Sees to it that `out` is there, and that nothing is lost when it is emptied.
pub(super) fn prepare(out: &Path) -> Result<(), Error> {
    fs::create_dir_all(out).map_err(|error| Error::file(out, error))?;
    let mut entries = fs::read_dir(out).map_err(|error| Error::file(out, error))?;
    if entries.next().is_none() || out.join(MARK).is_file() {
        return claim(out);
    }
    Err(Error::file(out, "the folder holds something else than a built book; name an empty one or a new one"))
}

/// Marks it as ours.
pub(super) fn claim(out: &Path) -> Result<(), Error> {
    let mark = out.join(MARK);
    fs::write(&mark, "The book, built by `cargo book`. Everything here is made anew.\n")
        .map_err(|error| Error::file(&mark, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("book");
        prepare(&out).expect("a new one");
        prepare(&out).expect("our own");
        fs::remove_file(out.join(MARK)).expect("it was marked");
        fs::write(out.join("letter.txt"), "").expect("a file");
        assert!(prepare(&out).is_err_and(|error| error.to_string().contains("something else")));
        assert!(out.join("letter.txt").is_file());
    }
}
