//! A workspace with labs made for tests. `lab` finds it by `CARGO_MANIFEST_DIR`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program;

const MANIFEST: &str = r#"
[package]
name = "lab-NAME"
version = "0.0.0"
edition = "2024"

[package.metadata.lab]
title = "Title of NAME"
minutes = 3
summary = "What NAME shows"
needs = []
trace = ["clone", "clone3", "fork", "vfork", "execve", "wait4", "exit_group", "dup2", "read", "write"]

[package.metadata.lab.prediction]
question = "What will NAME say?"
choices = ["nothing", "two facts", "three facts"]
answer = 2
because = "It was written that way."
node.because = "The original was written that way."
"#;

const DIFFERS: &str = r#"
[[package.metadata.lab.differs]]
fact = "size"
rust = "5"
node = "4"
because = "it was written that way"
"#;

/// Says two facts, or becomes `sh -c SCRIPT` when its arguments are `sh SCRIPT`.
const MAIN: &str = r#"
use std::os::unix::process::CommandExt;

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let json = words.first().is_some_and(|word| word == "--json");
    if json {
        words.remove(0);
    }
    if let [shell, script] = &words[..] {
        panic!("{}", std::process::Command::new(shell).args(["-c", script]).exec());
    }
    let pid = std::process::id();
    for (fact, value) in [("colour", "green"), ("size", "RUST_SIZE")] {
        if json {
            println!("{{\"us\":1,\"pid\":{pid},\"fact\":\"{fact}\",\"value\":\"{value}\"}}");
        } else {
            println!("{fact}: {value}");
        }
    }
}
"#;

const NODE: &str = r#"
for (const [fact, value] of [['colour', 'green'], ['size', '4']]) {
  console.log(process.argv.includes('--json') ? JSON.stringify({ us: 1, pid: process.pid, fact, value }) : `${fact}: ${value}`);
}
"#;

/// The labs `90-alpha-equal`, `91-alpha-unequal` (its second fact is not Node's), `92-broken` (does not compile), `93-declared` (its
/// second fact is not Node's, as declared), `94-equal-after-all` (its second fact is Node's, but declared as differing) and `95-library`
/// (uses another crate).
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().expect("a temporary folder") };
        workspace.write("Cargo.toml", "[workspace]\nmembers = [\"labs/*\"]\nresolver = \"3\"\n");
        workspace.write("tools/lab/Cargo.toml", "");
        workspace.write("library/Cargo.toml", "[package]\nname = \"library\"\nedition = \"2024\"\n");
        workspace.write("library/src/lib.rs", "");
        fs::create_dir(workspace.path("empty")).expect("a folder");
        let states = |size| MAIN.replace("RUST_SIZE", size);
        for (name, main, rest) in [
            ("90-alpha-equal", states("4"), ""),
            ("91-alpha-unequal", states("5"), ""),
            ("92-broken", "fn main() { this is not Rust }\n".to_owned(), ""),
            ("93-declared", states("5"), DIFFERS),
            ("94-equal-after-all", states("4"), DIFFERS),
            ("95-library", states("4"), "[dependencies]\nlibrary.path = \"../../library\"\n"),
        ] {
            workspace.write(&format!("labs/{name}/Cargo.toml"), &(MANIFEST.replace("NAME", name) + rest));
            workspace.write(&format!("labs/{name}/src/main.rs"), &main);
            workspace.write(&format!("labs/{name}/node/main.js"), NODE);
        }
        workspace
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Prepares `cargo lab` in this workspace.
    pub(crate) fn lab(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("lab"));
        self.settle(command.args(arguments));
        command
    }

    /// Sets the environment variables by which `lab` finds this workspace.
    pub(crate) fn settle(&self, command: &mut Command) {
        command.env("CARGO_MANIFEST_DIR", self.path("tools/lab")).env("CARGO_TARGET_DIR", self.path("target"));
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}
