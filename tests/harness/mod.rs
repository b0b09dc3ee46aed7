//! What the test programs without libtest's harness share: tests that name the tools they need, the workspace's programs, a workspace
//! of labs made for tests, a terminal, and the search for processes left behind.
#![allow(dead_code)] // each test program uses its own part

pub(crate) mod nodes;
pub(crate) mod started;
pub(crate) mod terminal;
pub(crate) mod workspace;

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use libtest_mimic::{Failed, Trial};

/// A test that runs where every tool of `needs` is installed. Elsewhere it is reported as ignored, with the reason, and as a
/// failure when `FORKLORE_REQUIRE_TOOLS` is 1.
pub(crate) fn trial(name: &str, needs: &[&str], test: impl FnOnce() + Send + 'static) -> Trial {
    trial_unless(missing(needs), name, test)
}

/// What is said of the first of these tools that is not installed.
pub(crate) fn missing(needs: &[&str]) -> Option<String> {
    let missing = needs.iter().find(|tool| find(tool).is_none());
    missing.map(|tool| format!("{tool} is not installed: apt-get install {}", package(tool)))
}

/// A test that is reported in the same ways when there is a reason why it cannot be run.
pub(crate) fn trial_unless(reason: Option<String>, name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let Some(reason) = reason else {
        return Trial::test(name, move || {
            test();
            Ok(())
        });
    };
    if env::var_os("FORKLORE_REQUIRE_TOOLS").is_some_and(|value| value == "1") {
        let failed = Failed::from(format!("{reason} (FORKLORE_REQUIRE_TOOLS is 1)"));
        return Trial::test(name, move || Err(failed));
    }
    Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true)
}

/// Runs the trials as the command line says and ends the process as libtest would.
pub(crate) fn conclude(trials: Vec<Trial>) -> std::process::ExitCode {
    // Started as a background job of a script we ignore SIGINT, and so would everything that is to be interrupted here.
    forklore::sys::disposition::restore_default(nix::libc::SIGINT).expect("SIGINT has a default");
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit_code()
}

/// Where PATH has `tool`.
pub(crate) fn find(tool: &str) -> Option<PathBuf> {
    let executable =
        |path: &PathBuf| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(tool)).find(executable)
}

/// The Debian package that `tool` is in.
fn package(tool: &str) -> &str {
    match tool {
        "chromedriver" => "chromium-driver",
        "node" => "nodejs",
        other => other,
    }
}

/// The folder of the workspace, in which the package with this test is, or is itself.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("labs").is_dir()).expect("the workspace has labs")
}

pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The workspace's program `name`: `lab`, `lab-01-spawn-piping`. The first call builds all of them, in the same selection of
/// packages as `cargo test` has, so that nothing is compiled again for other features.
pub(crate) fn program(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let build = Command::new(cargo())
            .args(["build", "--bins", "--quiet", "--message-format=json-render-diagnostics"])
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

/// The names of the labs' folders, in order.
pub(crate) fn labs() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("labs")).expect("there are labs");
    let names = folders.map(|folder| folder.expect("readable").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| root().join("labs").join(name).join("Cargo.toml").is_file()).collect();
    names.sort();
    names
}
