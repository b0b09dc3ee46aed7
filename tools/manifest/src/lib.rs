//! What a lab declares about itself in `[package.metadata.lab]` of its `Cargo.toml`, and where the programs are that it needs.
//! CONTRIBUTING.md explains each key.

mod prediction;
pub mod programs;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use prediction::{Answer, Prediction};

/// A lab and what it declares.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lab {
    /// The name of its directory: `05-handle-passing`.
    #[serde(skip)]
    pub name: String,
    /// Its directory.
    #[serde(skip)]
    pub directory: PathBuf,
    /// Three or four words.
    pub title: String,
    /// How long a learner takes.
    pub minutes: u32,
    /// One sentence without its full stop.
    pub summary: String,
    /// The programs that it cannot run without.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The system calls that are its lesson.
    #[serde(default)]
    pub trace: Vec<String>,
    /// The facts that are not equal in the two languages. All others are.
    #[serde(default)]
    pub differs: Vec<Difference>,
    /// What the learner is asked before a run.
    pub prediction: Prediction,
}

/// A fact that has another value in Node than in Rust, because the difference is the lesson.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The name of the fact.
    pub fact: String,
    /// Its value in Rust.
    pub rust: String,
    /// Its value in Node.
    pub node: String,
    /// The reason, in a sentence without its full stop.
    pub because: String,
}

impl Lab {
    /// Reads the lab in `directory`.
    ///
    /// # Errors
    ///
    /// The manifest cannot be read, or is not a lab's manifest.
    pub fn read(directory: &Path) -> Result<Lab, Error> {
        let file = directory.join("Cargo.toml");
        let text = fs::read_to_string(&file).map_err(|error| Error::new(file.display(), error))?;
        Lab::parse(directory, &text)
    }

    /// Parses the manifest of the lab in `directory`.
    ///
    /// # Errors
    ///
    /// It is not a lab's manifest.
    pub fn parse(directory: &Path, manifest: &str) -> Result<Lab, Error> {
        #[derive(Deserialize)]
        struct Manifest {
            package: Package,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        struct Metadata {
            lab: Lab,
        }
        let file = directory.join("Cargo.toml");
        let Package { name: package, metadata } = match toml::from_str::<Manifest>(manifest) {
            Ok(manifest) => manifest.package,
            Err(error) => {
                let line = error.span().map_or(1, |span| manifest[..span.start].matches('\n').count() + 1);
                return Err(Error::new(format!("{}:{line}", file.display()), error.message()));
            }
        };
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lab = Lab { name, directory: directory.to_owned(), ..metadata.lab };
        match lab.flaw(&package) {
            Some(reason) => Err(Error::new(file.display(), reason)),
            None => Ok(lab),
        }
    }

    /// Returns what is wrong with a lab that has every key, if anything is.
    fn flaw(&self, package: &str) -> Option<String> {
        let digits = self.number().len() == 2 && self.number().bytes().all(|byte| byte.is_ascii_digit());
        if !digits || self.slug().is_empty() {
            return Some("a lab's directory is called NN-slug".to_owned());
        }
        if package != self.package() {
            return Some(format!("the package is called {package:?} instead of {:?}", self.package()));
        }
        for (at, Difference { fact, rust, node, .. }) in self.differs.iter().enumerate() {
            if rust == node {
                return Some(format!("the fact {fact:?} is declared as differing, with the value {rust:?} twice"));
            }
            if self.differs[..at].iter().any(|other| other.fact == *fact) {
                return Some(format!("the fact {fact:?} is declared twice"));
            }
        }
        None
    }

    /// Returns its two digits.
    pub fn number(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// Returns its name without the number: `handle-passing`.
    pub fn slug(&self) -> &str {
        self.name.split_once('-').map_or("", |(_, slug)| slug)
    }

    /// Returns the name of its package and of its program.
    pub fn package(&self) -> String {
        format!("lab-{}", self.name)
    }
}

/// Reads all labs of the repository at `root`, in the order of their numbers.
///
/// # Errors
///
/// The first directory or manifest that cannot be read.
pub fn labs(root: &Path) -> Result<Vec<Lab>, Error> {
    let directory = root.join("labs");
    let entries = fs::read_dir(&directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| Error::new(directory.display(), error))?;
    let mut directories: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    directories.retain(|directory| directory.join("Cargo.toml").is_file());
    directories.sort();
    directories.iter().map(|directory| Lab::read(directory)).collect()
}

/// The reason why a lab could not be read or a program not be found, as one sentence.
#[derive(Debug, Clone)]
pub struct Error {
    /// The file, with the line if one is to blame; or what is missing.
    place: String,
    reason: String,
}

impl Error {
    fn new(place: impl fmt::Display, reason: impl fmt::Display) -> Error {
        Error { place: place.to_string(), reason: reason.to_string() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "lab-90-made-up"
version = "0.0.0"

[package.metadata.lab]
title = "Made up"
minutes = 3
summary = "What is made up"

[[package.metadata.lab.differs]]
fact = "lost"
rust = "0"
node = "5"
because = "Node has no second list"

[package.metadata.lab.prediction]
question = "How many?"
choices = ["none", "five"]
answer = 1
because = "The primary keeps them."

[package.metadata.lab.prediction.node]
answer = 2
"#;

    fn parse(manifest: &str) -> Result<Lab, String> {
        Lab::parse(Path::new("labs/90-made-up"), manifest).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_arrives() {
        let lab = parse(MANIFEST).expect("a manifest");
        assert_eq!((lab.name.as_str(), lab.number(), lab.slug()), ("90-made-up", "90", "made-up"));
        assert_eq!((lab.title.as_str(), lab.minutes, lab.needs.len()), ("Made up", 3, 0));
        assert_eq!((lab.differs[0].rust.as_str(), lab.differs[0].node.as_str()), ("0", "5"));
        let because = "The primary keeps them.".to_owned();
        assert_eq!(lab.prediction.rust, Answer { choice: 1, because: because.clone() });
        assert_eq!(lab.prediction.node, Answer { choice: 2, because }, "what Node's part does not say is the same");
    }

    #[test]
    fn whatever_is_wrong_is_one_sentence_with_the_file() {
        for (from, to, expected) in [
            ("minutes = 3", "minutes = 3\nhours = 1", ":9: unknown field `hours`"),
            ("because = \"Node", "why = \"Node", ":15: unknown field `why`"),
            ("answer = 2", "answers = 2", ":24: unknown field `answers`"),
            ("minutes = 3", "minutes = \"3\"", ":8: invalid type"),
            ("title = \"Made up\"\n", "", ":6: missing field `title`"),
            ("answer = 1", "answer = 3", ":17: there is no choice 3"),
            ("answer = 2", "answer = 0", ":17: there is no choice 0"),
            ("answer = 2", "answer = 1", ":17: Node's answer does not differ"),
            (
                "node = \"5\"",
                "node = \"0\"",
                ": the fact \"lost\" is declared as differing, with the value \"0\" twice",
            ),
            ("lab-90-made-up", "lab-90-made", ": the package is called \"lab-90-made\" instead of \"lab-90-made-up\""),
        ] {
            assert!(MANIFEST.contains(from), "{from}");
            let error = parse(&MANIFEST.replace(from, to)).expect_err(expected);
            assert!(error.starts_with(&format!("labs/90-made-up/Cargo.toml{expected}")), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        let error = Lab::parse(Path::new("labs/9-short"), MANIFEST).expect_err("a name");
        assert_eq!(error.to_string(), "labs/9-short/Cargo.toml: a lab's directory is called NN-slug");
        let error = labs(Path::new("/nosuch")).expect_err("no directory").to_string();
        assert!(error.starts_with("/nosuch/labs: No such file"), "{error}");
    }
}
