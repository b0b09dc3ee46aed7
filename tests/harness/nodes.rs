//! Tests that run once in each version of Node.

use std::cell::Cell;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::trials::{Case, find, trial_unless};

/// The supported versions. One that is not installed is reported as ignored, or as a failure, as a missing tool is.
const SUPPORTED: [u32; 4] = [20, 22, 24, 26];

/// The environment variable with the `node` programs, or directories that contain one, separated by colons. Default: the
/// `node` in PATH.
pub const NODES: &str = "FORKLORE_NODES";

thread_local! {
    /// The `node` of the test that this thread runs.
    static CURRENT: Cell<Option<&'static Path>> = const { Cell::new(None) };
}

/// Returns the cases in each version, as `[node 26] name`.
pub fn in_each_node(cases: Vec<Case>) -> Vec<Trial> {
    let installed: Vec<(u32, &'static Path)> = installed().map(|path| (version(&path), &*path.leak())).collect();
    let missing = SUPPORTED.iter().filter(|version| !installed.iter().any(|(installed, _)| installed == *version));
    let absent = missing.map(|version| {
        let reason =
            format!("node {version} is not installed: npm install --prefix DIR node@{version}, and name it in {NODES}");
        trial_unless(Some(reason), &format!("[node {version}] {} tests", cases.len()), || ())
    });
    let present = installed.iter().flat_map(|(version, path)| {
        cases.iter().map(move |Case { name, run }| {
            let (path, run) = (*path, run.clone());
            trial_unless(None, &format!("[node {version}] {name}"), move || {
                CURRENT.set(Some(path));
                run();
            })
        })
    });
    present.chain(absent).collect()
}

/// Returns the `node` of this test; in a process that a test started with [`NODES`], the one that it names.
pub fn node() -> PathBuf {
    CURRENT.get().map(Path::to_owned).or_else(|| installed().next()).expect("a node")
}

fn installed() -> impl Iterator<Item = PathBuf> {
    let listed = env::var_os(NODES).filter(|list| !list.is_empty());
    let paths = match &listed {
        Some(list) => env::split_paths(list).collect(),
        None => Vec::from_iter(find("node")),
    };
    // Absolute: a test may start one in another directory.
    let absolute = |path| std::path::absolute(path).expect("a current directory");
    paths.into_iter().map(absolute).map(|path| if path.is_dir() { path.join("node") } else { path })
}

/// Returns the major version of a `node`.
fn version(node: &Path) -> u32 {
    let output = Command::new(node).arg("--version").output();
    let said = output.unwrap_or_else(|error| panic!("{NODES} names {}: {error}", node.display())).stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let major = said.strip_prefix('v').and_then(|said| said.split('.').next()?.parse().ok());
    major.unwrap_or_else(|| panic!("{} has no version: {said:?}", node.display()))
}
