//! Tests that run once in each version of Node.

use std::cell::RefCell;
use std::env;
use std::path::PathBuf;

use libtest_mimic::Trial;
use manifest::programs::{NODE, NODES, Node};

use crate::trials::{Case, trial_unless};

/// The supported versions. One that is not installed is reported as ignored, or as a failure, as a missing tool is.
const SUPPORTED: [u32; 4] = [20, 22, 24, 26];

thread_local! {
    /// The `node` of the test that this thread runs.
    static CURRENT: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// Returns the cases in each version, as `[node 26] name`.
///
/// # Panics
///
/// [`NODES`] or [`NODE`] names something else than a `node`.
pub fn in_each_node(cases: Vec<Case>) -> Vec<Trial> {
    let named = [NODES, NODE].iter().any(|variable| env::var_os(variable).is_some());
    let installed = Node::all().unwrap_or_else(|error| if named { panic!("{error}") } else { Vec::new() });
    let is_installed = |version: &u32| installed.iter().any(|node| node.numbers().first() == Some(version));
    let absent = SUPPORTED.iter().filter(|version| !is_installed(version)).map(|version| {
        let reason =
            format!("node {version} is not installed: npm install --prefix DIR node@{version}, and name it in {NODES}");
        trial_unless(Some(reason), &format!("[node {version}] {} tests", cases.len()), || ())
    });
    let present = installed.iter().flat_map(|node| {
        cases.iter().map(move |Case { name, run }| {
            let (node, run) = (node.clone(), run.clone());
            trial_unless(None, &format!("[node {}] {name}", node.numbers()[0]), move || {
                CURRENT.set(Some(node));
                run();
            })
        })
    });
    present.chain(absent).collect()
}

/// Returns the `node` of this test; in a process that a test started with [`NODES`], the one that it names.
///
/// # Panics
///
/// There is none.
pub fn current() -> Node {
    let first = || Node::all().ok()?.into_iter().next();
    CURRENT.with_borrow(Clone::clone).or_else(first).expect("a node")
}

/// Returns the path of the `node` of this test.
///
/// # Panics
///
/// There is none.
pub fn node() -> PathBuf {
    current().path
}
