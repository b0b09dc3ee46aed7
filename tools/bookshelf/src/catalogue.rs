//! The labs of this repository, with what was recorded of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifest::Lab;
use recording::{Language, Recording};

use crate::failure::Error;
use crate::run::Run;

/// All labs, by number.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The folder of the repository.
    pub(crate) root: PathBuf,
    pub(crate) labs: Vec<Lab>,
    /// The recorded runs that have been read, by their files.
    runs: RefCell<HashMap<PathBuf, Arc<Run>>>,
}

impl Catalogue {
    /// Reads the labs below `root`.
    ///
    /// # Errors
    ///
    /// The first file that cannot be read, or is not what it should be.
    pub(crate) fn open(root: &Path) -> Result<Catalogue, Error> {
        Ok(Catalogue { root: root.to_owned(), labs: manifest::labs(root)?, runs: RefCell::default() })
    }

    /// The lab of these two digits.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn by_number(&self, number: &str) -> Result<&Lab, Error> {
        let lab = self.labs.iter().find(|lab| lab.number() == number);
        lab.ok_or_else(|| Error::new(format!("lab {number:?}"), "there is none of this number"))
    }

    /// The lab whose folder is called `name`.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Lab> {
        self.labs.iter().find(|lab| lab.name == name)
    }

    /// The recorded runs of a lab: in Rust, and in Node if there is one.
    ///
    /// # Errors
    ///
    /// When there is none in Rust, or one cannot be read.
    pub(crate) fn runs(&self, lab: &Lab) -> Result<Vec<(Language, Arc<Run>)>, Error> {
        let recorded = Language::ALL
            .into_iter()
            .filter(|language| *language == Language::Rust || self.recording(lab, *language).is_file());
        recorded.map(|language| Ok((language, self.run(lab, language)?))).collect()
    }

    /// The recorded run of a lab in one language.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub(crate) fn run(&self, lab: &Lab, language: Language) -> Result<Arc<Run>, Error> {
        let path = self.recording(lab, language);
        if let Some(run) = self.runs.borrow().get(&path) {
            return Ok(Arc::clone(run));
        }
        let recording = Recording::from_jsonl(&read_text(&path)?).map_err(|error| Error::file(&path, error))?;
        let run = Arc::new(Run::of(recording));
        self.runs.borrow_mut().insert(path, Arc::clone(&run));
        Ok(run)
    }

    fn recording(&self, lab: &Lab, language: Language) -> PathBuf {
        self.root.join("book/recorded").join(format!("{}.{}.jsonl", lab.name, language.name()))
    }
}

/// A file's text.
///
/// # Errors
///
/// With the file's name.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::file(path, error))
}
