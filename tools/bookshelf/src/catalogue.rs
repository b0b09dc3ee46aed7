//! The labs of this repository, with what they print and what was recorded of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use transcript::Record;

use crate::expected::Expected;
use crate::failure::Error;

/// What `[package.metadata.lab]` of a lab says, and what it prints.
#[derive(Debug, Deserialize)]
pub(crate) struct Lab {
    /// How long a reader is busy with it.
    pub(crate) minutes: u32,
    pub(crate) summary: String,
    /// Programs besides Rust that it cannot run without.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    pub(crate) prediction: Question,
    /// The name of its folder: `05-handle-passing`.
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) expected: Expected,
}

/// What the reader is asked before a run.
#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    pub(crate) question: String,
    pub(crate) choices: Vec<String>,
    /// The number of the right choice, from 1.
    pub(crate) answer: usize,
    pub(crate) because: String,
}

impl Lab {
    /// Its two digits.
    pub(crate) fn number(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// The name of its package and program.
    pub(crate) fn package(&self) -> String {
        format!("lab-{}", self.name)
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
        let folder = root.join("labs");
        let entries = fs::read_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file());
        let mut labs = folders.map(read).collect::<Result<Vec<_>, _>>()?;
        labs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Catalogue { root: root.to_owned(), labs })
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

fn read(folder: PathBuf) -> Result<Lab, Error> {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        lab: Lab,
    }
    let path = folder.join("Cargo.toml");
    let manifest: Manifest = toml::from_str(&read_text(&path)?).map_err(|error| Error::file(&path, error.message()))?;
    let path = folder.join("expected.txt");
    let expected = Expected::parse(&read_text(&path)?).map_err(|line| Error::file(&path, line))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Lab { name, expected, ..manifest.package.metadata.lab })
}
