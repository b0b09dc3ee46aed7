//! The labs of this clone, from their metadata, and finding one by what was typed.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// What `[package.metadata.lab]` of a lab says, and where it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Lab {
    pub(crate) title: String,
    /// How long a reader is busy with it.
    pub(crate) minutes: u32,
    pub(crate) summary: String,
    /// Programs besides Rust that it cannot run without.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// The system calls that are its lesson.
    #[serde(default)]
    pub(crate) trace: Vec<String>,
    pub(crate) prediction: Option<Question>,
    /// The name of its folder: `05-handle-passing`.
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) folder: PathBuf,
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
    pub(crate) fn package(&self) -> String {
        format!("lab-{}", self.name)
    }

    fn number(&self) -> Option<u32> {
        self.name.split('-').next()?.parse().ok()
    }

    fn slug(&self) -> &str {
        self.name.split_once('-').map_or(&self.name, |(_, slug)| slug)
    }
}

/// All labs, by number.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) root: PathBuf,
    pub(crate) labs: Vec<Lab>,
}

impl Catalogue {
    pub(crate) fn open() -> Result<Catalogue, Failure> {
        let root = root()?;
        let folders =
            fs::read_dir(root.join("labs")).map_err(|error| Failure::trouble("read the folder labs", error))?;
        let mut labs = Vec::new();
        for folder in folders {
            let folder = folder.map_err(|error| Failure::trouble("read the folder labs", error))?.path();
            if folder.join("Cargo.toml").is_file() {
                labs.push(read(folder)?);
            }
        }
        labs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Catalogue { root, labs })
    }

    /// The lab that `typed` means:
    ///
    /// 1. a number is the lab of that number;
    /// 2. otherwise the lab whose name or slug it is;
    /// 3. otherwise the only one whose slug begins with it;
    /// 4. otherwise the only one of whose slug a word begins with it;
    /// 5. otherwise the only one whose name contains it.
    ///
    /// A path to the lab's folder and the name of its package count as its name.
    pub(crate) fn find(&self, typed: &str) -> Result<&Lab, Failure> {
        let word = typed.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_lowercase();
        let word = word.strip_prefix("lab-").unwrap_or(&word);
        let number = word.parse::<u32>().ok();
        let rules: [&dyn Fn(&Lab) -> bool; 5] = [
            &|lab| number.is_some() && lab.number() == number,
            &|lab| lab.name == word || lab.slug() == word,
            &|lab| number.is_none() && !word.is_empty() && lab.slug().starts_with(word),
            &|lab| number.is_none() && !word.is_empty() && lab.slug().split('-').any(|part| part.starts_with(word)),
            &|lab| number.is_none() && !word.is_empty() && lab.name.contains(word),
        ];
        for rule in rules {
            let found: Vec<&Lab> = self.labs.iter().filter(|lab| rule(lab)).collect();
            match found[..] {
                [] => {}
                [lab] => return Ok(lab),
                _ => {
                    let names = enumerate(&found);
                    return Err(Failure::usage(format!(
                        "{typed:?} could be {names}; a longer part of the name says which"
                    )));
                }
            }
        }
        let nearest = enumerate(&self.nearest(word, number));
        Err(Failure::usage(format!("no lab is called {typed:?}; did you mean {nearest}? `cargo lab` lists them")))
    }

    /// At most three labs, those whose numbers or names are most like what was typed.
    fn nearest(&self, word: &str, number: Option<u32>) -> Vec<&Lab> {
        let likeness = |lab: &Lab| match (number, lab.number()) {
            (Some(wanted), Some(number)) => -f64::from(wanted.abs_diff(number)),
            _ => {
                let parts = lab.slug().split('-').chain([lab.slug(), &lab.name]);
                parts.map(|part| strsim::jaro_winkler(part, word)).fold(0.0, f64::max)
            }
        };
        let mut labs: Vec<&Lab> = self.labs.iter().collect();
        labs.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
        labs.truncate(3);
        labs
    }
}

/// `a`, `a or b`, `a, b or c`.
fn enumerate(labs: &[&Lab]) -> String {
    let names: Vec<&str> = labs.iter().map(|lab| lab.name.as_str()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::from("a lab (there is none yet)"),
    }
}

fn read(folder: PathBuf) -> Result<Lab, Failure> {
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
    let text = fs::read_to_string(&path).map_err(|error| Failure::trouble(path.display(), error))?;
    let manifest: Manifest = toml::from_str(&text)
        .map_err(|error| Failure::trouble(format!("{}: [package.metadata.lab]", path.display()), error.message()))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Lab { name, folder, ..manifest.package.metadata.lab })
}

/// The clone to work in: the one whose tool cargo runs, otherwise the one that this program was compiled in. A folder that has
/// been moved since then is found from the current folder upwards.
fn root() -> Result<PathBuf, Failure> {
    let is_root = |folder: &Path| folder.join("labs").is_dir() && folder.join("tools/lab/Cargo.toml").is_file();
    let above = |manifest: &Path| manifest.ancestors().nth(2).map(Path::to_owned);
    let at_run_time = std::env::var_os("CARGO_MANIFEST_DIR").and_then(|folder| above(Path::new(&folder)));
    let at_compile_time = above(Path::new(env!("CARGO_MANIFEST_DIR")));
    let here = std::env::current_dir().unwrap_or_default();
    let candidates = at_run_time.into_iter().chain(at_compile_time).chain(here.ancestors().map(Path::to_owned));
    candidates
        .into_iter()
        .find(|folder| is_root(folder))
        .ok_or_else(|| Failure::trouble("find the labs", "no folder `labs` beside the tool, nor from here upwards"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let lab = |name: &str| Lab {
            title: String::new(),
            minutes: 1,
            summary: String::new(),
            needs: Vec::new(),
            trace: Vec::new(),
            prediction: None,
            name: name.to_owned(),
            folder: PathBuf::new(),
        };
        let names = ["00-process", "01-spawn-piping", "02-exec-vs-exec-file", "13-processes-vs-threads"];
        Catalogue { root: PathBuf::new(), labs: names.map(lab).into() }
    }

    fn found(typed: &str) -> String {
        match catalogue().find(typed) {
            Ok(lab) => lab.name.clone(),
            Err(Failure::Told { code: 2, sentence }) => sentence,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_unique_spelling_finds_its_lab() {
        for typed in ["01", "1", "spawn", "SPAWN", "01-spawn-piping", "spawn-piping", "piping", "labs/01-spawn-piping/"]
        {
            assert_eq!(found(typed), "01-spawn-piping", "{typed}");
        }
        assert_eq!(found("lab-00-process"), "00-process");
        assert_eq!(found("process"), "00-process", "a whole slug goes before the beginning of another");
    }

    #[test]
    fn what_is_not_unique_or_unknown_gets_suggestions() {
        assert!(found("proc").starts_with("\"proc\" could be 00-process or 13-processes-vs-threads; "));
        assert!(found("spwan").contains("did you mean 01-spawn-piping"));
        assert!(found("14").contains("did you mean 13-processes-vs-threads"));
        assert!(found("").contains("did you mean"));
        assert!(found("nosuch").contains("did you mean"));
    }

    #[test]
    fn the_labs_of_this_clone_are_sound() {
        let Ok(catalogue) = Catalogue::open() else { panic!("the catalogue opens") };
        assert!(!catalogue.labs.is_empty());
        for lab in catalogue.labs {
            let question = lab.prediction.unwrap_or_else(|| panic!("{} asks for a prediction", lab.name));
            assert!((1..=question.choices.len()).contains(&question.answer), "{}", lab.name);
        }
    }
}
