//! The labs of this clone, from their metadata, and finding one by what was typed.

use std::path::{Path, PathBuf};

pub(crate) use manifest::Lab;

use crate::failure::Failure;

/// The Jaro-Winkler similarity above which a word is taken for a misspelling. `spwan` and `spawn` have 0.95, `rust` and `cluster` 0.73.
const NEAR: f64 = 0.8;

/// All labs, by number.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) root: PathBuf,
    pub(crate) labs: Vec<Lab>,
}

impl Catalogue {
    pub(crate) fn open() -> Result<Catalogue, Failure> {
        let root = root()?;
        let labs = manifest::labs(&root).map_err(|error| Failure::Told { code: 1, sentence: error.to_string() })?;
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
            &|lab| number.is_some() && lab.number().parse().ok() == number,
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
        let meant = match &self.nearest(word, number)[..] {
            [] => String::new(),
            nearest => format!(" did you mean {}?", enumerate(nearest)),
        };
        Err(Failure::usage(format!("no lab is called {typed:?};{meant} `cargo lab` lists all labs")))
    }

    /// Returns at most three labs whose numbers or names are near what was typed, the nearest first.
    fn nearest(&self, word: &str, number: Option<u32>) -> Vec<&Lab> {
        let likeness = |lab: &Lab| match (number, lab.number().parse::<u32>()) {
            (Some(wanted), Ok(number)) if wanted.abs_diff(number) <= 1 => 1.0,
            (Some(_), _) => 0.0,
            _ => {
                let parts = lab.slug().split('-').chain([lab.slug(), &lab.name]);
                parts.map(|part| strsim::jaro_winkler(part, word)).fold(0.0, f64::max)
            }
        };
        let mut labs: Vec<(f64, &Lab)> = self.labs.iter().map(|lab| (likeness(lab), lab)).collect();
        labs.retain(|(likeness, _)| *likeness > NEAR);
        labs.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        labs.truncate(3);
        labs.into_iter().map(|(_, lab)| lab).collect()
    }
}

/// `a`, `a or b`, `a, b or c`.
fn enumerate(labs: &[&Lab]) -> String {
    let names: Vec<&str> = labs.iter().map(|lab| lab.name.as_str()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
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
pub(crate) mod tests {
    use super::*;

    /// A lab that is called `name`.
    pub(crate) fn lab(name: &str) -> Lab {
        let manifest = format!(
            "[package]\nname = \"lab-{name}\"\n[package.metadata.lab]\ntitle = \"What a process is\"\nminutes = 4\n\
             summary = \"Who a process is, how it ends, and what fork(2) copies that the fork() of Node does not\"\n\
             needs = [\"wrk\", \"nginx\"]\n[package.metadata.lab.prediction]\nquestion = \"Which?\"\n\
             choices = [\"this\", \"that\"]\nanswer = 2\nbecause = \"It is so.\"\nnode.answer = 1\n"
        );
        Lab::parse(Path::new(name), &manifest).expect("a manifest")
    }

    fn catalogue() -> Catalogue {
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
    fn what_is_not_unique_or_nearly_a_name_gets_suggestions() {
        assert!(found("proc").starts_with("\"proc\" could be 00-process or 13-processes-vs-threads; "));
        assert!(found("spwan").contains("did you mean 01-spawn-piping"));
        assert!(found("14").contains("did you mean 13-processes-vs-threads"));
        for typed in ["", "nosuch", "77"] {
            assert_eq!(found(typed), format!("no lab is called {typed:?}; `cargo lab` lists all labs"));
        }
    }
}
