//! What can be wrong with the book, each as one sentence that names its place.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// Why the book could not be built, or served.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    /// The sentences, one for each thing that is wrong.
    sentences: Vec<String>,
}

impl Error {
    /// A thing that should have worked did not.
    pub(crate) fn new(what: impl Display, why: impl Display) -> Error {
        Error { sentences: vec![format!("{what}: {why}")] }
    }

    /// The same about a file.
    pub(crate) fn file(path: &Path, why: impl Display) -> Error {
        Error::new(path.display(), why)
    }

    /// All of these, if there are any.
    pub(crate) fn all(errors: Vec<Error>) -> Result<(), Error> {
        let sentences: Vec<String> = errors.into_iter().flat_map(|error| error.sentences).collect();
        if sentences.is_empty() { Ok(()) } else { Err(Error { sentences }) }
    }

    /// The same with the place in a chapter before each sentence.
    pub(crate) fn at(self, place: &Place) -> Error {
        let sentences = self.sentences.iter().map(|sentence| format!("{place}: {sentence}"));
        Error { sentences: sentences.collect() }
    }
}

impl From<manifest::Error> for Error {
    fn from(error: manifest::Error) -> Error {
        Error { sentences: vec![error.to_string()] }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences.join("\n"))
    }
}

impl std::error::Error for Error {}

/// A line of a chapter's source.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// From the root of the repository.
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}
