//! The labs of this repository, with what they print and what was recorded of them.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use transcript::Record;

use crate::expected::Expected;
use crate::failure::Error;

/// A lab, and what it prints.
#[derive(Debug)]
pub(crate) struct Lab {
    manifest: manifest::Lab,
    pub(crate) expected: Expected,
}

impl Deref for Lab {
    type Target = manifest::Lab;

    fn deref(&self) -> &manifest::Lab {
        &self.manifest
    }
}

/// All labs, by number.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The folder of the repository.
    pub(crate) root: PathBuf,
    pub(crate) labs: Vec<Lab>,
}

impl Catalogue {
    /// Reads the labs below `root`.
    ///
    /// # Errors
    ///
    /// The first file that cannot be read, or is not what it should be.
    pub(crate) fn open(root: &Path) -> Result<Catalogue, Error> {
        let labs = manifest::labs(root)?;
        Ok(Catalogue { root: root.to_owned(), labs: labs.into_iter().map(with_output).collect::<Result<_, _>>()? })
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

    /// The recorded run of a lab as JSON.
    ///
    /// # Errors
    ///
    /// When there is none, or a line of it is no record.
    pub(crate) fn recorded_run(&self, lab: &Lab) -> Result<Vec<Record>, Error> {
        let path = self.recorded(lab, "jsonl");
        let text = read_text(&path)?;
        let records = text.lines().map(Record::from_json).collect::<Result<_, _>>();
        records.map_err(|error| Error::file(&path, error))
    }

    /// The recorded trace of a lab.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn recorded_trace(&self, lab: &Lab) -> Result<String, Error> {
        read_text(&self.recorded(lab, "trace"))
    }

    fn recorded(&self, lab: &Lab, extension: &str) -> PathBuf {
        self.root.join("book/recorded").join(format!("{}.{extension}", lab.name))
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

fn with_output(manifest: manifest::Lab) -> Result<Lab, Error> {
    let path = manifest.directory.join("expected.txt");
    let expected = Expected::parse(&read_text(&path)?).map_err(|line| Error::file(&path, line))?;
    Ok(Lab { manifest, expected })
}
