//! The programs that labs, tests and benchmarks need besides Rust: where they are, and how to install them.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The environment variable that names the `node` to use: its path, or a name to look for in `PATH`. Default: `node`.
pub const NODE: &str = "FORKLORE_NODE";

/// The environment variable that names one `node` of each version, for what runs in several: their paths, or directories that
/// contain a `node`, separated by colons. Default: the one of [`NODE`].
pub const NODES: &str = "FORKLORE_NODES";

/// How to install each program that is not in the distribution's package of the same name.
const SOURCES: [(&str, &str); 5] = [
    ("node", "apt-get install nodejs, or an installer from nodejs.org"),
    ("nginx", "apt-get install nginx-light"),
    ("chromedriver", "apt-get install chromium-driver"),
    ("ss", "apt-get install iproute2"),
    ("setsid", "apt-get install util-linux"),
];

/// Finds a program. It looks for `node` where [`NODE`] says, and for any other in `PATH`.
///
/// # Errors
///
/// The program is not installed: how to install it. Or [`NODE`] names something else than a program.
pub fn find(program: &str) -> Result<PathBuf, Error> {
    let named = env::var_os(NODE).filter(|name| program == "node" && !name.is_empty());
    if let Some(name) = named {
        let found = if name.to_string_lossy().contains('/') { Some(name.clone().into()) } else { in_path(&name) };
        let found = found.filter(|path| is_program(path)).and_then(|path| std::path::absolute(path).ok());
        return found.ok_or_else(|| Error::new(format!("{NODE} is {}", name.display()), "not an executable file"));
    }
    in_path(program.as_ref()).ok_or_else(|| {
        let source = SOURCES.iter().find(|(name, _)| *name == program);
        let source = source.map_or_else(|| format!("apt-get install {program}"), |(_, source)| (*source).to_owned());
        Error::new(format!("{program} is not installed"), source)
    })
}

fn in_path(program: &OsStr) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(program)).find(|path| is_program(path))
}

/// Tells whether a file is there and is executable.
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// A `node` program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its version: `24.11.1`.
    pub version: String,
}

impl Node {
    /// Asks the `node` that [`find`] finds for its version.
    ///
    /// # Errors
    ///
    /// There is none, or it does not print a version.
    pub fn find() -> Result<Node, Error> {
        Node::at(find("node")?)
    }

    /// Finds every `node` that [`NODES`] names, in its order.
    ///
    /// # Errors
    ///
    /// The first of them that is not there, or does not print a version.
    pub fn all() -> Result<Vec<Node>, Error> {
        let Some(list) = env::var_os(NODES).filter(|list| !list.is_empty()) else { return Ok(vec![Node::find()?]) };
        let program = |path: PathBuf| if path.is_dir() { path.join("node") } else { path };
        env::split_paths(&list).map(program).map(Node::at).collect()
    }

    fn at(path: PathBuf) -> Result<Node, Error> {
        let error = |reason: String| Error::new(path.display(), reason);
        // Absolute: it may be started in another directory.
        let path = std::path::absolute(&path).map_err(|cause| error(cause.to_string()))?;
        let output = Command::new(&path).arg("--version").output().map_err(|cause| error(cause.to_string()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        match said.trim().strip_prefix('v').filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))
        {
            Some(version) => Ok(Node { version: version.to_owned(), path }),
            None => Err(error(format!("it prints no version of Node, but {:?}", said.trim()))),
        }
    }

    /// Returns the numbers of its version, of which the greatest is the newest.
    pub fn numbers(&self) -> Vec<u32> {
        self.version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_one_sentence_with_a_way_to_get_it() {
        assert!(find("sh").is_ok_and(|path| path.is_absolute()));
        let sentence = |program| find(program).expect_err("not installed").to_string();
        assert_eq!(sentence("no-such-tool"), "no-such-tool is not installed: apt-get install no-such-tool");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let node = |version: &str| Node { path: PathBuf::new(), version: version.to_owned() };
        assert_eq!(node("24.11.1").numbers(), [24, 11, 1]);
        assert!(node("26.0.0-rc.1").numbers() > node("9.11.2").numbers());
        let error = Node::at("/bin/echo".into()).expect_err("not a node").to_string();
        assert!(error.starts_with("/bin/echo: it prints no version of Node, but "), "{error}");
    }
}
