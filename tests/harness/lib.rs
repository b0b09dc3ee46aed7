//! What the tests of several packages share: tests that name the tools they need or run in each version of Node, the workspace's
//! programs and labs, a workspace made for tests, a watched cluster, a terminal, and the search for processes left behind.

pub mod lab;
pub mod nodes;
pub mod process;
pub mod started;
pub mod terminal;
mod trials;
pub mod watched;
pub mod workspace;

pub use trials::{Case, case, cases, conclude, find, marked, missing, named, run, trial, trial_unless};

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// What a test returns.
pub type TestResult = Result<(), Box<dyn std::error::Error>>;

/// How long anything may take before the test fails; reached only when something is wrong.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Returns the directory of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/harness is two levels below")
}

/// Returns cargo, by which the tests build.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the workspace's program `name`: `lab`, `lab-01-spawn-piping`. The first call builds all programs.
pub fn program(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        // The packages of `cargo test`, and a test, which has cargo select the same features: it compiles nothing a second time.
        let build = Command::new(cargo())
            .args(["build", "--bins", "--test", "fuzz_corpus", "--quiet", "--message-format=json-render-diagnostics"])
            .current_dir(root())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(build.status.success(), "the workspace's programs compile");
        let messages = String::from_utf8_lossy(&build.stdout).into_owned();
        let executables = messages.lines().filter_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            let path = PathBuf::from(message["executable"].as_str()?);
            Some((message["target"]["name"].as_str()?.to_owned(), path))
        });
        executables.collect()
    });
    programs.get(name).unwrap_or_else(|| panic!("the workspace has a program called {name}"))
}

/// Lists the names of the labs' directories, in order.
pub fn labs() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("labs")).expect("there are labs").flatten();
    let labs = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    let mut names: Vec<String> = labs.map(|lab| lab.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Lets other tasks run until a condition is met.
pub async fn until(mut is_met: impl FnMut() -> bool) {
    let mut clock = tokio::time::interval(Duration::from_millis(1));
    while !is_met() {
        clock.tick().await;
    }
}
