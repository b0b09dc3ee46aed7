//! The programs that measure, as cargo builds them.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use forklore::child_process::{Command, Stdio, exec_file};
use forklore_benches::BenchResult;
use serde::Deserialize;

const PACKAGE: &str = env!("CARGO_PKG_NAME");

/// Those that do rounds by themselves, and last: what they disturb is then over.
const BY_THEMSELVES: [&str; 2] = ["memory", "serving"];

/// A group's program.
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
}

impl Binary {
    /// Whether it does its rounds by itself.
    pub(crate) fn does_rounds(&self) -> bool {
        BY_THEMSELVES.contains(&&*self.name)
    }
}

/// `cargo metadata`
#[derive(Deserialize)]
struct CargoMetadata {
    packages: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    targets: Vec<CargoTarget>,
}

/// A line of `cargo --message-format=json`.
#[derive(Deserialize)]
struct CargoMessage {
    target: Option<CargoTarget>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
}

/// The groups whose names contain one of these words, or all.
async fn names(words: &[String]) -> BenchResult<Vec<String>> {
    let metadata = cargo(["metadata", "--no-deps", "--format-version=1"]).await?;
    let metadata: CargoMetadata = serde_json::from_str(&metadata)?;
    let package = metadata.packages.into_iter().find(|package| package.name == PACKAGE).ok_or("we are not there")?;
    let benches = package.targets.into_iter().filter(|target| target.kind == ["bench"]);
    let mut names: Vec<_> = benches.map(|target| target.name).collect();
    if let Some(word) = words.iter().find(|word| !names.iter().any(|name| name.contains(*word))) {
        return Err(format!("{word:?} is in the name of no group; they are {}", names.join(", ")).into());
    }
    names.retain(|name| words.is_empty() || words.iter().any(|word| name.contains(word)));
    Ok(names)
}

/// Builds the groups whose names contain one of these words, or all.
///
/// `smoke`: as `cargo test` builds, since most of it is built already then.
pub(crate) async fn build(words: &[String], smoke: bool) -> BenchResult<Vec<Binary>> {
    let profile = if smoke { "--profile=dev" } else { "--profile=bench" };
    let arguments = ["bench", profile, "--package", PACKAGE, "--no-run", "--message-format=json"];
    let mut arguments: Vec<_> = arguments.map(str::to_owned).into();
    arguments.extend(names(words).await?.iter().map(|name| format!("--bench={name}")));
    let mut all = Vec::new();
    for line in cargo(arguments).await?.lines() {
        let line: CargoMessage = serde_json::from_str(line)?;
        if let (Some(target), Some(program)) = (line.target, line.executable)
            && target.kind == ["bench"]
        {
            all.push(Binary { name: target.name, program });
        }
    }
    all.sort_by(|a, b| (a.does_rounds(), &a.name).cmp(&(b.does_rounds(), &b.name)));
    Ok(all)
}

/// What it says while it builds is for the terminal.
async fn cargo(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> BenchResult<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let command = Command::new(cargo).args(arguments).cwd(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::Inherit);
    let command = command.env("CARGO_TARGET_DIR", target()?);
    Ok(exec_file(command).max_buffer(usize::MAX).await?.stdout_lossy())
}

/// Where results are kept: cargo's target directory, which holds this program too.
pub(crate) fn target() -> BenchResult<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().and_then(Path::parent).ok_or("this program is in no directory of cargo's")?.to_owned())
}
